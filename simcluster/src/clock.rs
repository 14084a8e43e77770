//! The cluster's clock: wall time for timestamps and the `Date` header, driven by tokio's clock so that paused time moves it, with a skew
//! that tests set to make a cluster live in the past or the future.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A clock shared by everything in one simulated cluster. Clones tell the same time.
#[derive(Clone, Debug)]
pub struct SimClock {
    origin: Timestamp,
    started: Instant,
    skew_ms: Arc<AtomicI64>,
}

impl SimClock {
    /// Starts at the machine's own time.
    pub fn system() -> Self {
        Self::starting_at(Timestamp::now())
    }

    /// Starts at `origin` and advances with tokio's time, so a test with paused time is reproducible to the second.
    pub fn starting_at(origin: Timestamp) -> Self {
        Self { origin, started: Instant::now(), skew_ms: Arc::new(AtomicI64::new(0)) }
    }

    /// The time of this cluster, skew included.
    pub fn now(&self) -> Timestamp {
        let elapsed_ms = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        let skew_ms = self.skew_ms.load(Ordering::Relaxed);
        self.origin + SignedDuration::from_millis(elapsed_ms.saturating_add(skew_ms))
    }

    /// Moves the cluster's clock: positive is ahead of true time. Affects the `Date` header and every timestamp written from now on.
    pub fn set_skew(&self, skew: SignedDuration) {
        let skew_ms = i64::try_from(skew.as_millis()).unwrap_or(i64::MAX);
        self.skew_ms.store(skew_ms, Ordering::Relaxed);
    }
}

/// `2026-11-23T10:00:00Z`, as `metav1.Time` is written.
pub(crate) fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2026-11-23T10:00:00.123456Z`, as `metav1.MicroTime` is written.
pub(crate) fn micros(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// `Mon, 23 Nov 2026 10:00:00 GMT`, as the `Date` header is written.
pub(crate) fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn follows_paused_time_and_skew() {
        let clock = SimClock::starting_at("2026-11-23T10:00:00Z".parse().unwrap());
        tokio::time::advance(Duration::from_secs(90)).await;
        assert_eq!(seconds(clock.now()), "2026-11-23T10:01:30Z");
        clock.set_skew(SignedDuration::from_mins(-2));
        assert_eq!(http_date(clock.now()), "Mon, 23 Nov 2026 09:59:30 GMT");
        assert_eq!(micros(clock.now()), "2026-11-23T09:59:30.000000Z");
    }
}
