//! A question for what changed.

use kubeplex_proto::changes::ChangesRequest;
use kubeplex_proto::events::Moment;
use kubeplex_proto::kind::{GroupResource, Scope};
use kubeplex_proto::pattern::Pattern;

use super::{CallOptions, LegContext, PageQuery, Target};
use crate::limits::{MAX_LEG_CHANGES, MAX_MAX_BYTES};
use crate::resolve::Understood;

/// A page of the one timeline of all targets.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub struct ChangesQuery {
    pub targets: Vec<Target>,
    pub kind: Option<GroupResource>,
    /// `None` where nobody said it.
    pub scope: Option<Scope>,
    pub namespaces: Vec<Pattern>,
    /// With what the named objects are related to.
    pub names: Vec<Pattern>,
    pub since: Moment,
    pub until: Option<Moment>,
    pub page: PageQuery,
    pub options: CallOptions,
    pub understood: Understood,
}

impl ChangesQuery {
    /// The request of one leg: the newest changes, since a page may want any of them.
    pub fn leg_request(&self, context: LegContext) -> ChangesRequest {
        ChangesRequest {
            context: context.into_call(MAX_MAX_BYTES as u64, self.options.freshness),
            since: self.since,
            until: self.until,
            kind: self.kind.clone(),
            namespaces: self.namespaces.clone(),
            names: self.names.clone(),
            limit: MAX_LEG_CHANGES,
        }
    }
}
