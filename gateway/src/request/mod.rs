//! What a call asks, once it is understood: the type that every later stage works on.
//!
//! Only [`resolve`](crate::resolve) builds a [`Request`]: it holds an [`Understood`](crate::resolve::Understood), the one thing
//! that is named here and made above. Its legs are addressed by [`LegId`], the place of a cluster in [`Request::targets`].

mod changes;
mod clusters;
mod diff;
mod explain;
#[cfg(test)]
pub(crate) mod fixtures;
mod get;
mod group;
mod health;
mod kinds;
mod list;
mod logs;
mod object_uri;
mod page;
mod problems;
mod resume;
mod sheets;

use std::sync::Arc;

use kubeplex_proto::call::{CallContext, Freshness, Identity};
use kubeplex_proto::ids::CallId;
use kubeplex_proto::kind::{GroupResource, Scope};
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::visibility::Visibility;

use crate::fleet::ClusterView;

pub use changes::ChangesQuery;
pub use clusters::ClustersQuery;
pub use diff::{Against, DiffQuery, WrittenObject};
pub use explain::ExplainQuery;
pub use get::GetQuery;
pub use group::{COUNT, GroupBy};
pub use health::HealthQuery;
pub use kinds::{KindsQuery, NamedKind};
pub use list::{ALL_COLUMNS, ListQuery};
pub use logs::LogsQuery;
pub use object_uri::{InvalidObjectUri, ObjectUri, SCHEME};
pub use page::{Field, Order, OrderTerm, PageQuery};
pub use problems::ProblemsQuery;
pub use resume::{Fingerprint, Resume};
pub use sheets::SheetsQuery;

/// A call that is understood.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub enum Request {
    /// Answered from the fleet alone: no leg is sent.
    Clusters(ClustersQuery),
    /// So is this one.
    Kinds(KindsQuery),
    List(ListQuery),
    Get(GetQuery),
    Diff(DiffQuery),
    Changes(ChangesQuery),
    Problems(ProblemsQuery),
    Logs(LogsQuery),
    Health(HealthQuery),
    Explain(ExplainQuery),
    Sheets(SheetsQuery),
}

/// What every request says beside its question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallOptions {
    /// For the whole call.
    pub timeout_ms: u64,
    /// Budget of `structuredContent`.
    pub max_bytes: usize,
    pub output: Output,
    pub freshness: Freshness,
    /// Fail unless so many percent of the clusters asked answered.
    pub min_coverage: Option<u8>,
}

/// Of which objects a request asks.
#[derive(Debug, Clone, Copy)]
pub struct Objects<'a> {
    /// `None`: of whatever kinds there are.
    pub kind: Option<&'a GroupResource>,
    /// `None` where nobody said it.
    pub scope: Option<Scope>,
    /// Empty: all.
    pub namespaces: &'a [Pattern],
}

/// How rows are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Output {
    /// Arrays of cells.
    #[default]
    Table,
    /// Objects keyed by column.
    Json,
}

/// One cluster of a request.
#[derive(Debug, Clone)]
pub struct Target {
    pub cluster: Arc<ClusterView>,
    pub standing: Standing,
}

/// Whether a cluster is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Asked,
    /// It was missing on an earlier page of the same cursor and so stays out: its first rows would be missing, silently.
    Out,
}

/// The place of a cluster among a request's targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LegId(pub usize);

/// What a leg carries beside the question; the request itself knows the rest.
#[derive(Debug, Clone)]
pub struct LegContext {
    pub call_id: CallId,
    /// What remains for this leg.
    pub deadline_ms: u64,
    pub caller: Identity,
    pub visibility: Visibility,
}

impl Request {
    pub fn options(&self) -> &CallOptions {
        match self {
            Self::Clusters(query) => &query.options,
            Self::Kinds(query) => &query.options,
            Self::List(query) => &query.options,
            Self::Get(query) => &query.options,
            Self::Diff(query) => &query.options,
            Self::Changes(query) => &query.options,
            Self::Problems(query) => &query.options,
            Self::Logs(query) => &query.options,
            Self::Health(query) => &query.options,
            Self::Explain(query) => &query.options,
            Self::Sheets(query) => &query.options,
        }
    }

    /// All clusters of the request, ordered by name: the expected set of its coverage.
    pub fn targets(&self) -> &[Target] {
        match self {
            Self::Clusters(query) => &query.targets,
            Self::Kinds(query) => &query.targets,
            Self::List(query) => &query.targets,
            Self::Get(query) => &query.targets,
            Self::Diff(query) => &query.targets,
            Self::Changes(query) => &query.targets,
            Self::Problems(query) => &query.targets,
            Self::Logs(query) => &query.targets,
            Self::Health(query) => &query.targets,
            Self::Explain(query) => &query.targets,
            Self::Sheets(query) => &query.targets,
        }
    }

    /// The legs to send; none where the fleet alone answers.
    pub fn legs(&self) -> impl Iterator<Item = (LegId, &Arc<ClusterView>)> {
        let sends = !matches!(self, Self::Clusters(_) | Self::Kinds(_));
        legs(self.targets()).filter(move |_| sends)
    }

    /// The kind asked for, for admission.
    pub fn kind(&self) -> Option<&GroupResource> {
        self.objects()?.kind
    }

    /// The kind that tells what the objects asked for use, where that is the question: it is read beside them.
    pub fn measured_by(&self) -> Option<GroupResource> {
        match self {
            Self::List(ListQuery { kind, usage: true, .. }) => kubeplex_proto::usage::measured_by(kind),
            _ => None,
        }
    }

    /// The objects asked for, for policy.
    pub fn objects(&self) -> Option<Objects<'_>> {
        match self {
            Self::Clusters(_) | Self::Kinds(_) | Self::Health(_) => None,
            Self::List(ListQuery { search: Some(_), namespaces, .. }) => {
                Some(Objects { kind: None, scope: None, namespaces })
            }
            Self::Diff(DiffQuery { kinds, scope, namespaces, .. }) => match kinds.as_slice() {
                [kind] => Some(Objects { kind: Some(kind), scope: *scope, namespaces }),
                _ => Some(Objects { kind: None, scope: None, namespaces }),
            },
            Self::List(ListQuery { kind, scope, namespaces, .. })
            | Self::Get(GetQuery { kind, scope, namespaces, .. })
            | Self::Sheets(SheetsQuery { kind, scope, namespaces, .. })
            | Self::Logs(LogsQuery { kind, scope, namespaces, .. }) => {
                Some(Objects { kind: Some(kind), scope: *scope, namespaces })
            }
            Self::Explain(query) => {
                Some(Objects { kind: Some(&query.kind), scope: query.scope, namespaces: &[] })
            }
            Self::Changes(ChangesQuery { kind, scope, namespaces, .. })
            | Self::Problems(ProblemsQuery { kind, scope, namespaces, .. }) => {
                Some(Objects { kind: kind.as_ref(), scope: *scope, namespaces })
            }
        }
    }
}

/// The targets that are to be asked.
pub fn legs(targets: &[Target]) -> impl Iterator<Item = (LegId, &Arc<ClusterView>)> {
    let asked = targets.iter().enumerate().filter(|(_, target)| target.standing == Standing::Asked);
    asked.map(|(at, target)| (LegId(at), &target.cluster))
}

impl LegContext {
    fn into_call(self, max_bytes: u64, freshness: Freshness) -> CallContext {
        CallContext {
            call_id: self.call_id,
            deadline_ms: self.deadline_ms,
            caller: self.caller,
            visibility: self.visibility,
            max_bytes,
            freshness,
        }
    }
}
