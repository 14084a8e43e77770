//! Problems of many clusters: what is the same in several is one.

use std::collections::{BTreeMap, BTreeSet};

use kubeplex_proto::gather::GatherHead;
use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::problems::{Problem, ProblemSeverity};

use super::{Gathered, Heard};
use crate::clock::Steady;
use crate::request::LegId;

/// The same cause in workloads of the same name, wherever they are.
#[derive(Debug)]
pub(crate) struct FleetProblem<'a> {
    /// In the order of clusters, and of each as its agent told them.
    pub(crate) places: Vec<(LegId, &'a Problem)>,
    heads: &'a [Option<Heard<GatherHead>>],
}

/// Clusters may have it in several namespaces.
type Same<'a> = (&'a str, &'a str, &'a GroupResource, &'a str);

/// In no order that matters.
pub(crate) fn fleet_problems(gathered: &Gathered<Problem>) -> Vec<FleetProblem<'_>> {
    let mut found: BTreeMap<Same<'_>, FleetProblem<'_>> = BTreeMap::new();
    for (leg, problem) in &gathered.items {
        let Problem { cause, message, subject, .. } = problem;
        let new = || FleetProblem { places: Vec::new(), heads: &gathered.heads };
        let same = (cause.as_str(), message.as_str(), &subject.kind, subject.name.as_str());
        found.entry(same).or_insert_with(new).places.push((*leg, problem));
    }
    found.into_values().collect()
}

impl<'a> FleetProblem<'a> {
    /// The place that stands for all: where it is gravest, and there the first.
    pub(crate) fn first(&self) -> (LegId, &'a Problem) {
        let gravest = self.severity();
        let first = self.places.iter().find(|(_, problem)| problem.severity == gravest);
        // There is one at least.
        first.copied().unwrap_or(self.places[0])
    }

    pub(crate) fn severity(&self) -> ProblemSeverity {
        self.places.iter().map(|(_, problem)| problem.severity).max().unwrap_or_default()
    }

    pub(crate) fn clusters(&self) -> BTreeSet<LegId> {
        self.places.iter().map(|(leg, _)| *leg).collect()
    }

    /// None for what is in no namespace.
    pub(crate) fn namespaces(&self) -> BTreeSet<&'a str> {
        self.places.iter().filter_map(|(_, problem)| problem.subject.namespace.as_deref()).collect()
    }

    pub(crate) fn objects(&self) -> u64 {
        self.places.iter().map(|(_, problem)| problem.objects).sum()
    }

    /// Milliseconds since 1970, by the clock of the cluster that saw it first.
    pub(crate) fn first_seen_ms(&self) -> i64 {
        self.places.iter().map(|(_, problem)| problem.first_seen_ms).min().unwrap_or_default()
    }

    /// `None` where it is so now, anywhere.
    pub(crate) fn last_seen_ms(&self) -> Option<i64> {
        let last = self.places.iter().map(|(_, problem)| problem.last_seen_ms);
        last.max_by_key(|at| at.unwrap_or(i64::MAX)).flatten()
    }

    /// How long ago the first place saw it first, by its own clock; in milliseconds.
    pub(crate) fn first_seen_ago_ms(&self, now: Steady) -> i64 {
        let ago =
            self.places.iter().filter_map(|(leg, problem)| self.ago_ms(*leg, problem.first_seen_ms, now));
        ago.max().unwrap_or_default()
    }

    /// How long ago it was so last; `None` where it is so now.
    pub(crate) fn last_seen_ago_ms(&self, now: Steady) -> Option<i64> {
        self.last_seen_ms()?;
        let ago =
            self.places.iter().filter_map(|(leg, problem)| self.ago_ms(*leg, problem.last_seen_ms?, now));
        ago.min()
    }

    /// The same problem.
    pub(crate) fn whole(&self) -> Self {
        Self { places: self.places.clone(), heads: self.heads }
    }

    /// Each place of it by itself.
    pub(crate) fn apart(&self) -> Vec<Self> {
        self.places.iter().map(|place| Self { places: vec![*place], heads: self.heads }).collect()
    }

    fn ago_ms(&self, leg: LegId, moment_ms: i64, now: Steady) -> Option<i64> {
        let heard = self.heads.get(leg.0)?.as_ref()?;
        let cluster_now_ms = heard.head.cluster_now_ms.saturating_add_unsigned(now.since_ms(heard.at));
        Some(cluster_now_ms.saturating_sub(moment_ms))
    }
}
