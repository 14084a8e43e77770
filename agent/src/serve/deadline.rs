//! How long a call may take.

use std::time::Duration;

use tokio::time::Instant;

use crate::limits::LONGEST_CALL;

/// What is kept back of a deadline for the answer to travel, a tenth of it at most.
const MARGIN: Duration = Duration::from_millis(250);

/// When a call must be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Deadline(Instant);

impl Deadline {
    /// `remaining_ms` is what the caller has left. The answer should be there before that: "not yet" in time is worth more
    /// than a timeout.
    pub(super) fn after_ms(remaining_ms: u64) -> Self {
        let remaining = Duration::from_millis(remaining_ms).min(LONGEST_CALL);
        Self(Instant::now() + remaining.saturating_sub(MARGIN.min(remaining / 10)))
    }

    /// A little earlier, so that what was found out by then can still be told.
    pub(super) fn with_time_to_tell(self) -> Self {
        Self(self.0 - MARGIN.min(self.remaining() / 10))
    }

    pub(super) fn at(self) -> Instant {
        self.0
    }

    pub(super) fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// The same moment for code that does not run in the runtime.
    pub(super) fn std(self) -> std::time::Instant {
        std::time::Instant::now() + self.remaining()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_answer_has_time_to_travel() {
        for (remaining_ms, work_ms) in [(0, 0), (100, 90), (10_000, 9_750), (u64::MAX, 119_750)] {
            assert_eq!(Deadline::after_ms(remaining_ms).remaining().as_millis(), work_ms);
        }
    }
}
