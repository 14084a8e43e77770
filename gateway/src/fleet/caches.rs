//! The kinds that an agent caches, as it last reported them.
//!
//! Snapshots of the fleet are taken for every call and reports come all the time, so both share one table: what a
//! snapshot adds is the moment that ages are counted up to.

use std::collections::HashMap;
use std::sync::Arc;

use kubeplex_proto::control::KindReport;
use kubeplex_proto::kind::GroupResource;

/// Reports by kind. A clone shares them until one of the two changes.
#[derive(Debug, Clone, Default)]
pub struct Caches {
    kinds: Arc<HashMap<GroupResource, Received>>,
    /// The time that ages are counted up to, in milliseconds since 1970 by a clock of the registry that never jumps.
    now_ms: u64,
}

#[derive(Debug, Clone)]
struct Received {
    report: KindReport,
    at_ms: u64,
}

impl Caches {
    /// The same reports, with ages as of `now_ms`.
    pub fn at(&self, now_ms: u64) -> Self {
        Self { kinds: Arc::clone(&self.kinds), now_ms }
    }

    /// Notes a report that came just now, in place of an earlier one of the kind.
    pub fn insert(&mut self, report: KindReport) {
        let at_ms = self.now_ms;
        Arc::make_mut(&mut self.kinds).insert(report.kind.clone(), Received { report, at_ms });
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
        self.aged(self.kinds.get(kind)?)
    }

    /// The greatest age over all kinds that were ever current.
    pub fn oldest_age_ms(&self) -> Option<u64> {
        self.kinds.values().filter_map(|received| self.aged(received)).max()
    }

    /// The moment of the least recent proof over all kinds that were ever current, in milliseconds since 1970. Unlike the
    /// age it stays the same until a kind is proved anew.
    pub fn oldest_proof_ms(&self) -> Option<u64> {
        let proof = |received: &Received| Some(received.at_ms.saturating_sub(received.report.age_ms?));
        self.kinds.values().filter_map(proof).min()
    }

    fn aged(&self, received: &Received) -> Option<u64> {
        let since = self.now_ms.saturating_sub(received.at_ms);
        received.report.age_ms.map(|age_ms| age_ms.saturating_add(since))
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
        let mut caches = Caches::default().at(1_000);
        caches.insert(report("pods", Some(100)));
        caches.insert(report("nodes", None));
        let (pods, nodes) = (GroupResource::new("", "pods"), GroupResource::new("", "nodes"));
        let later = caches.at(5_000);
        assert_eq!(
            (later.age_ms(&pods), later.age_ms(&nodes), later.oldest_age_ms()),
            (Some(4_100), None, Some(4_100))
        );
        assert_eq!(caches.age_ms(&pods), Some(100));
        assert_eq!((caches.oldest_proof_ms(), later.oldest_proof_ms()), (Some(900), Some(900)));
        assert!(Arc::ptr_eq(&caches.kinds, &later.kinds));

        caches.remove(&pods);
        assert_eq!((caches.len(), later.len()), (1, 2), "a snapshot is not changed by what comes after it");
    }
}
