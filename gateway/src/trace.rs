//! What happened to one call: how long each stage took, how each leg ended, and how far it is right now.
//!
//! Written by the pipeline while the call runs; read by whoever reports progress, and at the end by a client that asked for
//! a trace.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kubeplex_proto::ids::{CallId, ClusterId};
use kubeplex_proto::status::LegStatus;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::time::Instant;

use crate::limits::{NEWS_CHARS, NEWS_LINES};

/// In a request's `_meta`, `true` under this key asks for a trace; in the answer's `_meta` it is there under the same.
pub const META_KEY: &str = "kubeplex/trace";

/// Stages of a call.
const STAGES: usize = 7;

/// The record of one call.
#[derive(Debug)]
pub struct Trace {
    call_id: CallId,
    started: Instant,
    stages: Mutex<Vec<StageTime>>,
    legs: Mutex<Vec<LegTrace>>,
    /// Legs of the call whose page was given again.
    page: OnceLock<Arc<[LegTrace]>>,
    /// What came since a client was last told, and how many before that.
    news: Mutex<(VecDeque<String>, usize)>,
    legs_expected: AtomicUsize,
    legs_over: AtomicUsize,
}

/// A stage of the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    Identify,
    Resolve,
    Authorize,
    Admit,
    Fanout,
    Merge,
    Render,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StageTime {
    pub stage: Stage,
    pub micros: u64,
}

/// How one leg went. Times are microseconds since the call began.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LegTrace {
    #[serde(serialize_with = "as_text")]
    pub cluster: ClusterId,
    pub status: LegStatus,
    /// When the request left; `None` where none was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_micros: Option<u64>,
    pub over_micros: u64,
    pub rows: usize,
    /// Set where its rows did not come from the cluster now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<KeptFrom>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What of an earlier call was given again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeptFrom {
    /// The whole page.
    Page,
    /// The cluster's answer.
    Answer,
    /// The same, after the cluster had said that it is still right.
    Unchanged,
}

/// A trace as clients get it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TraceReport {
    pub call_id: CallId,
    pub micros: u64,
    pub stages: Vec<StageTime>,
    pub legs: Vec<LegTrace>,
}

/// How many clusters have answered or failed, of those asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub over: usize,
    pub expected: usize,
}

impl Trace {
    pub fn begin(call_id: CallId) -> Self {
        Self {
            call_id,
            started: Instant::now(),
            stages: Mutex::new(Vec::with_capacity(STAGES)),
            legs: Mutex::default(),
            page: OnceLock::new(),
            news: Mutex::default(),
            legs_expected: AtomicUsize::new(0),
            legs_over: AtomicUsize::new(0),
        }
    }

    pub fn call_id(&self) -> &CallId {
        &self.call_id
    }

    pub fn started(&self) -> Instant {
        self.started
    }

    pub fn progress(&self) -> Progress {
        Progress {
            over: self.legs_over.load(Ordering::Relaxed),
            expected: self.legs_expected.load(Ordering::Relaxed),
        }
    }

    /// What came since this was last asked, a line each; the oldest of too many are only counted.
    pub fn take_news(&self) -> Vec<String> {
        let (lines, before) = std::mem::take(&mut *self.news.lock());
        let before = (before > 0).then(|| format!("({before} lines more)"));
        before.into_iter().chain(lines).collect()
    }

    /// Notes something to be told before the answer is there.
    pub(crate) fn tell(&self, line: String) {
        let mut news = self.news.lock();
        news.0.push_back(line.chars().take(NEWS_CHARS).collect());
        if news.0.len() > NEWS_LINES {
            news.0.pop_front();
            news.1 += 1;
        }
    }

    pub fn report(&self) -> TraceReport {
        let mut legs = self.legs();
        legs.extend(self.page.get().into_iter().flat_map(|legs| legs.iter().map(LegTrace::of_kept_page)));
        legs.sort_by(|a, b| a.cluster.cmp(&b.cluster));
        TraceReport {
            call_id: self.call_id.clone(),
            micros: micros(self.started.elapsed()),
            stages: self.stages.lock().clone(),
            legs,
        }
    }

    /// How the legs ended that are over.
    pub(crate) fn legs(&self) -> Vec<LegTrace> {
        self.legs.lock().clone()
    }

    /// Notes that a page was given again that these legs had brought.
    pub(crate) fn shown_again(&self, legs: Arc<[LegTrace]>) {
        self.page.get_or_init(|| legs);
    }

    /// Notes that `stage` took the time since `since`, and returns the time at which the next one begins.
    pub(crate) fn stage(&self, stage: Stage, since: Instant) -> Instant {
        let now = Instant::now();
        self.stages.lock().push(StageTime { stage, micros: micros(now - since) });
        now
    }

    pub(crate) fn expect_legs(&self, legs: usize) {
        self.legs_expected.store(legs, Ordering::Relaxed);
    }

    pub(crate) fn leg_over(&self, leg: LegTrace) {
        self.legs.lock().push(leg);
        self.legs_over.fetch_add(1, Ordering::Relaxed);
    }
}

impl LegTrace {
    /// A leg that was not needed, because what it brought once was kept.
    fn of_kept_page(&self) -> Self {
        Self { sent_micros: None, over_micros: 0, kept: Some(KeptFrom::Page), ..self.clone() }
    }
}

/// Microseconds, as many as fit.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn as_text<S: serde::Serializer>(cluster: &ClusterId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(cluster.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_news_are_told_once_and_the_others_counted() {
        let trace = Trace::begin(CallId("c".to_owned()));
        assert!(trace.take_news().is_empty());
        (0..NEWS_LINES + 2).for_each(|at| trace.tell(format!("line {at}")));
        let news = trace.take_news();
        assert_eq!(
            (news.len(), news[0].as_str(), news[1].as_str()),
            (NEWS_LINES + 1, "(2 lines more)", "line 2")
        );
        trace.tell("x".repeat(2 * NEWS_CHARS));
        assert_eq!(trace.take_news(), ["x".repeat(NEWS_CHARS)]);
    }
}
