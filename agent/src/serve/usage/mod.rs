//! What pods and nodes use, read live in the caller's name, beside what they asked for, which the cache knows.
//!
//! One read of the metrics answers its caller for a moment, whatever the page, as any read of a kind that can't be watched.

mod join;

use axum::extract::State;
use axum::response::Response;
use kubeplex_proto::call::Freshness;
use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::list::ListRequest;
use kubeplex_proto::status::{AgentError, AgentErrorCode, LegStatus, Source};
use kubeplex_proto::usage;
use parking_lot::RwLock;

use super::Service;
use super::body::{Ask, Failure};
use super::list::Reply;
use super::opening::{NotRead, Nothing, Question, Readable, Rows};
use crate::query::{self, Listing, ScanBudget};

use join::{Join, Joined};

pub(super) async fn usage(
    State(service): State<Service>,
    Ask(request): Ask<ListRequest>,
) -> Result<Response, Failure> {
    let Some(metrics) = usage::measured_by(&request.kind) else {
        let message = format!("of {} nobody measures what they use: of pods and nodes", request.kind);
        return Err(AgentError::new(AgentErrorCode::InvalidArgument, message).into());
    };
    Ok(match service.used(&metrics, request).await {
        Ok(reply) => reply,
        Err(NotRead::Nothing(nothing)) => Reply::of_nothing(nothing, &service.0),
        Err(NotRead::Refused(error)) => return Err(error.into()),
    }
    .send())
}

impl Service {
    async fn used(&self, metrics: &GroupResource, request: ListRequest) -> Result<Reply, NotRead> {
        let visibility = &request.context.visibility;
        if visibility.for_kind(metrics).is_empty() {
            let message = format!("{} may not see {metrics}", request.context.caller.user);
            return Err(Nothing::new(LegStatus::Forbidden, message).into());
        }
        let patterns = (request.namespaces.as_slice(), request.names.as_slice());
        let asked = |kind| Question::new(kind, None, patterns, &request.context);
        let measured = asked(metrics);
        // What is asked for changes when somebody writes it, and the cache hears of that.
        let cached = |kind| Question { freshness: Freshness::Cache, ..asked(kind) };
        let deadline = measured.deadline;
        let pods = GroupResource::new("", "pods");
        // What a part of the pods on a node asks for says nothing of the node.
        let on_nodes = request.kind != pods && visibility.for_kind(&pods).is_unrestricted();
        let (objects, all_pods) =
            (cached(&request.kind), Question { namespaces: &[], names: &[], ..cached(&pods) });
        let (measured, objects, pods) = tokio::join!(
            Box::pin(self.open(&measured)),
            Box::pin(self.open(&objects)),
            Box::pin(async { if on_nodes { Some(self.open(&all_pods).await) } else { None } }),
        );
        let measured = measured?;
        let (objects, pods) =
            (Part::of("requests and limits", objects), pods.map(|pods| Part::of("requests", pods)));
        let join = Join {
            metrics: measured.rows.clone(),
            objects: objects.rows.clone(),
            pods: pods.as_ref().and_then(|pods| pods.rows.clone()),
        };
        let now_ms = self.0.api.clock().cluster_now_ms();
        let scan = move |budget: &ScanBudget| -> Result<(Listing, Option<i64>), AgentError> {
            let Joined { store, oldest_ms } = join.made(&request, budget)?;
            Ok((query::list(&RwLock::new(store), &request, now_ms, budget)?, oldest_ms))
        };
        let (listing, oldest_ms) = self.0.scans.run(deadline, scan).await?;
        let parts = [Some(objects), pods].into_iter().flatten();
        Ok(Reply::of_listing(
            told(measured, parts, oldest_ms.map(|oldest| now_ms - oldest)),
            listing,
            &self.0,
        ))
    }
}

/// What the cache knows of one kind.
struct Part {
    /// `None` where that is nothing.
    rows: Option<Rows>,
    is_stale: bool,
    age_ms: u64,
    /// What is missing from it, or why all is.
    message: Option<String>,
}

impl Part {
    fn of(what: &str, read: Result<Readable, NotRead>) -> Self {
        let nothing = |why: Option<String>| Self {
            rows: None,
            is_stale: false,
            age_ms: 0,
            message: Some(format!(
                "{what} are not known: {}",
                why.unwrap_or_else(|| "no reason given".to_owned())
            )),
        };
        match read {
            Ok(readable) => Self {
                is_stale: readable.status == LegStatus::Stale,
                age_ms: readable.age_ms,
                message: readable.message,
                rows: Some(readable.rows),
            },
            Err(NotRead::Nothing(Nothing { message, .. })) => nothing(message),
            Err(NotRead::Refused(error)) => nothing(Some(error.message)),
        }
    }
}

/// What the answer says of itself: it is as old as the oldest of what it is made of.
fn told(measured: Readable, parts: impl Iterator<Item = Part>, sample_age_ms: Option<i64>) -> Readable {
    let mut told = Readable { source: Source::Live, ..measured };
    told.age_ms = told.age_ms.max(sample_age_ms.and_then(|age| u64::try_from(age).ok()).unwrap_or_default());
    for part in parts {
        told.age_ms = told.age_ms.max(part.age_ms);
        if part.is_stale {
            told.status = LegStatus::Stale;
        }
        told.message = match (told.message, part.message) {
            (Some(before), Some(message)) => Some(format!("{before}; {message}")),
            (before, message) => before.or(message),
        };
    }
    told
}
