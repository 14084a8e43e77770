//! What is known of all clusters at one moment, taken once for as many calls as it is good for.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use tokio::time::Instant;

use crate::fleet::{ClusterView, Fleet};

/// What was taken is used again for so long, if nothing but its ages changed: a busy gateway takes thousands a second. Ages
/// are shown in seconds.
const LIFE: Duration = Duration::from_millis(200);

/// One cluster, and when it was looked at.
#[derive(Clone)]
pub(super) struct View {
    pub(super) taken: Instant,
    pub(super) cluster: Arc<ClusterView>,
}

/// The latest snapshot.
#[derive(Default)]
pub(super) struct Snapshots(RwLock<Option<Snapshot>>);

struct Snapshot {
    /// The count of changes that it was taken at.
    changes: u64,
    /// When its oldest view is too old.
    until: Instant,
    fleet: Fleet,
}

impl View {
    pub(super) fn is_good(&self, now: Instant) -> bool {
        now < self.taken + LIFE
    }
}

impl Snapshots {
    /// The fleet after so many changes: the latest snapshot, where that is good, or a new one of `views`.
    pub(super) fn of(&self, changes: u64, now: Instant, views: impl FnOnce() -> Vec<View>) -> Fleet {
        let good = |snapshot: &&Snapshot| snapshot.changes == changes && now < snapshot.until;
        if let Some(snapshot) = self.0.read().as_ref().filter(good) {
            return snapshot.fleet.clone();
        }
        let views = views();
        let until = views.iter().map(|view| view.taken).min().unwrap_or(now) + LIFE;
        let fleet = Fleet::new(views.into_iter().map(|view| view.cluster).collect());
        *self.0.write() = Some(Snapshot { changes, until, fleet: fleet.clone() });
        fleet
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kubeplex_proto::ids::ClusterId;

    use super::*;

    fn view(taken: Instant) -> View {
        let cluster = ClusterView::expected(ClusterId::new("eu").unwrap(), BTreeMap::new(), 0);
        View { taken, cluster: Arc::new(cluster) }
    }

    #[tokio::test(start_paused = true)]
    async fn a_snapshot_is_the_same_until_something_changes_or_its_oldest_view_is_too_old() {
        let (snapshots, start) = (Snapshots::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        let none = || panic!("the latest is good");
        let first = snapshots.of(1, at(100), || vec![view(at(0)), view(at(100))]);
        assert!(snapshots.of(1, at(199), none).is(&first));
        let older = snapshots.of(1, at(200), || vec![view(at(200))]);
        assert!(!older.is(&first));
        assert!(snapshots.of(1, at(399), none).is(&older));
        let changed = snapshots.of(2, at(200), || vec![view(at(200))]);
        assert!(!changed.is(&older));
        assert!(snapshots.of(2, at(200), none).is(&changed));
    }
}
