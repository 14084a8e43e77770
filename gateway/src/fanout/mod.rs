//! The fifth and sixth stage: the request goes to every cluster at once, and what comes back is merged as it comes.
//!
//! A slow or failing cluster is data. Each answer has its own deadline inside the call's, which leaves the other clusters
//! time for what they have to send if it does not come; each leg has a place in its cluster's bulkhead and the consent of
//! its breaker; a cluster without a link is not asked. The merge says how many rows it wants of which leg. Each such answer
//! is read to its end as it comes, and its place is free again: nothing waits for one cluster while it holds a place at
//! another. What is fetched is bounded by the page, about four of them and some rows a cluster, and by a number of bytes.
//!
//! Everything a call has under way lives inside its future. Dropping it drops the legs, and that cancels the work in the
//! agents. A breaker's probe alone may go on when its call is answered, because no call waits for it.

mod ask;
mod breaker;
mod diff;
mod gather;
mod get;
mod groups;
mod lane;
mod leg;
mod list;
mod logs;
mod metrics;
mod probe;
mod room;
mod whole;

use std::sync::Arc;

use dashmap::DashMap;
use kubeplex_proto::call::Identity;
use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::paths;
use kubeplex_proto::visibility::Visibility;
use tokio::time::Instant;

use crate::admit::Admitted;
use crate::error::CallError;
use crate::health::HealthThresholds;
use crate::limits::{LEG_MARGIN, LEG_MARGIN_DIVISOR, Limits};
use crate::merge::{Answered, Merged};
use crate::policy::Permit;
use crate::registry::Registry;
use crate::request::{LegContext, Request};
use crate::results::{self, answers::KeptAnswers};
use crate::telemetry::Telemetry;
use crate::trace::Trace;
use lane::Lane;
use leg::Leg;

/// Sends requests to clusters. One for all calls of a gateway.
pub struct Fanout {
    registry: Registry,
    lanes: DashMap<ClusterId, Arc<Lane>>,
    answers: KeptAnswers,
    telemetry: Telemetry,
    legs_per_cluster: usize,
    legs_per_call: usize,
    answer_bytes: usize,
    health: HealthThresholds,
}

/// A request on its way: what its legs will have answered. Nothing is sent before the merge pulls.
pub struct Answers<'a> {
    asked: Asked<'a>,
    legs: Vec<Leg<'a>>,
}

/// What all legs of a call have in common.
#[derive(Clone, Copy)]
struct Asked<'a> {
    fanout: &'a Fanout,
    permit: &'a Permit,
    request: &'a Request,
    identity: &'a Identity,
    visibility: &'a Visibility,
    trace: &'a Trace,
    /// By when the first answer of a leg must be there.
    first_deadline: Instant,
    /// By when everything must be there.
    deadline: Instant,
}

impl Fanout {
    pub fn new(registry: Registry, limits: &Limits, health: HealthThresholds, telemetry: Telemetry) -> Self {
        Self {
            answers: KeptAnswers::new(results::bytes_of_answers(limits), registry.clone(), &telemetry),
            registry,
            lanes: DashMap::new(),
            telemetry,
            legs_per_cluster: limits.legs_per_cluster,
            legs_per_call: limits.legs_per_call,
            answer_bytes: limits.answer_bytes,
            health,
        }
    }

    /// Prepares one leg for each cluster of the request. `deadline` is the call's.
    pub fn ask<'a>(&'a self, admitted: &'a Admitted, deadline: Instant, trace: &'a Trace) -> Answers<'a> {
        let caller = admitted.permit().caller();
        let asked = Asked {
            fanout: self,
            permit: admitted.permit(),
            request: admitted.request(),
            identity: caller.identity(),
            visibility: caller.visibility(),
            trace,
            first_deadline: first_deadline(Instant::now(), deadline),
            deadline,
        };
        let legs: Vec<_> =
            admitted.request().legs().map(|(id, cluster)| Leg::new(asked, id, cluster)).collect();
        trace.expect_legs(legs.len());
        Answers { asked, legs }
    }

    /// Forgets how legs to a cluster fared.
    pub fn forget(&self, cluster: &ClusterId) {
        self.lanes.remove(cluster);
    }

    fn lane(&self, cluster: &ClusterId) -> Arc<Lane> {
        if let Some(lane) = self.lanes.get(cluster) {
            return lane.clone();
        }
        let new = || Lane::new(self.legs_per_cluster, metrics::LegMetrics::new(&self.telemetry, cluster));
        self.lanes.entry(cluster.clone()).or_insert_with(new).clone()
    }
}

impl<'a> Answers<'a> {
    /// Reads every leg as far as the answer needs it.
    ///
    /// # Errors
    /// [`CallError`] when no cluster could answer, or fewer than the caller wants, and as the merges say.
    pub async fn merge(self) -> Result<Merged<'a>, CallError> {
        let Self { asked, legs } = self;
        let answered = match asked.request {
            Request::Clusters(query) => Answered::Clusters(query),
            Request::Kinds(query) => Answered::Kinds(query, asked.visibility),
            Request::List(query) => match &query.page.group {
                Some(by) => {
                    let page = groups::merge(query, by, asked, legs).await?;
                    page.coverage.suffices(query.options.min_coverage)?;
                    Answered::Groups(query, page)
                }
                None => {
                    let page = list::merge(query, asked, legs).await?;
                    page.coverage.suffices(query.options.min_coverage)?;
                    Answered::List(query, page)
                }
            },
            Request::Diff(query) => Answered::Diff(query, diff::compare(query, asked, legs).await?),
            Request::Get(query) => Answered::Get(query, get::merge(query, asked, legs).await?),
            Request::Changes(query) => {
                let question = |_, context| query.leg_request(context);
                let gathered = gather::gather(asked, legs, paths::CHANGES, question).await?;
                gathered.coverage.suffices(query.options.min_coverage)?;
                Answered::Changes(query, gathered)
            }
            Request::Problems(query) => {
                let question = |_, context| query.leg_request(context);
                let gathered = gather::gather(asked, legs, paths::PROBLEMS, question).await?;
                gathered.coverage.suffices(query.options.min_coverage)?;
                Answered::Problems(query, gathered)
            }
            Request::Explain(query) => {
                let question = |_, context| query.leg_request(context);
                Answered::Explain(query, gather::gather(asked, legs, paths::EXPLAIN, question).await?)
            }
            Request::Logs(query) => Answered::Logs(query, logs::merge(query, asked, legs).await?),
            Request::Sheets(query) => {
                let question = |_, context| query.leg_request(context);
                let gathered = gather::gather(asked, legs, paths::SHEET, question).await?;
                Answered::Sheets(query, gathered.found(&query.kind, &query.names)?)
            }
            Request::Health(query) => {
                let question = |_, context| query.leg_request(context);
                let gathered = gather::gather(asked, legs, paths::HEALTH, question).await?;
                Answered::Health(query, gathered, asked.fanout.health)
            }
        };
        Ok(Merged::new(asked.permit, answered))
    }
}

impl Asked<'_> {
    fn leg_context(&self, deadline_ms: u64) -> LegContext {
        LegContext {
            call_id: self.trace.call_id().clone(),
            deadline_ms,
            caller: self.identity.clone(),
            visibility: self.visibility.clone(),
        }
    }
}

/// Before the call's: a leg that does not answer holds all rows up until then, and the other clusters still have to send
/// the rest of theirs.
fn first_deadline(now: Instant, call: Instant) -> Instant {
    let remaining = call.saturating_duration_since(now);
    call - LEG_MARGIN.min(remaining / LEG_MARGIN_DIVISOR)
}
