//! How much an agent may tell its gateway: one that floods it loses its link, and nobody else notices.
//!
//! The size of one frame is the link's to bound; here it is how many come, and how many bytes in all.

use std::num::NonZeroU32;

use crate::limits::{AGENT_FRAMES, AGENT_KIB};
use crate::rates::{Charge, Ledger};

/// The frames of one conversation, counted.
#[derive(Debug)]
pub(super) struct Inflow {
    ledger: Ledger<(), 2>,
    received: u64,
}

impl Inflow {
    pub(super) fn new() -> Self {
        Self { ledger: Ledger::new([AGENT_FRAMES, AGENT_KIB], 2), received: 0 }
    }

    /// Whether one more frame is bearable, with which `received` bytes have come in all.
    pub(super) fn bears(&mut self, received: u64) -> bool {
        let kib = received.saturating_sub(self.received) >> 10;
        self.received = received;
        let kib = u32::try_from(kib).unwrap_or(u32::MAX).saturating_add(1);
        let charge = |rate, amount| Charge { rate, key: (), amount };
        let kib = NonZeroU32::new(kib).unwrap_or(NonZeroU32::MIN);
        self.ledger.charge(&[charge(0, NonZeroU32::MIN), charge(1, kib)]).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kubeplex_link::limits::CONTROL_FRAME;

    use super::*;

    /// How many frames of so many bytes are borne, `apart` from each other, out of 10,000.
    async fn borne(bytes: u64, apart: Duration) -> u64 {
        let mut inflow = Inflow::new();
        for count in 1..=10_000 {
            if !inflow.bears(count * bytes) {
                return count - 1;
            }
            tokio::time::advance(apart).await;
        }
        10_000
    }

    #[tokio::test(start_paused = true)]
    async fn an_agent_may_tell_what_there_is_to_tell_and_no_more() {
        // As fast as an agent ever reports, with some kinds in each.
        assert_eq!(borne(10_000, Duration::from_millis(20)).await, 10_000);
        // All that a large cluster has to say for a start.
        assert_eq!(borne(CONTROL_FRAME as u64, Duration::ZERO).await, 3);
        assert_eq!(borne(100, Duration::ZERO).await, u64::from(AGENT_FRAMES.burst.get()));
        assert!(borne(CONTROL_FRAME as u64, Duration::from_millis(100)).await < 5);
    }
}
