//! What every cluster contributed to an answer, so that the answer can say what is missing from it.

use std::collections::BTreeMap;

use kubeplex_proto::gather::GatherHead;
use kubeplex_proto::get::GetHead;
use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::list::ListHead;
use kubeplex_proto::status::{AgentErrorCode, LegStatus, Source};

use crate::clock::Steady;
use crate::error::{CallError, ErrorCode};
use crate::fleet::{ClusterView, Trouble};
use crate::request::LegId;

use super::{Heard, LegFailure};

/// One entry for each expected cluster, in the order of the request's targets.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    pub legs: Vec<LegOutcome>,
}

/// What one cluster contributed.
#[derive(Debug, Clone)]
pub struct LegOutcome {
    pub cluster: ClusterId,
    pub status: LegStatus,
    /// Why, where the status is worth a mention.
    pub message: Option<String>,
    /// How long ago it came to that, where known.
    pub since_ms: Option<u64>,
    pub rows: RowsShown,
    /// The last proof that the rows are current.
    pub as_of: Option<Steady>,
    /// When its agent was last heard, where the rows are what agents report of themselves.
    pub heard: Option<Steady>,
    pub source: Option<Source>,
    /// The version that the cluster serves the kind in.
    pub api_version: Option<String>,
    /// What its rows show, at least.
    pub revision: Option<u64>,
    /// Rows of the cluster that match, shown or not; only where it answered.
    pub total: Option<u64>,
    /// Objects of the kind that the cluster last reported.
    pub last_known: Option<u64>,
    /// Problems that it last reported, of a cluster that did not answer; where the caller may see all that they are of.
    pub last_known_problems: Option<u64>,
    /// Back since an earlier page, and out until the cursor ends.
    pub rejoined: bool,
    /// Set where the agent refused the request.
    pub refusal: Option<AgentErrorCode>,
    pub hint: Option<String>,
    pub retry_after_ms: Option<u64>,
}

/// What heads of every kind of answer say.
pub(super) struct Said<'a> {
    pub(super) status: LegStatus,
    pub(super) message: Option<&'a String>,
    pub(super) total: u64,
    pub(super) as_of: Steady,
    pub(super) source: Source,
    pub(super) api_version: &'a str,
    /// `None` where the answer is of many kinds.
    pub(super) revision: Option<u64>,
}

impl<'a> From<&'a Heard<ListHead>> for Said<'a> {
    fn from(Heard { head, as_of, .. }: &'a Heard<ListHead>) -> Self {
        let ListHead { status, total, source, revision, .. } = *head;
        let (message, api_version) = (head.message.as_ref(), head.api_version.as_str());
        Self { status, message, total, as_of: *as_of, source, api_version, revision: Some(revision) }
    }
}

impl<'a> From<&'a Heard<GetHead>> for Said<'a> {
    fn from(Heard { head, as_of, .. }: &'a Heard<GetHead>) -> Self {
        let GetHead { status, total, source, revision, .. } = *head;
        let (message, api_version) = (head.message.as_ref(), head.api_version.as_str());
        Self { status, message, total, as_of: *as_of, source, api_version, revision: Some(revision) }
    }
}

impl<'a> From<&'a Heard<GatherHead>> for Said<'a> {
    fn from(Heard { head, as_of, .. }: &'a Heard<GatherHead>) -> Self {
        let GatherHead { status, total, source, .. } = *head;
        let (message, api_version) = (head.message.as_ref(), head.api_version.as_str());
        Self { status, message, total, as_of: *as_of, source, api_version, revision: None }
    }
}

/// Whether rows of a cluster are in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsShown {
    /// All that belong on this page.
    All,
    None,
    /// As of the last proof.
    Old,
    /// Those up to a failure.
    Partial,
}

impl LegOutcome {
    /// A leg that gave a head, or will.
    pub(crate) fn answered(cluster: ClusterId, status: LegStatus) -> Self {
        let rows = if status == LegStatus::Stale { RowsShown::Old } else { RowsShown::All };
        Self {
            cluster,
            status,
            message: None,
            since_ms: None,
            rows,
            as_of: None,
            heard: None,
            source: None,
            api_version: None,
            revision: None,
            total: None,
            last_known: None,
            last_known_problems: None,
            rejoined: false,
            refusal: None,
            hint: None,
            retry_after_ms: None,
        }
    }

    /// Adds what the head of its answer said.
    pub(super) fn with_head(mut self, head: Option<Said<'_>>) -> Self {
        let Some(head) = head else { return self };
        self.message = self.message.or_else(|| head.message.cloned());
        self.total = self.is_answered().then_some(head.total);
        if head.status != LegStatus::Absent {
            self.as_of = Some(head.as_of);
            self.source = Some(head.source);
            self.revision = head.revision;
            self.api_version = Some(head.api_version.to_owned()).filter(|version| !version.is_empty());
        }
        self
    }

    pub(crate) fn failed(cluster: &ClusterView, failure: LegFailure, rows: RowsShown) -> Self {
        Self {
            message: Some(failure.message),
            since_ms: failure.since_ms,
            rows,
            refusal: failure.refusal,
            hint: failure.hint,
            retry_after_ms: failure.retry_after_ms,
            last_known_problems: cluster.report.problems.map(|counts| counts.all()),
            ..Self::answered(cluster.id.clone(), failure.status)
        }
    }

    /// A cluster that an earlier page went without.
    pub(super) fn out(cluster: &ClusterView) -> Self {
        let mut outcome = match LegFailure::of_cluster(cluster) {
            Some(failure) => Self::failed(cluster, failure, RowsShown::None),
            None => Self::answered(cluster.id.clone(), LegStatus::Ok),
        };
        outcome.rows = RowsShown::None;
        outcome.rejoined = outcome.status.answered();
        outcome
    }

    pub fn is_answered(&self) -> bool {
        self.status.answered() && !self.rejoined && self.rows != RowsShown::Partial
    }

    /// Current and complete but for objects that its agent could not read: an `ok` with a message says which are missing.
    pub fn leaves_objects_out(&self) -> bool {
        self.status == LegStatus::Ok && self.rows == RowsShown::All && self.message.is_some()
    }

    /// Whether it is all there, as it is now and from the cache, with nothing to say about it.
    pub(crate) fn is_plain(&self) -> bool {
        let whole = self.rows == RowsShown::All && !self.rejoined;
        whole && self.status == LegStatus::Ok && self.message.is_none() && self.source == Some(Source::Cache)
    }

    /// Whether rows of it are missing, for whatever reason.
    fn lacks_rows(&self) -> bool {
        self.rejoined
            || self.rows == RowsShown::Partial
            || !self.status.answered()
            || self.leaves_objects_out()
    }
}

impl LegFailure {
    pub fn new(status: LegStatus, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            since_ms: None,
            refusal: None,
            hint: None,
            retry_after_ms: None,
        }
    }

    /// What a cluster's link says against sending it a leg; `None` while it is usable.
    pub fn of_link(cluster: &ClusterView) -> Option<Self> {
        cluster.link_trouble().map(Self::from)
    }

    /// The same, or what stands between its agent and its API server.
    pub(crate) fn of_cluster(cluster: &ClusterView) -> Option<Self> {
        cluster.trouble().map(Self::from)
    }
}

impl From<Trouble> for LegFailure {
    fn from(trouble: Trouble) -> Self {
        let Trouble { status, message, since_ms } = trouble;
        Self { since_ms, ..Self::new(status, message) }
    }
}

impl Coverage {
    pub fn expected(&self) -> usize {
        self.legs.len()
    }

    pub fn answered(&self) -> usize {
        self.legs.iter().filter(|leg| leg.is_answered()).count()
    }

    /// Whether the answer can't vouch for being all there is now: rows are missing, or may have come or gone since the last
    /// proof of a cluster that has none now.
    pub fn is_partial(&self) -> bool {
        self.legs.iter().any(|leg| leg.lacks_rows() || leg.status == LegStatus::Stale)
    }

    /// The oldest proof that what is shown of a cluster's data is current.
    pub fn as_of(&self) -> Option<Steady> {
        self.legs.iter().filter_map(|leg| leg.as_of).min()
    }

    /// When the agent was heard that was heard longest ago.
    pub fn heard(&self) -> Option<Steady> {
        self.legs.iter().filter_map(|leg| leg.heard).min()
    }

    /// Clusters that a next page must go without.
    pub fn missing(&self) -> Vec<LegId> {
        let missing = self.legs.iter().enumerate().filter(|(_, leg)| !leg.is_answered());
        missing.map(|(at, _)| LegId(at)).collect()
    }

    /// The error of the call, where no cluster answered.
    pub(super) fn failure(&self) -> Option<CallError> {
        let contributed = |leg: &LegOutcome| leg.is_answered() || leg.rows == RowsShown::Partial;
        if self.legs.iter().any(contributed) {
            return None;
        }
        self.common_refusal().or_else(|| Some(self.unavailable()))
    }

    /// Every agent that was reached found the same fault with the question itself.
    fn common_refusal(&self) -> Option<CallError> {
        let reached: Vec<_> = self.legs.iter().filter(|leg| leg.status != LegStatus::Disconnected).collect();
        let first = reached.first()?;
        let refuses = |leg: &&LegOutcome| {
            matches!(leg.refusal, Some(AgentErrorCode::InvalidArgument | AgentErrorCode::TooLarge))
        };
        if !reached.iter().all(refuses) {
            return None;
        }
        let code = match first.refusal {
            Some(AgentErrorCode::TooLarge) => ErrorCode::TooLarge,
            _ => ErrorCode::InvalidArgument,
        };
        let mut error = CallError::new(code, first.message.clone().unwrap_or_default());
        error.hint = first.hint.clone();
        Some(error)
    }

    fn unavailable(&self) -> CallError {
        let all = |status| self.legs.iter().all(|leg| leg.status == status);
        let code = if all(LegStatus::Forbidden) {
            ErrorCode::Forbidden
        } else if all(LegStatus::Timeout) {
            ErrorCode::Timeout
        } else {
            ErrorCode::Unavailable
        };
        let reasons = self.legs.iter().take(3).map(|leg| {
            let message = leg.message.as_deref().unwrap_or("out since an earlier page");
            format!("{}: {message}", leg.cluster)
        });
        let mut message = format!("none of the {} clusters asked answered. ", self.legs.len());
        if self.legs.len() == 1 {
            message.clear();
        }
        message.push_str(&reasons.collect::<Vec<_>>().join("; "));
        if self.legs.len() > 3 {
            message.push_str(&format!("; and {} more", self.legs.len() - 3));
        }
        let mut error = CallError::new(code, message);
        if let [only] = self.legs.as_slice() {
            error = error.at_cluster(only.cluster.clone());
        }
        error.retry_after_ms = self.legs.iter().filter_map(|leg| leg.retry_after_ms).min();
        if code == ErrorCode::Unavailable {
            error.hint = Some("clusters_list shows how each cluster's link and data stand".to_owned());
        }
        error
    }

    /// The versions by cluster, where not all clusters that have the kind serve the same.
    pub fn api_versions(&self) -> Option<BTreeMap<&str, &str>> {
        let versions =
            self.legs.iter().filter_map(|leg| Some((leg.cluster.as_str(), leg.api_version.as_deref()?)));
        by_cluster_where_they_differ(versions)
    }
}

fn by_cluster_where_they_differ<'a>(
    values: impl Iterator<Item = (&'a str, &'a str)>,
) -> Option<BTreeMap<&'a str, &'a str>> {
    let values: BTreeMap<_, _> = values.collect();
    let mut distinct = values.values();
    let first = distinct.next()?;
    distinct.any(|value| value != first).then_some(values)
}
