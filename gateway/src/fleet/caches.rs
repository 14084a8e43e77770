//! The kinds that an agent caches, as it last reported them.
//!
//! Snapshots of the fleet are taken for every call and reports come all the time, so both share one table: what a
//! snapshot adds is the moment that ages are counted up to.

use std::collections::HashMap;
use std::sync::Arc;

use kubeplex_proto::control::KindReport;
use kubeplex_proto::kind::GroupResource;

use crate::clock::Steady;

/// Reports by kind. A clone shares them until one of the two changes.
#[derive(Debug, Clone, Default)]
pub struct Caches {
    kinds: Arc<HashMap<GroupResource, Received>>,
    /// The moment that ages are counted up to.
    now: Steady,
}

#[derive(Debug, Clone)]
struct Received {
    report: KindReport,
    at: Steady,
}

impl Caches {
    /// The same reports, with ages as of `now`.
    pub fn at(&self, now: Steady) -> Self {
        Self { kinds: Arc::clone(&self.kinds), now }
    }

    /// Notes a report that came just now, in place of an earlier one of the kind.
    pub fn insert(&mut self, report: KindReport) {
        let at = self.now;
        Arc::make_mut(&mut self.kinds).insert(report.kind.clone(), Received { report, at });
    }

    pub fn remove(&mut self, kind: &GroupResource) {
        Arc::make_mut(&mut self.kinds).remove(kind);
    }

    pub fn clear(&mut self) {
        self.kinds = Arc::default();
    }

    /// The last report of a kind. Its own `age_ms` is as old as the report; [`age_ms`](Self::age_ms) counts on.
    pub fn get(&self, kind: &GroupResource) -> Option<&KindReport> {
        self.kinds.get(kind).map(|received| &received.report)
    }

    /// The last reports of all kinds, in no order.
    pub fn reports(&self) -> impl Iterator<Item = &KindReport> {
        self.kinds.values().map(|received| &received.report)
    }

    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// How long ago a kind was last known to be current; `None` while it never was.
    pub fn age_ms(&self, kind: &GroupResource) -> Option<u64> {
        self.proof(kind).map(|proof| self.now.since_ms(proof))
    }

    /// The greatest age over all kinds that were ever current.
    pub fn oldest_age_ms(&self) -> Option<u64> {
        self.oldest_proof().map(|proof| self.now.since_ms(proof))
    }

    /// When a kind was last known to be current; `None` while it never was.
    pub fn proof(&self, kind: &GroupResource) -> Option<Steady> {
        self.kinds.get(kind)?.proof()
    }

    /// The least recent proof over all kinds that were ever current. Unlike the age it stays the same until a kind is proved
    /// anew.
    pub fn oldest_proof(&self) -> Option<Steady> {
        self.kinds.values().filter_map(Received::proof).min()
    }
}

impl Received {
    fn proof(&self) -> Option<Steady> {
        self.report.age_ms.map(|age_ms| self.at.ago_ms(age_ms))
    }
}

#[cfg(test)]
mod tests {
    use kubeplex_proto::control::SyncState;

    use super::*;

    fn report(resource: &str, age_ms: Option<u64>) -> KindReport {
        let kind = GroupResource::new("", resource);
        KindReport { kind, state: SyncState::Synced, revision: 1, objects: 3, age_ms, message: None }
    }

    #[test]
    fn ages_count_on_from_the_report_and_a_snapshot_copies_no_reports() {
        let mut caches = Caches::default().at(Steady::from_ms(1_000));
        caches.insert(report("pods", Some(100)));
        caches.insert(report("nodes", None));
        let (pods, nodes) = (GroupResource::new("", "pods"), GroupResource::new("", "nodes"));
        let later = caches.at(Steady::from_ms(5_000));
        assert_eq!(
            (later.age_ms(&pods), later.age_ms(&nodes), later.oldest_age_ms()),
            (Some(4_100), None, Some(4_100))
        );
        assert_eq!(caches.age_ms(&pods), Some(100));
        let proof = Some(Steady::from_ms(900));
        assert_eq!((caches.oldest_proof(), later.oldest_proof()), (proof, proof));
        assert!(Arc::ptr_eq(&caches.kinds, &later.kinds));

        caches.remove(&pods);
        assert_eq!((caches.len(), later.len()), (1, 2), "a snapshot is not changed by what comes after it");
    }
}
