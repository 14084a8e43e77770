//! A question for everything about objects.

use kubeplex_proto::call::Freshness;
use kubeplex_proto::kind::{GroupResource, Scope};
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::sheet::SheetRequest;

use super::{CallOptions, LegContext, Target};
use crate::limits::{MAX_LEG_SHEETS, MAX_MAX_BYTES};
use crate::resolve::Understood;

/// Every visible object of a kind whose namespace and name match, over the targets.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub struct SheetsQuery {
    pub targets: Vec<Target>,
    pub kind: GroupResource,
    /// `None` where nobody said it.
    pub scope: Option<Scope>,
    /// Set where the caller named one.
    pub version: Option<String>,
    pub namespaces: Vec<Pattern>,
    pub names: Vec<Pattern>,
    /// Whether what their pods wrote of errors is wanted, too.
    pub logs: bool,
    pub options: CallOptions,
    pub understood: Understood,
}

impl SheetsQuery {
    /// The request of one leg.
    pub fn leg_request(&self, context: LegContext) -> SheetRequest {
        SheetRequest {
            context: context.into_call(MAX_MAX_BYTES as u64, Freshness::Cache),
            kind: self.kind.clone(),
            version: self.version.clone(),
            namespaces: self.namespaces.clone(),
            names: self.names.clone(),
            limit: MAX_LEG_SHEETS,
            logs: self.logs,
        }
    }
}
