//! How much the agent may ask of its API server: so many calls at once, so many a second. Watches are beside it.

use std::num::NonZeroU32;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::limits::Limits;

/// Admits calls; everybody who talks to one API server shares one.
pub struct ApiBudget {
    in_flight: Semaphore,
    rate: RateLimiter<NotKeyed, InMemoryState, RuntimeClock, NoOpMiddleware<std::time::Instant>>,
}

/// Tokio's clock, so that a test with paused time also pauses the rate.
#[derive(Debug, Clone, Default)]
struct RuntimeClock;

impl Clock for RuntimeClock {
    type Instant = std::time::Instant;

    fn now(&self) -> Self::Instant {
        tokio::time::Instant::now().into_std()
    }
}

impl ApiBudget {
    pub fn new(limits: &Limits) -> Self {
        let per_second = NonZeroU32::new(limits.calls_per_second).unwrap_or(NonZeroU32::MIN);
        Self {
            in_flight: Semaphore::new(limits.calls_in_flight.max(1)),
            rate: RateLimiter::direct_with_clock(Quota::per_second(per_second), RuntimeClock),
        }
    }

    /// Waits for a place and for the rate. The call is in flight until the permit is dropped.
    pub(super) async fn admit(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed, so there always is a permit.
        let permit = self.in_flight.acquire().await.ok();
        while let Err(not_before) = self.rate.check() {
            tokio::time::sleep(not_before.wait_time_from(RuntimeClock.now())).await;
        }
        permit
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::FutureExt;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_rate_holds_after_the_first_burst() {
        let budget = ApiBudget::new(&Limits { calls_per_second: 20, ..Limits::default() });
        let start = Instant::now();
        for _ in 0..60 {
            drop(budget.admit().await);
        }
        let elapsed = start.elapsed();
        assert!(
            (Duration::from_millis(1_950)..Duration::from_millis(2_200)).contains(&elapsed),
            "{elapsed:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_calls_at_once_than_places() {
        let budget = ApiBudget::new(&Limits { calls_in_flight: 2, ..Limits::default() });
        let first = budget.admit().await;
        let _second = budget.admit().await;
        assert!(budget.admit().now_or_never().is_none());
        drop(first);
        assert!(budget.admit().now_or_never().is_some());
    }
}
