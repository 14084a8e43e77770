//! A question for the fields of a kind.

use kubeplex_proto::explain::ExplainRequest;
use kubeplex_proto::kind::{GroupResource, Scope};

use super::{CallOptions, LegContext, Target};
use crate::limits::MAX_MAX_BYTES;
use crate::resolve::Understood;

/// A field of a kind, and those below it, as one cluster describes them.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub struct ExplainQuery {
    /// The one that is asked.
    pub targets: Vec<Target>,
    pub kind: GroupResource,
    /// `None` where nobody said it.
    pub scope: Option<Scope>,
    /// Set where the caller named one.
    pub version: Option<String>,
    /// Names from the object down.
    pub path: Vec<String>,
    pub depth: u32,
    /// What those clusters serve the kind in that would have been asked as well, where it is another version.
    pub others: Vec<(String, String)>,
    pub options: CallOptions,
    pub understood: Understood,
}

impl ExplainQuery {
    pub fn leg_request(&self, context: LegContext) -> ExplainRequest {
        ExplainRequest {
            context: context.into_call(MAX_MAX_BYTES as u64, self.options.freshness),
            kind: self.kind.clone(),
            version: self.version.clone(),
            path: self.path.clone(),
            depth: self.depth,
        }
    }
}
