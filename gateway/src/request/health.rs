//! A question for how clusters are.

use kubeplex_proto::call::Freshness;
use kubeplex_proto::health::HealthRequest;

use crate::resolve::Understood;

use super::{CallOptions, LegContext, Target};

/// One verdict for each of the targets.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub struct HealthQuery {
    pub targets: Vec<Target>,
    pub options: CallOptions,
    pub understood: Understood,
}

/// What the facts of one cluster may take; they name a bounded number of objects.
const FACTS_BYTES: u64 = 1 << 16;

impl HealthQuery {
    /// The request of a leg.
    pub fn leg_request(&self, context: LegContext) -> HealthRequest {
        HealthRequest { context: context.into_call(FACTS_BYTES, Freshness::Cache) }
    }
}
