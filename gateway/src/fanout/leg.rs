//! One cluster's part of a call: sent once, then read frame by frame, each step within the leg's deadline.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kubeplex_proto::status::{AgentError, AgentErrorCode, LegStatus};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};
use tracing::Span;

use super::Asked;
use super::breaker::Outcome;
use super::lane::{Lane, NoEntry, Ticket};
use crate::carrier::{CarrierError, Frames};
use crate::fleet::ClusterView;
use crate::limits::BREAKER_MIN_WAIT;
use crate::merge::LegFailure;
use crate::registry::Unreachable;
use crate::request::LegId;
use crate::trace::{LegTrace, micros};

/// A leg, before, while and after it is under way. Dropping it cancels what it has under way and closes its record.
pub(super) struct Leg<'a> {
    pub(super) id: LegId,
    pub(super) cluster: &'a Arc<ClusterView>,
    pub(super) span: Span,
    asked: Asked<'a>,
    lane: Arc<Lane>,
    open: Option<Open>,
    sent: Option<Instant>,
    status: Option<LegStatus>,
    message: Option<String>,
    rows: usize,
}

struct Open {
    frames: Frames,
    ticket: Ticket,
}

impl<'a> Leg<'a> {
    pub(super) fn new(asked: Asked<'a>, id: LegId, cluster: &'a Arc<ClusterView>) -> Self {
        Self {
            id,
            cluster,
            span: tracing::debug_span!("leg", cluster = %cluster.id),
            asked,
            lane: asked.fanout.lane(&cluster.id),
            open: None,
            sent: None,
            status: None,
            message: None,
            rows: 0,
        }
    }

    pub(super) fn is_sent(&self) -> bool {
        self.sent.is_some()
    }

    /// Whether its head is in.
    pub(super) fn has_head(&self) -> bool {
        self.status.is_some()
    }

    /// Sends the question, which is written at the last moment because it says how much time is left.
    pub(super) async fn send<T: Serialize>(
        &mut self,
        path: &'static str,
        question: impl FnOnce(&Asked<'a>, u64) -> T,
    ) -> Result<(), LegFailure> {
        let leg = self.asked.fanout.registry.leg(&self.cluster.id).map_err(unreachable_cluster)?;
        let ticket = self.lane.enter(self.patience()).await.map_err(no_entry)?;
        let now = Instant::now();
        let remaining = self.asked.deadline.saturating_duration_since(now);
        let body = serde_json::to_vec(&question(&self.asked, milliseconds(remaining)));
        let body = body
            .map_err(|error| failure(LegStatus::Error, format!("the request can't be written: {error}")))?;
        self.sent = Some(now);
        match timeout_at(self.asked.deadline, leg.carrier.call(path, Bytes::from(body))).await {
            Ok(Ok(frames)) => {
                self.open = Some(Open { frames, ticket });
                Ok(())
            }
            Ok(Err(error)) => {
                ticket.record(Outcome::Answered);
                Err(carrier_failure(error))
            }
            Err(_) => Err(self.timed_out(ticket)),
        }
    }

    /// The next frame; `None` when the answer is over, and after a failure.
    pub(super) async fn frame<F: DeserializeOwned>(&mut self) -> Result<Option<F>, LegFailure> {
        let Some(mut open) = self.open.take() else { return Ok(None) };
        match timeout_at(self.asked.deadline, open.frames.next::<F>()).await {
            Ok(Some(Ok(frame))) => {
                self.open = Some(open);
                Ok(Some(frame))
            }
            Ok(Some(Err(error))) => {
                open.ticket.record(Outcome::Answered);
                Err(carrier_failure(error))
            }
            Ok(None) => {
                open.ticket.record(Outcome::Answered);
                Ok(None)
            }
            Err(_) => Err(self.timed_out(open.ticket)),
        }
    }

    /// The answer is complete; the cluster did well.
    pub(super) fn complete(&mut self) {
        if let Some(open) = self.open.take() {
            open.ticket.record(Outcome::Answered);
        }
    }

    /// For the leg's record.
    pub(super) fn note_head(&mut self, status: LegStatus, message: Option<&String>) {
        self.status = Some(status);
        self.message = message.cloned();
    }

    /// For the leg's record.
    pub(super) fn note_rows(&mut self, rows: usize) {
        self.rows += rows;
    }

    /// For the leg's record, and logged: the answer will only say it to the client.
    pub(super) fn note_failure(&mut self, failure: &LegFailure) {
        self.open = None;
        self.status = Some(failure.status);
        self.message = Some(failure.message.clone());
        tracing::debug!(parent: &self.span, status = ?failure.status, "a leg failed: {}", failure.message);
    }

    /// How long to wait for a place: half of what is left, so that a leg that gets one can still do something with it.
    fn patience(&self) -> Instant {
        let now = Instant::now();
        now + self.asked.deadline.saturating_duration_since(now) / 2
    }

    fn timed_out(&self, ticket: Ticket) -> LegFailure {
        let waited = self.sent.map_or(Duration::ZERO, |sent| sent.elapsed());
        ticket.record(if waited >= BREAKER_MIN_WAIT { Outcome::TimedOut } else { Outcome::Abandoned });
        failure(LegStatus::Timeout, format!("no answer within {:.1} s", waited.as_secs_f64()))
    }
}

impl Drop for Leg<'_> {
    fn drop(&mut self) {
        let now = Instant::now();
        // A leg whose head is in did its part, even if nobody read it to its end.
        if self.has_head() {
            self.complete();
        }
        let status = self.status.unwrap_or(LegStatus::Error);
        self.lane.metrics().over(status, self.sent.map(|sent| (now - sent).as_secs_f64()));
        let started = self.asked.trace.started();
        self.asked.trace.leg_over(LegTrace {
            cluster: self.cluster.id.clone(),
            status,
            sent_micros: self.sent.map(|sent| micros(sent - started)),
            over_micros: micros(now - started),
            rows: self.rows,
            message: self.message.take(),
        });
    }
}

/// A failure that says no more than its status and what happened.
pub(super) fn failure(status: LegStatus, message: impl Into<String>) -> LegFailure {
    LegFailure {
        status,
        message: message.into(),
        since_ms: None,
        refusal: None,
        hint: None,
        retry_after_ms: None,
    }
}

/// What an agent sent is not what the protocol says.
pub(super) fn garbled(what: &str) -> LegFailure {
    failure(LegStatus::Error, format!("the agent's answer makes no sense: {what}"))
}

fn unreachable_cluster(unreachable: Unreachable) -> LegFailure {
    LegFailure { since_ms: Some(unreachable.since_ms), ..failure(unreachable.status, unreachable.message) }
}

fn no_entry(reason: NoEntry) -> LegFailure {
    match reason {
        NoEntry::Open(wait) => LegFailure {
            retry_after_ms: Some(milliseconds(wait)),
            ..failure(
                LegStatus::Timeout,
                format!(
                    "not asked, because its latest requests timed out; it is tried again in {:.0} s",
                    wait.as_secs_f64().ceil()
                ),
            )
        },
        NoEntry::Busy => failure(LegStatus::Error, "busy: as many requests as it may have are under way"),
    }
}

fn carrier_failure(error: CarrierError) -> LegFailure {
    match error {
        CarrierError::Refused(refusal) => refused(refusal),
        CarrierError::Broken(_) => failure(LegStatus::Disconnected, error.to_string()),
        CarrierError::Unexplained { .. } | CarrierError::Frame(_) | CarrierError::Panicked => {
            failure(LegStatus::Error, error.to_string())
        }
    }
}

fn refused(refusal: AgentError) -> LegFailure {
    let status = match refusal.code {
        AgentErrorCode::Forbidden => LegStatus::Forbidden,
        AgentErrorCode::Timeout => LegStatus::Timeout,
        AgentErrorCode::InvalidArgument
        | AgentErrorCode::TooLarge
        | AgentErrorCode::Unavailable
        | AgentErrorCode::Internal => LegStatus::Error,
    };
    LegFailure {
        refusal: Some(refusal.code),
        hint: refusal.hint,
        retry_after_ms: refusal.retry_after_ms,
        ..failure(status, refusal.message)
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
