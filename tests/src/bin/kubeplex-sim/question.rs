//! What somebody asks, as far as it decides what the answer must be.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::kind::Kind;
use crate::people::Person;
use crate::truth::{Place, State};
use crate::world::World;

/// A question about objects of a kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    pub(crate) kind: Kind,
    /// Of all that the person may see, or this one.
    pub(crate) cluster: Option<&'static str>,
    pub(crate) namespace: Option<&'static str>,
    pub(crate) name: Option<&'static str>,
    pub(crate) freshness: Freshness,
    /// In percent of the clusters asked.
    pub(crate) min_coverage: Option<usize>,
}

/// Whom the rows are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// What an agent holds.
    Cache,
    /// What the API server says, to this person.
    Live,
}

impl Question {
    /// About everything of a kind.
    pub(crate) fn all(kind: Kind) -> Self {
        let (cluster, namespace, name, min_coverage) = (None, None, None, None);
        Self { kind, cluster, namespace, name, freshness: Freshness::Cache, min_coverage }
    }

    /// Adds what is asked to what else a tool is told.
    pub(crate) fn arguments(&self, mut others: Value) -> Value {
        let texts = [("cluster", self.cluster), ("namespace", self.namespace), ("name", self.name)];
        for (argument, text) in texts.into_iter().filter_map(|(argument, text)| Some((argument, text?))) {
            others[argument] = json!(text);
        }
        if self.freshness == Freshness::Live {
            others["freshness"] = json!("live");
        }
        if let Some(percent) = self.min_coverage {
            others["minCoverage"] = json!(percent);
        }
        others["maxBytes"] = json!(1 << 20);
        others
    }

    /// The clusters that are asked.
    pub(crate) fn clusters<'a>(&self, world: &'a World, person: &Person) -> Vec<&'a Arc<Cluster>> {
        let asked = |cluster: &&Arc<Cluster>| self.cluster.is_none_or(|only| only == cluster.name);
        person.clusters(world).filter(asked).collect()
    }

    /// Whether an object is among those that the answer is about, for this person.
    pub(crate) fn means(&self, person: &Person, place: &Place) -> bool {
        person.sees(&place.0)
            && self.namespace.is_none_or(|only| place.0 == only)
            && self.name.is_none_or(|only| place.1 == only)
    }

    /// What of `state` the answer is about.
    pub(crate) fn meant(&self, person: &Person, state: &State) -> State {
        let meant = state.iter().filter(|(place, _)| self.means(person, place));
        meant.map(|(place, number)| (place.clone(), *number)).collect()
    }

    /// Whether the person may have it, by all that decides on that for this cluster.
    pub(crate) fn is_allowed(&self, person: &Person, cluster: &str) -> bool {
        let visible = self.namespace.is_none_or(|namespace| person.sees(namespace));
        let readable = self.freshness == Freshness::Cache || person.may_read(cluster, self.namespace);
        visible && readable
    }
}
