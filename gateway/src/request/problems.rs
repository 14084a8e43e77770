//! A question for problems.

use kubeplex_proto::events::Moment;
use kubeplex_proto::kind::{GroupResource, Scope};
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::problems::{ProblemSeverity, ProblemsRequest};

use super::{CallOptions, LegContext, PageQuery, Target};
use crate::limits::{MAX_LEG_PROBLEMS, MAX_MAX_BYTES};
use crate::resolve::Understood;

/// What is wrong over the targets, folded.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub struct ProblemsQuery {
    pub targets: Vec<Target>,
    /// Of objects of this kind, and of what descends from them.
    pub kind: Option<GroupResource>,
    /// Of the kind; `None` where nobody said it.
    pub scope: Option<Scope>,
    pub namespaces: Vec<Pattern>,
    pub names: Vec<Pattern>,
    pub since: Option<Moment>,
    pub until: Option<Moment>,
    /// At least so severe.
    pub severity: ProblemSeverity,
    pub page: PageQuery,
    pub options: CallOptions,
    pub understood: Understood,
}

impl ProblemsQuery {
    /// The request of one leg.
    pub fn leg_request(&self, context: LegContext) -> ProblemsRequest {
        ProblemsRequest {
            context: context.into_call(MAX_MAX_BYTES as u64, self.options.freshness),
            kind: self.kind.clone(),
            namespaces: self.namespaces.clone(),
            names: self.names.clone(),
            since: self.since,
            until: self.until,
            severity: self.severity,
            limit: MAX_LEG_PROBLEMS,
        }
    }
}
