//! The difference between what the gateway was told and what is true now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kubeplex_proto::control::{ClusterReport, KindReport, Report};
use kubeplex_proto::kind::{GroupResource, KindTable};

use super::Snapshot;

/// The gateway lets an age that it was told grow by itself, so only an age that grew otherwise is worth telling.
const AGE_TOLERANCE_MS: i64 = 500;

/// A measured clock offset moves a little with every measurement.
const OFFSET_TOLERANCE_MS: i64 = 50;

/// What the gateway was told on one link.
#[derive(Debug, Default)]
pub(super) struct Told {
    kinds: BTreeMap<GroupResource, KindTold>,
    discovery: Option<Arc<KindTable>>,
    cluster: Option<ClusterReport>,
}

#[derive(Debug)]
struct KindTold {
    report: KindReport,
    /// When the kind was last known to be current, on the clock that `now_ms` is read from.
    as_of_ms: Option<i64>,
}

/// Whether a report is due only for the changes that a read could see, or for moved ages too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    Change,
    Heartbeat,
}

impl Told {
    /// What the gateway does not know yet; from here on it counts as told. `now_ms` is any clock that does not jump.
    pub(super) fn update(&mut self, snapshot: Snapshot, occasion: Occasion, now_ms: i64) -> Report {
        let names: BTreeSet<_> = snapshot.kinds.iter().map(|report| report.kind.clone()).collect();
        let dropped: Vec<_> = self.kinds.keys().filter(|kind| !names.contains(*kind)).cloned().collect();
        for kind in &dropped {
            self.kinds.remove(kind);
        }
        Report {
            kinds: snapshot
                .kinds
                .into_iter()
                .filter(|report| self.kind_is_news(report, occasion, now_ms))
                .collect(),
            dropped,
            discovery: self.discovery_news(&snapshot.discovery),
            cluster: self.cluster_news(snapshot.cluster),
        }
    }

    fn kind_is_news(&mut self, report: &KindReport, occasion: Occasion, now_ms: i64) -> bool {
        let as_of_ms = report.age_ms.map(|age_ms| now_ms.saturating_sub_unsigned(age_ms));
        let is_news = self.kinds.get(&report.kind).is_none_or(|told| {
            differs(&told.report, report) || occasion == Occasion::Heartbeat && moved(told.as_of_ms, as_of_ms)
        });
        if is_news {
            self.kinds.insert(report.kind.clone(), KindTold { report: report.clone(), as_of_ms });
        }
        is_news
    }

    fn discovery_news(&mut self, table: &Arc<KindTable>) -> Option<KindTable> {
        let known = self.discovery.as_ref().is_some_and(|told| Arc::ptr_eq(told, table) || told == table);
        if known {
            return None;
        }
        self.discovery = Some(Arc::clone(table));
        Some(KindTable::clone(table))
    }

    fn cluster_news(&mut self, cluster: ClusterReport) -> Option<ClusterReport> {
        if self.cluster.as_ref().is_some_and(|told| same_cluster(told, &cluster)) {
            return None;
        }
        self.cluster = Some(cluster.clone());
        Some(cluster)
    }
}

fn differs(told: &KindReport, report: &KindReport) -> bool {
    let significant = |report: &KindReport| (report.state, report.revision, report.objects);
    significant(told) != significant(report) || told.message != report.message
}

fn moved(told_ms: Option<i64>, as_of_ms: Option<i64>) -> bool {
    match (told_ms, as_of_ms) {
        (Some(told_ms), Some(as_of_ms)) => (as_of_ms - told_ms).abs() > AGE_TOLERANCE_MS,
        (told, now) => told.is_some() != now.is_some(),
    }
}

fn same_cluster(told: &ClusterReport, cluster: &ClusterReport) -> bool {
    let offset_ms = cluster.clock_offset_ms;
    let steady = (offset_ms - told.clock_offset_ms).abs() <= OFFSET_TOLERANCE_MS;
    steady && ClusterReport { clock_offset_ms: offset_ms, ..told.clone() } == *cluster
}

#[cfg(test)]
mod tests {
    use kubeplex_proto::control::SyncState;

    use super::*;

    fn pods(revision: u64, age_ms: u64) -> KindReport {
        KindReport {
            kind: GroupResource::new("", "pods"),
            state: SyncState::Synced,
            revision,
            objects: 3,
            age_ms: Some(age_ms),
            message: None,
        }
    }

    fn snapshot(kinds: Vec<KindReport>) -> Snapshot {
        Snapshot { kinds, ..Snapshot::default() }
    }

    #[test]
    fn the_first_report_is_complete_and_the_next_ones_are_not() {
        let mut told = Told::default();
        let first = told.update(snapshot(vec![pods(1, 0)]), Occasion::Change, 0);
        assert_eq!(first.kinds, [pods(1, 0)]);
        assert!(first.discovery.is_some() && first.cluster.is_some());
        assert_eq!(told.update(snapshot(vec![pods(1, 10)]), Occasion::Change, 10), Report::default());
    }

    #[test]
    fn a_kind_is_told_again_when_a_read_could_see_the_difference() {
        let nodes = KindReport { kind: GroupResource::new("", "nodes"), ..pods(1, 0) };
        let mut told = Told::default();
        told.update(snapshot(vec![pods(1, 0), nodes.clone()]), Occasion::Change, 0);
        for changed in [
            pods(2, 0),
            KindReport { state: SyncState::Stale, ..pods(2, 0) },
            KindReport { state: SyncState::Stale, message: Some("x".into()), ..pods(2, 0) },
            KindReport { objects: 4, ..pods(2, 0) },
        ] {
            let report = told.update(snapshot(vec![changed.clone(), nodes.clone()]), Occasion::Change, 0);
            assert_eq!(report, Report { kinds: vec![changed], ..Report::default() });
        }
    }

    #[test]
    fn ages_are_told_with_heartbeats_where_they_did_not_just_grow() {
        let mut told = Told::default();
        told.update(snapshot(vec![pods(1, 100)]), Occasion::Change, 1_000);
        let quiet = told.update(snapshot(vec![pods(1, 4_100)]), Occasion::Heartbeat, 5_000);
        assert_eq!(quiet, Report::default());
        assert_eq!(told.update(snapshot(vec![pods(1, 0)]), Occasion::Change, 9_000), Report::default());
        let refreshed = told.update(snapshot(vec![pods(1, 0)]), Occasion::Heartbeat, 9_000);
        assert_eq!(refreshed.kinds, [pods(1, 0)]);
        let never = told.update(
            snapshot(vec![KindReport { age_ms: None, ..pods(1, 0) }]),
            Occasion::Heartbeat,
            9_000,
        );
        assert_eq!(never.kinds.len(), 1);
    }

    #[test]
    fn a_kind_that_is_gone_is_dropped_once() {
        let mut told = Told::default();
        told.update(snapshot(vec![pods(1, 0)]), Occasion::Change, 0);
        let report = told.update(snapshot(vec![]), Occasion::Change, 0);
        assert_eq!(report, Report { dropped: vec![GroupResource::new("", "pods")], ..Report::default() });
        assert_eq!(told.update(snapshot(vec![]), Occasion::Change, 0), Report::default());
        assert_eq!(told.update(snapshot(vec![pods(1, 0)]), Occasion::Change, 0).kinds.len(), 1);
    }

    #[test]
    fn the_cluster_and_its_discovery_are_told_when_they_change() {
        let mut told = Told::default();
        told.update(Snapshot::default(), Occasion::Change, 0);
        let with = |nodes, clock_offset_ms, failed: &[&str]| Snapshot {
            cluster: ClusterReport { nodes, clock_offset_ms, ..ClusterReport::default() },
            discovery: Arc::new(KindTable {
                failed_groups: failed.iter().map(|group| ((*group).to_owned(), String::new())).collect(),
                ..KindTable::default()
            }),
            ..Snapshot::default()
        };
        assert_eq!(told.update(with(0, 40, &[]), Occasion::Change, 0), Report::default());
        assert!(told.update(with(0, 90, &[]), Occasion::Change, 0).cluster.is_some());
        assert!(told.update(with(5, 90, &[]), Occasion::Change, 0).cluster.is_some());
        let report = told.update(with(5, 90, &["metrics.k8s.io"]), Occasion::Change, 0);
        assert!(report.cluster.is_none() && report.discovery.is_some());
    }
}
