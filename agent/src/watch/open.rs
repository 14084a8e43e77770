//! An open watch, and how long it has been quiet.

use std::time::Duration;

use bytes::Bytes;
use futures::future::{BoxFuture, OptionFuture};
use tokio::time::{Instant, sleep_until};

use super::timings::WatchTimings;
use crate::api::{ApiError, Page, Query, WatchLines};

/// What asks for a watch of a collection, but from where on.
pub(crate) fn watch_query(path: &str, timings: &WatchTimings) -> Query {
    let spread = timings.watch_longest.saturating_sub(timings.watch_shortest);
    let lasting = timings.watch_shortest + spread.mul_f64(rand::random());
    Query::of(path)
        .with("watch", "true")
        .with("allowWatchBookmarks", "true")
        .with("timeoutSeconds", &lasting.as_secs().max(1).to_string())
}

pub(super) struct OpenWatch {
    lines: WatchLines,
    pub(super) opened_at: Instant,
    quiet_since: Instant,
    /// How much quiet is borne.
    silence: Duration,
    /// When its quiet becomes remarkable, where it has said nothing of what it should.
    nudge_at: Option<Instant>,
    /// A list under way beside the watch.
    nudge: Option<Nudge>,
    /// What the last batch ended with, once the events before it are dealt with.
    pub(super) pending: Option<ApiError>,
}

type Nudge = BoxFuture<'static, Result<Page, ApiError>>;

/// What comes of reading on.
pub(super) enum Said {
    /// No line: the watch has ended.
    Lines(Result<Vec<Bytes>, ApiError>),
    Nudged(Result<Page, ApiError>),
    /// It is time for a nudge.
    NothingYet,
    /// It is not believed any more.
    NothingForLong,
}

impl OpenWatch {
    pub(super) fn new(lines: WatchLines, silence: Duration) -> Self {
        let now = Instant::now();
        Self { lines, opened_at: now, quiet_since: now, silence, nudge_at: None, nudge: None, pending: None }
    }

    /// What it began with is over: something should come before `silence` ends, and it gets a nudge before.
    pub(super) fn expect_a_word(&mut self, nudge: Duration, silence: Duration) {
        self.silence = silence;
        self.nudge_at = Some(self.quiet_since + nudge);
    }

    /// It said something, and that is taken in.
    pub(super) fn spoke(&mut self) {
        self.quiet_since = Instant::now();
        self.nudge_at = None;
        self.nudge = None;
    }

    pub(super) fn nudge_with(
        &mut self,
        nudge: impl Future<Output = Result<Page, ApiError>> + Send + 'static,
    ) {
        self.nudge = Some(Box::pin(nudge));
    }

    /// Nothing is lost where the future is dropped.
    pub(super) async fn next(&mut self, most: usize) -> Said {
        let silent_at = self.quiet_since + self.silence;
        let nudge_at = self.nudge_at.unwrap_or(silent_at);
        let said = tokio::select! {
            // What has arrived is never passed over for a deadline that ended meanwhile.
            biased;
            lines = self.lines.next_batch(most) => Said::Lines(lines),
            Some(nudged) = OptionFuture::from(self.nudge.as_mut()) => Said::Nudged(nudged),
            () = sleep_until(nudge_at), if self.nudge_at.is_some() => Said::NothingYet,
            () = sleep_until(silent_at) => Said::NothingForLong,
        };
        match said {
            Said::Nudged(_) => self.nudge = None,
            Said::NothingYet => self.nudge_at = None,
            Said::Lines(_) | Said::NothingForLong => {}
        }
        said
    }
}
