//! How long to wait before connecting again: full jitter under a bound that doubles.

use std::time::Duration;

/// The bound of the first pause.
const FIRST: Duration = Duration::from_millis(500);

/// The pauses of one end that keeps connecting, for ever.
#[derive(Debug, Clone)]
pub struct Backoff {
    max: Duration,
    bound: Duration,
}

impl Backoff {
    /// Pauses of at most `max`.
    pub fn new(max: Duration) -> Self {
        Self { max, bound: FIRST.min(max) }
    }

    /// The next pause: anything from nothing to the bound, by `sample` from 0 to 1, but not before `retry_after`, over
    /// which those who were told the same are spread by up to a fifth.
    pub fn pause(&mut self, retry_after: Option<Duration>, sample: f64) -> Duration {
        let sample = sample.clamp(0.0, 1.0);
        let own = self.bound.mul_f64(sample);
        self.bound = (self.bound * 2).min(self.max);
        let asked = retry_after.map(|wait| wait.mul_f64(1.0 + 0.2 * sample));
        own.max(asked.unwrap_or_default())
    }

    /// Starts anew: the last link was stable.
    pub fn reset(&mut self) {
        self.bound = FIRST.min(self.max);
    }

    /// Goes straight to the longest pauses: what is wrong needs a person.
    pub fn slow_down(&mut self) {
        self.bound = self.max;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_bound_doubles_up_to_the_maximum_and_starts_anew() {
        let mut backoff = Backoff::new(secs(60));
        let pauses: Vec<u128> = (0..9).map(|_| backoff.pause(None, 1.0).as_millis()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
        assert_eq!(backoff.pause(None, 0.25), secs(15));
        backoff.reset();
        assert_eq!(backoff.pause(None, 1.0).as_millis(), 500);
        backoff.slow_down();
        assert_eq!(backoff.pause(None, 1.0), secs(60));
    }

    #[test]
    fn a_wait_that_was_asked_for_is_never_cut_short() {
        let mut backoff = Backoff::new(secs(60));
        assert_eq!(backoff.pause(Some(secs(120)), 0.0), secs(120));
        assert_eq!(backoff.pause(Some(secs(120)), 1.0), secs(144));
        assert_eq!(backoff.pause(Some(secs(1)), 0.0), secs(1));
    }
}
