//! The cluster's clock, as the `Date` header of its API server tells it.
//!
//! Ages are differences between the cluster's now and timestamps the cluster wrote, so an agent on a machine with a wrong
//! clock must not subtract its own time from theirs. A `Date` has whole seconds only: each one bounds the offset from
//! both sides, and the bounds of several answers together narrow it down to a fraction of that.

use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;

/// From here on an offset is worth telling a person about.
pub const NOTABLE_OFFSET_MS: i64 = 5_000;

/// How far the bounds of the offset drift apart per second since they were measured: common quartz is ten times better.
const DRIFT_MS_PER_S: f64 = 0.2;

/// Tells the cluster's time. Clones share what was measured.
#[derive(Clone)]
pub struct ClusterClock {
    local_ms: Arc<dyn Fn() -> i64 + Send + Sync>,
    bounds: Arc<Mutex<Option<Bounds>>>,
}

/// The cluster's clock less ours lies between these two.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bounds {
    low_ms: f64,
    high_ms: f64,
    /// By our clock.
    measured_at_ms: i64,
}

impl ClusterClock {
    /// Compares the cluster with this machine's wall clock.
    pub fn system() -> Self {
        Self::with_local_time(|| match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(_) => 0,
        })
    }

    /// Compares the cluster with another source of local time, in milliseconds since 1970.
    pub fn with_local_time(local_ms: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self { local_ms: Arc::new(local_ms), bounds: Arc::default() }
    }

    /// This machine's own time, in milliseconds since 1970.
    pub fn local_now_ms(&self) -> i64 {
        (self.local_ms)()
    }

    /// The cluster's clock less ours, in milliseconds; 0 until the API server has answered.
    pub fn offset_ms(&self) -> i64 {
        self.bounds.lock().map_or(0, |bounds| ((bounds.low_ms + bounds.high_ms) / 2.0).round() as i64)
    }

    /// What the cluster's own clock shows now, in milliseconds since 1970.
    pub fn cluster_now_ms(&self) -> i64 {
        self.local_now_ms().saturating_add(self.offset_ms())
    }

    /// Takes in one answer: its `Date` as milliseconds since 1970, and our times before the request and after the head of
    /// the reply. Returns the new offset where it is notable and the one before was not.
    pub fn observe(&self, date_ms: i64, sent_ms: i64, received_ms: i64) -> Option<i64> {
        let before_ms = self.offset_ms();
        {
            let mut bounds = self.bounds.lock();
            *bounds = Some(Bounds::of_answer(date_ms, sent_ms, received_ms).narrowed_by(*bounds));
        }
        let offset_ms = self.offset_ms();
        (offset_ms.abs() > NOTABLE_OFFSET_MS && before_ms.abs() <= NOTABLE_OFFSET_MS).then_some(offset_ms)
    }
}

impl Bounds {
    /// The server wrote its time, cut to the second, somewhere between sending and receiving.
    fn of_answer(date_ms: i64, sent_ms: i64, received_ms: i64) -> Self {
        let received_ms = received_ms.max(sent_ms);
        Self {
            low_ms: (date_ms - received_ms) as f64,
            high_ms: (date_ms + 1_000 - sent_ms) as f64,
            measured_at_ms: received_ms,
        }
    }

    /// Where both agree. Bounds that exclude each other mean that a clock was set: only the newer ones count then.
    fn narrowed_by(self, earlier: Option<Self>) -> Self {
        let Some(earlier) = earlier else { return self };
        let drift_ms =
            (self.measured_at_ms - earlier.measured_at_ms).max(0) as f64 / 1_000.0 * DRIFT_MS_PER_S;
        let low_ms = self.low_ms.max(earlier.low_ms - drift_ms);
        let high_ms = self.high_ms.min(earlier.high_ms + drift_ms);
        if low_ms <= high_ms { Self { low_ms, high_ms, ..self } } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUE_OFFSET_MS: i64 = 7_300;

    /// An answer at our time `at_ms` that took 40 ms, from a server whose clock is ahead.
    fn answer(clock: &ClusterClock, at_ms: i64, offset_ms: i64) -> Option<i64> {
        let written_ms = at_ms + 20 + offset_ms;
        clock.observe(written_ms - written_ms.rem_euclid(1_000), at_ms, at_ms + 40)
    }

    #[test]
    fn one_answer_is_right_to_half_a_second_and_several_to_a_few_hundredths() {
        let clock = ClusterClock::with_local_time(|| 1_000_000);
        assert_eq!(clock.offset_ms(), 0);
        answer(&clock, 1_000_100, TRUE_OFFSET_MS);
        assert!((clock.offset_ms() - TRUE_OFFSET_MS).abs() <= 520, "{}", clock.offset_ms());
        for i in 1..40 {
            answer(&clock, 1_000_100 + i * 1_370, TRUE_OFFSET_MS);
        }
        assert!((clock.offset_ms() - TRUE_OFFSET_MS).abs() <= 60, "{}", clock.offset_ms());
        assert_eq!(clock.cluster_now_ms(), 1_000_000 + clock.offset_ms());
    }

    #[test]
    fn a_clock_that_is_set_is_believed_at_once() {
        let clock = ClusterClock::with_local_time(|| 0);
        for i in 0..20 {
            answer(&clock, i * 1_111, 0);
        }
        answer(&clock, 30_000, -3_600_000);
        assert!((clock.offset_ms() + 3_600_000).abs() <= 520, "{}", clock.offset_ms());
    }

    #[test]
    fn a_notable_offset_is_told_once() {
        let clock = ClusterClock::with_local_time(|| 0);
        assert_eq!(answer(&clock, 0, 1_000), None);
        assert!(answer(&clock, 2_000, 60_000).is_some());
        assert_eq!(answer(&clock, 4_000, 60_000), None);
    }
}
