//! Which links were seen to be well: one that nothing happens to stays so.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use tokio::time::Instant;

/// When each was last seen connected.
#[derive(Default)]
pub(crate) struct LinksSeen(Mutex<BTreeMap<&'static str, Instant>>);

impl LinksSeen {
    /// The link of the cluster is connected now.
    pub(crate) fn connected(&self, cluster: &'static str) {
        self.0.lock().insert(cluster, Instant::now());
    }

    pub(crate) fn last(&self, cluster: &str) -> Option<Instant> {
        self.0.lock().get(cluster).copied()
    }
}
