//! What the agent tells the gateway without being asked: the control stream of a link.
//!
//! [`conversation`] is the stream: a hello, then reports. What is sent is state, never events: each report is the
//! difference between what the gateway was told and what is true when it is ready to read the next line ([`delta`]). So a
//! slow reader makes nothing queue up, and when it reads again it gets the latest of each kind, once.

mod conversation;
mod delta;

use std::sync::Arc;

use kubeplex_proto::control::{ClusterReport, KindReport};
use kubeplex_proto::kind::KindTable;
use tokio::sync::watch;

use crate::kinds::Kinds;

pub use conversation::{Conversation, ReportTimings, conversation};

/// Everything that a report can tell, at one moment.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    pub kinds: Vec<KindReport>,
    pub discovery: Arc<KindTable>,
    pub cluster: ClusterReport,
}

/// Where reports come from. Clones read the same.
#[derive(Clone)]
pub struct ReportSource {
    snapshot: Arc<dyn Fn() -> Snapshot + Send + Sync>,
    changed: watch::Receiver<u64>,
}

impl ReportSource {
    /// `changed` ticks when what `snapshot` returns may have changed.
    pub fn new(
        snapshot: impl Fn() -> Snapshot + Send + Sync + 'static,
        changed: watch::Receiver<u64>,
    ) -> Self {
        Self { snapshot: Arc::new(snapshot), changed }
    }

    /// All that the agent knows of its cluster.
    pub fn of_kinds(kinds: Kinds) -> Self {
        let changed = kinds.changed();
        let snapshot = move || Snapshot {
            kinds: kinds.snapshot(),
            discovery: kinds.discovery(),
            cluster: kinds.cluster(),
        };
        Self::new(snapshot, changed)
    }
}
