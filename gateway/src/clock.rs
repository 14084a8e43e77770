//! The gateway's time: that of the day, and one that ages are counted by; and durations as they are sent.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// When the steady clock was first read, by both clocks.
static FIRST: LazyLock<(Instant, i64)> = LazyLock::new(|| (Instant::now(), now_ms()));

/// A moment that ages are counted from: in milliseconds since 1970, counted on from the first one by a clock that never jumps.
/// The time of day may be set meanwhile, so only differences mean anything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Steady(i64);

/// The gateway's time by both of its clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    pub since_1970_ms: i64,
    pub steady: Steady,
}

impl Steady {
    pub fn now() -> Self {
        Self::at(Instant::now())
    }

    /// A moment that the steady clock was read at.
    pub fn at(now: Instant) -> Self {
        let (first, first_ms) = *FIRST;
        // Before the first only in tests, each of which has a clock of its own.
        let signed = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        let passed_ms = match now.checked_duration_since(first) {
            Some(passed) => signed(passed),
            None => -signed(first.duration_since(now)),
        };
        Self(first_ms.saturating_add(passed_ms))
    }

    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    pub const fn as_ms(self) -> i64 {
        self.0
    }

    /// How long before this one another moment was; 0 where it was not.
    pub fn since_ms(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or_default()
    }

    /// So long ago, as of this moment.
    #[must_use]
    pub const fn ago_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_sub_unsigned(ms))
    }

    /// So much later.
    #[must_use]
    pub const fn in_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add_unsigned(ms))
    }
}

impl Now {
    pub fn read() -> Self {
        Self { since_1970_ms: now_ms(), steady: Steady::now() }
    }
}

/// The time in milliseconds since 1970.
pub fn now_ms() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX)
}

/// Milliseconds, rounded up and at least one: whoever waits so long has waited long enough.
pub(crate) fn millis_up(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX).max(1)
}

/// Milliseconds, as many as fit.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
