//! The kinds of objects that people ask for. Every object has a number that tells its last change, and that answers show.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kubeplex_tests::rows::Row;
use serde_json::{Value, json};
use simcluster::Gvr;

use crate::truth::{Place, State};

/// The custom kind, in the words of a question.
pub(crate) const WIDGETS: &str = "widgets.example.com";

/// A kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Pods,
    /// Of a CRD, whose troubles are in `widgets`.
    Widgets,
    /// One about each of some pods.
    Events,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Pods, Self::Widgets, Self::Events];

    /// The tool that lists it, and what that has to be told.
    pub(crate) fn listed_by(self) -> (&'static str, Value) {
        match self {
            Self::Pods => ("pods_list", json!({})),
            // By its path, because a kind shows name and age alone while its server can't tell its columns.
            Self::Widgets => ("resources_list", json!({"kind": WIDGETS, "fields": "name,spec.size"})),
            // Clocks jump, and no event is ever too old.
            Self::Events => ("events_list", json!({"since": "3d"})),
        }
    }

    /// A search for it, with the columns by which [`shown_in`](Self::shown_in) tells objects. Searches find every event by itself.
    pub(crate) fn searched_by(self) -> Option<(&'static str, Value)> {
        let fields = format!("cluster,namespace,name,{}", self.number_column());
        let query = format!("kind:{}", self.name());
        (self != Self::Events).then(|| ("fleet_search", json!({"query": query, "fields": fields})))
    }

    /// In the words of a question for objects.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pods => "pods",
            Self::Widgets => WIDGETS,
            Self::Events => "events",
        }
    }

    /// The column of the number.
    pub(crate) fn number_column(self) -> &'static str {
        match self {
            Self::Pods => "restarts",
            Self::Widgets => "spec.size",
            Self::Events => "count",
        }
    }

    /// What a row of a listing shows.
    pub(crate) fn shown_in(self, row: &Row) -> (Place, i64) {
        let name = match self {
            Self::Pods | Self::Widgets => row.name(),
            Self::Events => row.cell("object").as_str().unwrap_or_default().trim_start_matches("pod/"),
        };
        let number = row.cell(self.number_column()).as_i64().unwrap_or(-1);
        ((row.namespace.clone(), name.to_owned()), number)
    }

    /// The number in a whole object.
    pub(crate) fn number_of(self, object: &Value) -> i64 {
        let number = match self {
            Self::Pods => &object["status"]["containerStatuses"][0]["restartCount"],
            Self::Widgets => &object["spec"]["size"],
            Self::Events => &object["count"],
        };
        number.as_i64().unwrap_or(-1)
    }

    /// An object of this kind with this number. Events are about the pod of this name.
    pub(crate) fn object(self, (namespace, name): &Place, number: i64, now: Timestamp) -> Value {
        let metadata = json!({"namespace": namespace, "name": name, "labels": {"app": "sim"}});
        match self {
            Self::Pods => json!({
                "apiVersion": "v1", "kind": "Pod", "metadata": metadata,
                "spec": {"containers": [{"name": "main", "image": "sim:1"}]},
                "status": {"phase": "Running", "containerStatuses": [
                    {"name": "main", "ready": true, "restartCount": number, "state": {"running": {}}}
                ]},
            }),
            Self::Widgets => json!({
                "apiVersion": "example.com/v1beta1", "kind": "Widget", "metadata": metadata,
                "spec": {"size": number, "colour": "blue"},
            }),
            Self::Events => {
                let at = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                json!({
                    "apiVersion": "v1", "kind": "Event", "metadata": metadata, "type": "Normal", "reason": "Simulated",
                    "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": namespace, "name": name},
                    "message": "something happened", "count": number, "firstTimestamp": at, "lastTimestamp": at,
                    "source": {"component": "sim"},
                })
            }
        }
    }

    /// As the API server calls it, in the version that it stores.
    pub(crate) fn stored(self) -> Gvr {
        match self {
            Self::Pods => Gvr::core("pods"),
            Self::Widgets => Gvr::new("example.com", "v1beta1", "widgets"),
            Self::Events => Gvr::core("events"),
        }
    }

    /// How many of `state` there are in each namespace, or altogether, and the sums of their numbers.
    pub(crate) fn counted(state: &State, by_namespace: bool) -> BTreeMap<String, (u64, i64)> {
        let mut counts = BTreeMap::new();
        for ((namespace, _), number) in state {
            let key = if by_namespace { namespace.clone() } else { String::new() };
            let (count, sum) = counts.entry(key).or_default();
            (*count, *sum) = (*count + 1, *sum + number);
        }
        counts
    }
}
