//! One cluster's part of a call: a question is sent, and its answer read frame by frame, within the time that it was given.

use std::sync::Arc;
use std::time::Duration;

use kubeplex_proto::status::{AgentError, AgentErrorCode, LegStatus};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};
use tracing::Span;

use super::Asked;
use super::ask::ask;
use super::breaker::{Outcome, Wait};
use super::lane::{Lane, NoEntry, Ticket};
use super::probe::probe;
use crate::carrier::{CarrierError, Frames};
use crate::clock::millis;
use crate::fleet::ClusterView;
use crate::limits::{RETRY_AFTER, ROUND_SHARE};
use crate::merge::LegFailure;
use crate::registry::{self, Unreachable};
use crate::request::{LegContext, LegId};
use crate::results::answers::KeptAnswers;
use crate::trace::{KeptFrom, LegTrace, micros};

/// A leg, before, while and after it is under way. Dropping it cancels what it has under way and closes its record.
pub(super) struct Leg<'a> {
    pub(super) id: LegId,
    pub(super) cluster: &'a Arc<ClusterView>,
    pub(super) span: Span,
    asked: Asked<'a>,
    lane: Arc<Lane>,
    term: Term,
    open: Option<Open>,
    sent: Option<Instant>,
    /// When its latest answer was over.
    over: Option<Instant>,
    /// How long its agent was waited for since it was last heard of.
    waited: Duration,
    status: Option<LegStatus>,
    message: Option<String>,
    rows: usize,
    kept: Option<KeptFrom>,
}

/// The time for an answer, waiting for a place included.
struct Term {
    from: Instant,
    until: Instant,
}

struct Open {
    frames: Frames,
    ticket: Ticket,
    way: registry::Leg,
}

impl<'a> Leg<'a> {
    pub(super) fn new(asked: Asked<'a>, id: LegId, cluster: &'a Arc<ClusterView>) -> Self {
        Self {
            id,
            cluster,
            span: tracing::debug_span!("leg", cluster = %cluster.id),
            asked,
            lane: asked.fanout.lane(&cluster.id),
            term: Term { from: asked.trace.started(), until: asked.first_deadline },
            open: None,
            sent: None,
            over: None,
            waited: Duration::ZERO,
            status: None,
            message: None,
            rows: 0,
            kept: None,
        }
    }

    pub(super) fn is_sent(&self) -> bool {
        self.sent.is_some()
    }

    /// Whether its head is in.
    pub(super) fn has_head(&self) -> bool {
        self.status.is_some()
    }

    /// Gives the next answer a share of the time that is left: if it does not come, as much is left to the other legs.
    pub(super) fn allow_share(&mut self) {
        let from = Instant::now();
        let left = self.asked.deadline.saturating_duration_since(from);
        self.term = Term { from, until: from + left / ROUND_SHARE };
    }

    /// Gives the answer under way all the time that is left, where nobody is asked anything after it.
    pub(super) fn allow_rest(&mut self) {
        self.term.until = self.asked.deadline;
    }

    /// Sends a question, which is written at the last moment because it says how much time is left. A leg may be sent again
    /// when its answer is over.
    pub(super) async fn send<T: Serialize>(
        &mut self,
        path: &'static str,
        question: impl FnOnce(u64) -> T,
    ) -> Result<(), LegFailure> {
        let leg = self.asked.fanout.registry.leg(&self.cluster.id).map_err(unreachable_cluster)?;
        let ticket = self.lane.enter(self.patience()).await.map_err(no_entry)?;
        let now = Instant::now();
        let remaining = self.term.until.saturating_duration_since(now);
        let body = serde_json::to_vec(&question(millis(remaining)));
        let body = body.map_err(|error| {
            LegFailure::new(LegStatus::Error, format!("the request can't be written: {error}"))
        })?;
        self.sent.get_or_insert(now);
        self.waited = Duration::ZERO;
        let (reply, ticket) = if ticket.is_probe() {
            let registry = self.asked.fanout.registry.clone();
            let asking = async move { ask(&registry, leg, path, body.into()).await };
            probe(&self.lane, ticket, asking, self.term.until).await.ok_or_else(not_waited_for)?
        } else {
            let asking = ask(&self.asked.fanout.registry, leg, path, body.into());
            let reply = timeout_at(self.term.until, asking).await;
            self.waited += now.elapsed();
            match reply {
                Ok(reply) => (reply, ticket),
                Err(_) => return Err(self.timed_out(ticket)),
            }
        };
        match reply {
            Ok((frames, way)) => {
                self.open = Some(Open { frames, ticket, way });
                Ok(())
            }
            Err(error) => {
                ticket.record(Outcome::Answered);
                Err(carrier_failure(error))
            }
        }
    }

    /// The next frame; `None` when the answer is over, and after a failure.
    pub(super) async fn frame<F: DeserializeOwned>(&mut self) -> Result<Option<F>, LegFailure> {
        let Some(mut open) = self.open.take() else { return Ok(None) };
        let began = Instant::now();
        let frame = timeout_at(self.term.until, open.frames.next::<F>()).await;
        self.waited += began.elapsed();
        match frame {
            Ok(Some(Ok(frame))) => {
                open.ticket.heard();
                self.waited = Duration::ZERO;
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

    /// What every question says, but for the time that is left.
    pub(super) fn context(&self) -> LegContext {
        self.asked.leg_context(0)
    }

    pub(super) fn answers(&self) -> &'a KeptAnswers {
        &self.asked.fanout.answers
    }

    /// The way that the answer under way comes.
    pub(super) fn way(&self) -> Option<&registry::Leg> {
        self.open.as_ref().map(|open| &open.way)
    }

    /// Bytes of the answer so far.
    pub(super) fn received(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.frames.received())
    }

    /// The answer is complete; the cluster did well, and its place is free for others.
    pub(super) fn complete(&mut self) {
        if let Some(open) = self.open.take() {
            open.ticket.record(Outcome::Answered);
            self.over = Some(Instant::now());
        }
    }

    /// For the leg's record.
    pub(super) fn note_head(&mut self, status: LegStatus, message: Option<&String>) {
        self.status = Some(status);
        self.message = message.cloned();
    }

    /// For the leg's record: where its latest answer was kept.
    pub(super) fn note_kept(&mut self, kept: Option<KeptFrom>) {
        self.kept = kept;
        if kept.is_some() {
            self.over = Some(Instant::now());
        }
    }

    /// For the leg's record.
    pub(super) fn note_rows(&mut self, rows: usize) {
        self.rows += rows;
    }

    /// For the leg's record, and logged: the answer will only say it to the client.
    pub(super) fn note_failure(&mut self, failure: &LegFailure) {
        (self.open, self.over) = (None, None);
        self.status = Some(failure.status);
        self.message = Some(failure.message.clone());
        tracing::debug!(parent: &self.span, status = ?failure.status, "a leg failed: {}", failure.message);
    }

    /// How long to wait for a place: half of what is left, so that a leg that gets one can still do something with it.
    fn patience(&self) -> Instant {
        let now = Instant::now();
        now + self.term.until.saturating_duration_since(now) / 2
    }

    fn timed_out(&self, ticket: Ticket) -> LegFailure {
        let whole = self.term.until.saturating_duration_since(self.term.from);
        ticket.record(Outcome::TimedOut(Wait { leg: self.waited, whole }));
        let waited = self.waited.as_secs_f64();
        let message = if self.has_head() {
            format!("its answer began and did not go on within {waited:.1} s")
        } else {
            format!("no answer within {waited:.1} s")
        };
        LegFailure::new(LegStatus::Timeout, message)
    }
}

impl Drop for Leg<'_> {
    fn drop(&mut self) {
        let now = Instant::now();
        // A leg whose head is in did its part, even if nobody read it to its end.
        if self.has_head() {
            self.complete();
        }
        // One that came to nothing because its call was given up says nothing about its cluster.
        let Some(status) = self.status else { return };
        let over = self.over.unwrap_or(now);
        self.lane.metrics().over(status, self.sent.map(|sent| (over - sent).as_secs_f64()));
        let started = self.asked.trace.started();
        self.asked.trace.leg_over(LegTrace {
            cluster: self.cluster.id.clone(),
            status,
            sent_micros: self.sent.map(|sent| micros(sent - started)),
            over_micros: micros(over - started),
            rows: self.rows,
            kept: self.kept,
            message: self.message.take(),
        });
    }
}

/// What an agent sent is not what the protocol says.
pub(super) fn garbled(what: &str) -> LegFailure {
    LegFailure::new(LegStatus::Error, format!("the agent's answer makes no sense: {what}"))
}

fn unreachable_cluster(unreachable: Unreachable) -> LegFailure {
    LegFailure {
        since_ms: Some(unreachable.since_ms),
        ..LegFailure::new(unreachable.status, unreachable.message)
    }
}

fn no_entry(reason: NoEntry) -> LegFailure {
    match reason {
        NoEntry::Open(wait) => LegFailure {
            retry_after_ms: Some(millis(wait)),
            ..LegFailure::new(
                LegStatus::Timeout,
                format!(
                    "not asked, because its latest requests timed out; it is tried again in {:.0} s",
                    wait.as_secs_f64().ceil()
                ),
            )
        },
        NoEntry::Busy => LegFailure {
            retry_after_ms: Some(millis(RETRY_AFTER)),
            ..LegFailure::new(LegStatus::Error, "busy: as many requests as it may have are under way")
        },
    }
}

fn not_waited_for() -> LegFailure {
    LegFailure {
        retry_after_ms: Some(millis(RETRY_AFTER)),
        ..LegFailure::new(
            LegStatus::Timeout,
            "not waited for, because its latest requests timed out; it is being asked whether it is back",
        )
    }
}

fn carrier_failure(error: CarrierError) -> LegFailure {
    match error {
        CarrierError::Refused(refusal) => refused(refusal),
        CarrierError::Unsent(_) | CarrierError::Broken(_) => {
            LegFailure::new(LegStatus::Disconnected, error.to_string())
        }
        CarrierError::Unexplained { .. } | CarrierError::Frame(_) | CarrierError::Panicked => {
            LegFailure::new(LegStatus::Error, error.to_string())
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
        ..LegFailure::new(status, refusal.message)
    }
}
