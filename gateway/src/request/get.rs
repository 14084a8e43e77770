//! A question for whole objects.

use kubeplex_proto::get::GetRequest;
use kubeplex_proto::kind::{GroupResource, Scope};
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::selector::LabelSelector;

use super::{CallOptions, LegContext, Target};
use crate::limits::{MAX_DISTINCT_OBJECTS, MAX_MAX_BYTES};
use crate::resolve::Understood;

/// Every visible object of a kind whose namespace and name match, over the targets.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub struct GetQuery {
    pub targets: Vec<Target>,
    pub kind: GroupResource,
    /// `None` where nobody said it.
    pub scope: Option<Scope>,
    /// Set where the caller named one.
    pub version: Option<String>,
    pub namespaces: Vec<Pattern>,
    pub names: Vec<Pattern>,
    /// Paths to keep; empty: whole objects.
    pub fields: Vec<String>,
    pub options: CallOptions,
    pub understood: Understood,
}

impl GetQuery {
    /// The request of one leg. One object more than may be shown is asked for, so that "too many" is noticed.
    pub fn leg_request(&self, context: LegContext) -> GetRequest {
        GetRequest {
            context: context.into_call(MAX_MAX_BYTES as u64, self.options.freshness),
            kind: self.kind.clone(),
            version: self.version.clone(),
            namespaces: self.namespaces.clone(),
            names: self.names.clone(),
            label_selector: LabelSelector::default(),
            fields: self.fields.clone(),
            limit: MAX_DISTINCT_OBJECTS as u32 + 1,
        }
    }
}
