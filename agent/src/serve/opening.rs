//! From the kind that a request names to rows that can be read, or to why there are none.

use std::sync::Arc;

use kubeplex_proto::call::{CallContext, Freshness, Identity};
use kubeplex_proto::control::SyncState;
use kubeplex_proto::ids::CallId;
use kubeplex_proto::kind::{GroupResource, KindInfo};
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::status::{AgentError, LegStatus, Source};
use kubeplex_proto::visibility::Visibility;
use parking_lot::RwLock;
use tokio::time::{Instant, timeout_at};

use super::Service;
use super::deadline::Deadline;
use super::sight::{Sight, sight};
use crate::cache::KindStore;
use crate::kinds::{KindHandle, Known, Opened, named_in_vain};

/// Which rows somebody asks for, as far as it matters before they are filtered.
pub(super) struct Question<'a> {
    pub(super) kind: &'a GroupResource,
    pub(super) version: Option<&'a str>,
    pub(super) namespaces: &'a [Pattern],
    pub(super) names: &'a [Pattern],
    pub(super) freshness: Freshness,
    pub(super) caller: &'a Identity,
    pub(super) call_id: &'a CallId,
    pub(super) visibility: &'a Visibility,
    pub(super) deadline: Deadline,
}

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

/// Why a question is not answered with rows.
#[derive(Debug)]
pub(super) enum NotRead {
    /// That is the answer.
    Nothing(Nothing),
    /// The question itself is at fault.
    Refused(AgentError),
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

impl<'a> Question<'a> {
    pub(super) fn new(
        kind: &'a GroupResource,
        version: Option<&'a String>,
        (namespaces, names): (&'a [Pattern], &'a [Pattern]),
        context: &'a CallContext,
    ) -> Self {
        let deadline = Deadline::after_ms(context.deadline_ms);
        let CallContext { freshness, caller, call_id, visibility, .. } = context;
        let version = version.map(String::as_str);
        Self {
            kind,
            version,
            namespaces,
            names,
            freshness: *freshness,
            caller,
            call_id,
            visibility,
            deadline,
        }
    }
}

impl Readable {
    /// Whether an answer at this revision is the one that would be given now. At the same revision the rows are the same;
    /// what else an answer says must be nothing but that.
    pub(super) fn is_still(&self, revision: u64) -> bool {
        let says_nothing_else =
            self.status == LegStatus::Ok && self.message.is_none() && self.source == Source::Cache;
        says_nothing_else && self.rows.store().read().revision() == revision
    }
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

    pub(super) fn looked_for_live(self, info: &KindInfo) -> Self {
        Self { info: Some(Box::new(info.clone())), source: Source::Live, ..self }
    }
}

impl NotRead {
    /// Whether the server was asked and did not know where.
    fn is_unknown_path(&self) -> bool {
        matches!(self, Self::Nothing(nothing) if nothing.status == LegStatus::Absent && nothing.info.is_some())
    }

    fn looked_for_live(self, info: &KindInfo) -> Self {
        match self {
            Self::Nothing(nothing) => Self::Nothing(nothing.looked_for_live(info)),
            refused @ Self::Refused(_) => refused,
        }
    }
}

impl From<Nothing> for NotRead {
    fn from(nothing: Nothing) -> Self {
        Self::Nothing(nothing)
    }
}

impl From<AgentError> for NotRead {
    fn from(error: AgentError) -> Self {
        Self::Refused(error)
    }
}

impl Service {
    /// Finds what the question asks for: in the cache, where the first list of the kind may have to be waited for, or live.
    ///
    /// # Errors
    /// Why there is nothing to read.
    pub(super) async fn open(&self, question: &Question<'_>) -> Result<Readable, NotRead> {
        match question.freshness {
            Freshness::Cache => self.open_cached(question).await,
            Freshness::Live => self.open_live(question).await,
        }
    }

    async fn open_cached(&self, question: &Question<'_>) -> Result<Readable, NotRead> {
        let deadline = question.deadline;
        let opened = self.0.kinds.open(question.kind, question.version);
        let Ok(opened) = timeout_at(deadline.at(), opened).await else {
            return Err(self.undiscovered().into());
        };
        match opened {
            Opened::Handle(handle) => self.read_watched(handle, question).await,
            Opened::Unwatchable(info) => {
                let read = self.0.live.unwatchable(&info, question).await;
                read.map_err(|not_read| not_read.looked_for_live(&info))
            }
            Opened::Absent => Err(Nothing::without_words(LegStatus::Absent).into()),
            Opened::Denied(reason) => Err(Nothing::new(LegStatus::Forbidden, reason).into()),
            Opened::Failed(reason) => Err(Nothing::new(LegStatus::Error, reason).into()),
        }
    }

    /// A kind that is watched, in whichever version the cluster serves.
    async fn read_watched(
        &self,
        mut handle: Arc<KindHandle>,
        question: &Question<'_>,
    ) -> Result<Readable, NotRead> {
        loop {
            let nothing = match watched(Arc::clone(&handle), question).await {
                Err(nothing) if nothing.status == LegStatus::Absent => nothing,
                read => return Ok(read?),
            };
            let reopened = self.0.kinds.reopened(&handle, question.version);
            handle = match timeout_at(question.deadline.at(), reopened).await {
                Ok(Opened::Handle(newer)) => newer,
                Ok(Opened::Failed(reason)) => {
                    return Err(Nothing { status: LegStatus::Error, message: Some(reason), ..nothing }.into());
                }
                Ok(_) => return Err(nothing.into()),
                Err(_) => return Err(self.undiscovered().into()),
            };
        }
    }

    async fn open_live(&self, question: &Question<'_>) -> Result<Readable, NotRead> {
        let known = self.0.kinds.known(question.kind, question.version);
        // Boxed, as the second is: what awaits them would hold room for both.
        let read = Box::pin(self.read_live(known, question)).await;
        if !read.as_ref().is_err_and(NotRead::is_unknown_path) {
            return read;
        }
        // That the server does not know the path says that it does not serve this version, and not yet that it serves none.
        let known = self.0.kinds.known_after(question.kind, question.version, Instant::now());
        let read = Box::pin(self.read_live(known, question)).await;
        if read.as_ref().is_err_and(NotRead::is_unknown_path) {
            return Err(Nothing::new(LegStatus::Error, named_in_vain(question.kind)).into());
        }
        read
    }

    async fn read_live(
        &self,
        known: impl Future<Output = Known>,
        question: &Question<'_>,
    ) -> Result<Readable, NotRead> {
        let Ok(known) = timeout_at(question.deadline.at(), known).await else {
            return Err(self.undiscovered().into());
        };
        match known {
            Known::Kind(info, shape) => {
                let read = self.0.live.fresh(&info, shape, question).await;
                read.map_err(|not_read| not_read.looked_for_live(&info))
            }
            Known::Absent => Err(Nothing::without_words(LegStatus::Absent).into()),
            Known::Denied(reason) => Err(Nothing::new(LegStatus::Forbidden, reason).into()),
            Known::Failed(reason) => Err(Nothing::new(LegStatus::Error, reason).into()),
        }
    }

    /// The cluster has not yet said what it serves.
    pub(super) fn undiscovered(&self) -> Nothing {
        match self.0.api.problem() {
            problem if problem.is_empty() => {
                Nothing::new(LegStatus::Syncing, "the agent is still finding out what the cluster serves")
            }
            problem => Nothing::new(LegStatus::Error, problem),
        }
    }
}

async fn watched(handle: Arc<KindHandle>, question: &Question<'_>) -> Result<Readable, Nothing> {
    let source = if handle.first_use() { Source::Fill } else { Source::Cache };
    let known = handle.synced(question.deadline.at()).await;
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
    let message = match sight(&known.seen, question, &handle.info) {
        Sight::Whole => message,
        Sight::Partial(limit) => Some(message.map_or(limit.clone(), |message| format!("{limit}; {message}"))),
        Sight::None(limit) => return nothing(LegStatus::Forbidden, Some(limit)),
    };
    let age_ms = known.as_of.map_or(0, |as_of| as_of.elapsed().as_millis() as u64);
    let info = handle.info.clone();
    Ok(Readable { rows: Rows::Watched(handle), info, status, message, source, age_ms })
}
