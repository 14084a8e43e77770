//! Every duration of the watch loop.

use std::time::Duration;

/// How long the watch loop waits for what. The defaults are what a production cluster wants; tests shorten them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchTimings {
    /// A watch is asked to last between these two, spread evenly so that the watches of an agent do not end together.
    pub watch_shortest: Duration,
    pub watch_longest: Duration,
    /// A watch without an event or a bookmark for this long is not believed any more; a server sends bookmarks once a minute.
    pub silence: Duration,
    /// A watch that has said nothing this long after it was opened is nudged, once. The server looks once a minute whether
    /// there is a bookmark to send, so this is shorter by what a list may take.
    pub nudge: Duration,
    /// The silence that is borne while the objects of a streamed first list are arriving.
    pub initial_silence: Duration,
    /// For the head of a watch's reply.
    pub open: Duration,
    /// Where the head is not here by then, a list of one object is asked for beside it, to hear why.
    pub explain: Duration,
    /// For one page of a list.
    pub page: Duration,
    /// The pause after a first failure; doubles up to the most.
    pub retry_first: Duration,
    pub retry_most: Duration,
    /// While the server serves nobody, the longest pause of one watch, whichever it is: how soon the others hear that it
    /// serves again.
    pub scout: Duration,
    /// The pause before a forbidden or absent kind is tried again.
    pub settled_retry: Duration,
    /// A watch that the server ends sooner than this counts as failed.
    pub watch_too_short: Duration,
}

impl Default for WatchTimings {
    fn default() -> Self {
        Self {
            watch_shortest: Duration::from_secs(200),
            watch_longest: Duration::from_secs(290),
            silence: Duration::from_secs(120),
            nudge: Duration::from_secs(45),
            initial_silence: Duration::from_secs(30),
            open: Duration::from_secs(30),
            explain: Duration::from_secs(5),
            page: Duration::from_secs(60),
            retry_first: Duration::from_millis(500),
            retry_most: Duration::from_secs(15),
            scout: Duration::from_secs(2),
            settled_retry: Duration::from_secs(60),
            watch_too_short: Duration::from_secs(1),
        }
    }
}

impl WatchTimings {
    /// The pause after so many failures in a row.
    pub(crate) fn backoff(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(16);
        self.retry_first.saturating_mul(1 << doublings).min(self.retry_most)
    }
}

/// A pause, or up to half as long again: what failed together is not tried again together.
pub(crate) fn spread(pause: Duration) -> Duration {
    pause.mul_f64(1.0 + rand::random::<f64>() / 2.0)
}
