//! From the kind that a request names to rows that can be read, or to why there are none.

use std::sync::Arc;

use kubeplex_proto::control::SyncState;
use kubeplex_proto::kind::{GroupResource, KindInfo};
use kubeplex_proto::status::{LegStatus, Source};
use parking_lot::RwLock;
use tokio::time::timeout_at;

use super::Service;
use super::deadline::Deadline;
use crate::cache::KindStore;
use crate::kinds::{KindHandle, Opened};

/// What a read may read.
pub(super) struct Readable {
    pub(super) rows: Rows,
    pub(super) info: KindInfo,
    pub(super) status: LegStatus,
    pub(super) message: Option<String>,
    pub(super) source: Source,
    /// How long ago the rows were last known to be current.
    pub(super) age_ms: u64,
}

/// Where rows are.
#[derive(Clone)]
pub(super) enum Rows {
    Watched(Arc<KindHandle>),
    /// Read for this call, or for one a moment ago.
    Live(Arc<RwLock<KindStore>>),
}

/// Why there is nothing to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Nothing {
    pub(super) status: LegStatus,
    pub(super) message: Option<String>,
    pub(super) info: Option<Box<KindInfo>>,
    /// Where it was looked for.
    pub(super) source: Source,
}

impl Rows {
    pub(super) fn store(&self) -> &RwLock<KindStore> {
        match self {
            Self::Watched(handle) => &handle.store,
            Self::Live(store) => store,
        }
    }
}

impl Nothing {
    pub(super) fn new(status: LegStatus, message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..Self::without_words(status) }
    }

    /// For a status that says it all.
    pub(super) fn without_words(status: LegStatus) -> Self {
        Self { status, message: None, info: None, source: Source::Cache }
    }

    fn looked_for_live(self, info: &KindInfo) -> Self {
        Self { info: Some(Box::new(info.clone())), source: Source::Live, ..self }
    }
}

impl Service {
    /// Finds the kind, and waits for its first list where that is under way.
    pub(super) async fn open(
        &self,
        kind: &GroupResource,
        version: Option<&str>,
        deadline: Deadline,
    ) -> Result<Readable, Nothing> {
        let Ok(opened) = timeout_at(deadline.at(), self.0.kinds.open(kind, version)).await else {
            return Err(self.undiscovered());
        };
        match opened {
            Opened::Handle(handle) => watched(handle, deadline).await,
            Opened::Unwatchable(info) => {
                self.0.live.read(&info, deadline).await.map_err(|nothing| nothing.looked_for_live(&info))
            }
            Opened::Absent => Err(Nothing::without_words(LegStatus::Absent)),
            Opened::Denied => Err(Nothing::new(
                LegStatus::Forbidden,
                format!("the agent's configuration keeps {kind} out of its reach"),
            )),
            Opened::Failed(reason) => Err(Nothing::new(LegStatus::Error, reason)),
        }
    }

    /// The cluster has not yet said what it serves.
    fn undiscovered(&self) -> Nothing {
        match self.0.api.problem() {
            problem if problem.is_empty() => {
                Nothing::new(LegStatus::Syncing, "the agent is still finding out what the cluster serves")
            }
            problem => Nothing::new(LegStatus::Error, problem),
        }
    }
}

async fn watched(handle: Arc<KindHandle>, deadline: Deadline) -> Result<Readable, Nothing> {
    let source = if handle.first_use() { Source::Fill } else { Source::Cache };
    let known = handle.synced(deadline.at()).await;
    let (kind, message) = (&handle.info.id, known.message);
    let nothing =
        |status, message| Err(Nothing { status, message, info: Some(Box::new(handle.info.clone())), source });
    let status = match known.state {
        SyncState::Synced => LegStatus::Ok,
        SyncState::Stale => LegStatus::Stale,
        SyncState::Syncing => {
            let waits = || format!("the first list of {kind} was not there before the deadline");
            return nothing(LegStatus::Syncing, message.or_else(|| Some(waits())));
        }
        SyncState::Forbidden => return nothing(LegStatus::Forbidden, message),
        SyncState::Absent => return nothing(LegStatus::Absent, message),
        SyncState::Error => return nothing(LegStatus::Error, message),
    };
    let age_ms = known.as_of.map_or(0, |as_of| as_of.elapsed().as_millis() as u64);
    let info = handle.info.clone();
    Ok(Readable { rows: Rows::Watched(handle), info, status, message, source, age_ms })
}
