//! Events: those that tell the same as one, by the objects that they tell of.

use std::collections::BTreeMap;

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::rows::Row;
use kubeplex_tests::server::{Server, text};
use serde_json::{Value, json};

use super::agree::agree;
use crate::ground;

/// Longer than any of the clusters stands.
const EVER: &str = "3650d";

/// Cluster, namespace of the object, the object, type and reason, and how often that was told.
type Told = (String, String, String, String, String, i64);

fn told(row: &Row) -> Told {
    let cell = |column: &str| text(row.cell(column));
    let count = row.cell("count").as_i64().unwrap_or_default();
    (row.cluster.clone(), row.namespace.clone(), cell("object"), cell("type"), cell("reason"), count)
}

/// What a server's events tell, each once.
async fn told_by(server: &Server) -> Vec<(Value, Told)> {
    let mut folded: BTreeMap<[String; 6], (Value, i64)> = BTreeMap::new();
    for event in server.list("/api/v1/events").await {
        let of = |pointer: &str| text(event.pointer(pointer).unwrap_or(&Value::Null));
        let same = [
            of("/involvedObject/namespace"),
            of("/involvedObject/apiVersion"),
            of("/involvedObject/kind"),
            of("/involvedObject/name"),
            of("/type"),
            of("/reason"),
        ];
        let number =
            |pointer: &str| event.pointer(pointer).and_then(Value::as_i64).filter(|count| *count > 0);
        let count = number("/series/count").or_else(|| number("/count")).unwrap_or(1);
        let known = folded.entry(same).or_insert((event["involvedObject"].clone(), 0));
        known.1 += count;
    }
    let told =
        folded.into_iter().map(|([namespace, _, kind, name, event_type, reason], (involved, count))| {
            // Some events of the API server itself name no object.
            let object = [kind.to_lowercase(), name].into_iter().filter(|part| !part.is_empty());
            let object = object.collect::<Vec<_>>().join("/");
            (involved, (server.name.clone(), namespace, object, event_type, reason, count))
        });
    told.collect()
}

/// The events of all servers whose objects are meant, in an order of their own.
async fn at_the_servers(fleet: &TestFleet, meant: impl Fn(&Value) -> bool) -> Vec<Told> {
    let mut told = Vec::new();
    for server in &fleet.servers {
        told.extend(
            told_by(server).await.into_iter().filter(|(involved, _)| meant(involved)).map(|(_, told)| told),
        );
    }
    told.sort();
    told
}

async fn in_the_fleet(fleet: &TestFleet, mut question: Value) -> Vec<Told> {
    question["since"] = json!(EVER);
    question["fields"] = json!("object,type,reason,count");
    let mut told: Vec<_> = fleet.rows("events_list", question).await.iter().map(told).collect();
    told.sort();
    told
}

pub(crate) async fn events_are_those_of_all_servers(fleet: &'static TestFleet) {
    let mut found = 0;
    agree(
        "all events",
        async || in_the_fleet(fleet, json!({})).await,
        async || {
            let told = at_the_servers(fleet, |_| true).await;
            found = told.len();
            told
        },
    )
    .await;
    ground::compared(fleet, found > 0, "there are no events");
}

pub(crate) async fn events_are_found_by_what_they_tell_of(fleet: &'static TestFleet) {
    let mut some = Vec::new();
    for server in &fleet.servers {
        some.extend(told_by(server).await.into_iter().map(|(involved, _)| involved));
    }
    let Some(pod) = some.iter().find(|involved| involved["kind"] == "Pod") else {
        return ground::compared(fleet, false, "no event tells of a pod");
    };
    let (namespace, name) = (text(&pod["namespace"]), text(&pod["name"]));
    let start = &name[..name.len() / 2];
    let is = |involved: &Value, kind: &str| involved["kind"] == kind;
    type Meant<'a> = &'a dyn Fn(&Value) -> bool;
    let cases: [(Value, Meant<'_>); 6] = [
        (json!({"kind": "pods"}), &|involved| is(involved, "Pod")),
        (json!({"name": format!("pod/{name}")}), &|involved| {
            is(involved, "Pod") && involved["name"] == name.as_str()
        }),
        (json!({"kind": "po", "namespace": namespace, "name": format!("{start}*")}), &|involved| {
            is(involved, "Pod")
                && involved["namespace"] == namespace.as_str()
                && text(&involved["name"]).starts_with(start)
        }),
        (json!({"namespace": namespace}), &|involved| involved["namespace"] == namespace.as_str()),
        (json!({"kind": "nodes"}), &|involved| is(involved, "Node")),
        // Events of nodes are kept there, and nodes are not.
        (json!({"namespace": "default"}), &|involved| involved["namespace"] == "default"),
    ];
    for (question, meant) in cases {
        agree(
            &format!("events of {question}"),
            async || in_the_fleet(fleet, question.clone()).await,
            async || at_the_servers(fleet, meant).await,
        )
        .await;
    }
}

pub(crate) async fn the_newest_events_come_first(fleet: &'static TestFleet) {
    let question = json!({"since": EVER, "fields": "name,lastSeen", "limit": 3});
    let pages = fleet.pages("events_list", question.clone()).await;
    let names: Vec<_> = pages
        .iter()
        .flat_map(kubeplex_tests::rows::of)
        .map(|row| (row.cluster.clone(), row.name().to_owned()))
        .collect();
    ground::compared(fleet, pages.len() > 1, "there are only few events");
    let mut seen = BTreeMap::new();
    for server in &fleet.servers {
        for event in server.list("/api/v1/events").await {
            let times = ["/series/lastObservedTime", "/lastTimestamp", "/firstTimestamp", "/eventTime"];
            let time =
                times.iter().find_map(|at| event.pointer(at)?.as_str()?.parse::<jiff::Timestamp>().ok());
            // Rows are ordered by milliseconds, as all times are; servers tell some by microseconds.
            let time = time.map(jiff::Timestamp::as_millisecond);
            seen.insert((server.name.clone(), text(&event["metadata"]["name"])), time);
        }
    }
    // What was told anew while pages were read has moved; of the rest each is as old as the one before it, or older.
    let times: Vec<_> = names.iter().filter_map(|name| seen.get(name).copied().flatten()).collect();
    let out_of_order = times.windows(2).filter(|pair| pair[0] < pair[1]).count();
    let allowed = if fleet.sims.is_empty() { times.len() / 20 } else { 0 };
    assert!(out_of_order <= allowed, "{out_of_order} of {} are out of order: {times:?}", times.len());
}

pub(crate) async fn times_select_events(fleet: &'static TestFleet) {
    let count = async |question: Value| {
        fleet.call("events_list", question).await["total"].as_u64().unwrap_or_default()
    };
    let all = count(json!({"since": EVER})).await;
    let (old, new) = (json!({"since": EVER, "until": "7d"}), json!({"since": "7d"}));
    agree(
        "events before and after a moment",
        async || {
            vec![count(old.clone()).await + count(new.clone()).await >= count(json!({"since": EVER})).await]
        },
        async || vec![true],
    )
    .await;
    ground::compared(fleet, all > 0, "there are no events");
    for (wrong, said) in [
        (json!({"since": "1h", "until": "2h"}), "until"),
        (json!({"since": "2099-01-01T00:00:00Z"}), "future"),
        (json!({"since": "-1h"}), "negative"),
    ] {
        let error = fleet.refused("events_list", wrong.clone()).await;
        assert!(
            error["code"] == "invalid_argument" && text(&error["message"]).contains(said),
            "{wrong}: {error}"
        );
    }
}
