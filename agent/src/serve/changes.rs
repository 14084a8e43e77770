//! What changed in the cluster.

use axum::extract::State;
use axum::response::Response;
use kubeplex_proto::changes::{ChangesItem, ChangesRequest};
use kubeplex_proto::control::SyncState;
use kubeplex_proto::gather::{GatherEnd, GatherHead};
use kubeplex_proto::list::Cut;
use kubeplex_proto::status::{LegStatus, Source};

use super::Service;
use super::body::{Ask, Failure};
use super::deadline::Deadline;
use super::gathering::reply;
use super::opening::{NotRead, Nothing, Question};
use crate::history::question::{self, Answer};
use crate::limits::ANSWER_BYTES;
use crate::query::ScanBudget;

/// What is known of what the answer is made of.
struct Proof {
    status: LegStatus,
    message: Option<String>,
    source: Source,
    api_version: String,
    age_ms: u64,
}

pub(super) async fn changes(
    State(service): State<Service>,
    Ask(request): Ask<ChangesRequest>,
) -> Result<Response, Failure> {
    let proof = match service.proof(&request).await {
        Ok(proof) => proof,
        Err(NotRead::Nothing(nothing)) => return Ok(service.nothing(nothing)),
        Err(NotRead::Refused(error)) => return Err(error.into()),
    };
    let clock = service.0.api.clock();
    let now_ms = clock.cluster_now_ms();
    let question = question::Question {
        from_ms: request.since.at_ms(now_ms),
        to_ms: request.until.map_or(now_ms, |until| until.at_ms(now_ms)),
        now_ms,
        kind: request.kind,
        namespaces: request.namespaces,
        names: request.names,
        visibility: request.context.visibility,
        limit: request.limit as usize,
    };
    let (history, kinds) = (std::sync::Arc::clone(&service.0.history), service.0.kinds.clone());
    let scan = move |budget: &ScanBudget| question::answer(&history, &kinds, &question, budget);
    let deadline = Deadline::after_ms(request.context.deadline_ms);
    let answer = service.0.scans.run(deadline, scan).await?;
    let head = service.head(proof, answer.total);
    let (items, end) = within(answer, request.context.max_bytes.min(ANSWER_BYTES));
    Ok(reply(head, items, end))
}

impl Service {
    /// A kind that is asked for is opened; of all kinds together what is watched counts.
    async fn proof(&self, request: &ChangesRequest) -> Result<Proof, NotRead> {
        let Some(kind) = &request.kind else { return Ok(self.proof_of_all()) };
        let patterns = (request.namespaces.as_slice(), request.names.as_slice());
        let readable = self.open(&Question::new(kind, None, patterns, &request.context)).await?;
        Ok(Proof {
            status: readable.status,
            message: readable.message,
            source: readable.source,
            api_version: readable.info.api_version(),
            age_ms: readable.age_ms,
        })
    }

    /// A kind that is not current is a gap of the answer; it is as old as the oldest of the others.
    fn proof_of_all(&self) -> Proof {
        let statuses: Vec<_> = self.0.kinds.all_watched().iter().map(|handle| handle.status()).collect();
        let in_state = |state| statuses.iter().filter(move |status| status.state == state);
        let (state, status, message) = if in_state(SyncState::Synced).next().is_some() {
            (SyncState::Synced, LegStatus::Ok, None)
        } else if in_state(SyncState::Stale).next().is_some() {
            (SyncState::Stale, LegStatus::Stale, Some("none of its kinds is current".to_owned()))
        } else {
            let message = "the agent is still reading what the cluster has".to_owned();
            (SyncState::Syncing, LegStatus::Syncing, Some(message))
        };
        let proofs = in_state(state).filter_map(|status| status.as_of);
        let age_ms = proofs.map(|as_of| as_of.elapsed().as_millis() as u64).max().unwrap_or_default();
        Proof { status, message, source: Source::Cache, api_version: String::new(), age_ms }
    }

    fn head(&self, proof: Proof, total: u64) -> GatherHead {
        let clock = self.0.api.clock();
        GatherHead {
            status: proof.status,
            message: proof.message,
            source: proof.source,
            api_version: proof.api_version,
            total,
            age_ms: proof.age_ms,
            cluster_now_ms: clock.cluster_now_ms(),
            clock_offset_ms: clock.offset_ms(),
        }
    }

    fn nothing(&self, nothing: Nothing) -> Response {
        let proof = Proof {
            status: nothing.status,
            message: nothing.message,
            source: nothing.source,
            api_version: nothing.info.map(|info| info.api_version()).unwrap_or_default(),
            age_ms: 0,
        };
        reply::<ChangesItem>(self.head(proof, 0), Vec::new(), GatherEnd { cut: None })
    }
}

/// Gaps first, then as many changes as fit.
fn within(answer: Answer, max_bytes: u64) -> (Vec<ChangesItem>, GatherEnd) {
    let mut items: Vec<ChangesItem> = answer.gaps.into_iter().map(ChangesItem::Gap).collect();
    let mut bytes = 0;
    for change in answer.changes {
        bytes += kubeplex_proto::json_len::json_len(&change) as u64;
        if bytes > max_bytes {
            let cut = Cut {
                status: LegStatus::Ok,
                message: format!("its changes take more than {max_bytes} bytes"),
            };
            return (items, GatherEnd { cut: Some(cut) });
        }
        items.push(ChangesItem::Change(Box::new(change)));
    }
    (items, GatherEnd { cut: None })
}
