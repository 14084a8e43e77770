//! When to stop asking a cluster that does not answer: a state machine with the time passed in.
//!
//! Only time-outs count. A cluster that refuses or fails does so quickly and costs nobody their deadline.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::limits::{BREAKER_OPEN, BREAKER_OPEN_MAX, BREAKER_TRIP, BREAKER_WINDOW};

/// One cluster's breaker.
#[derive(Debug)]
pub(super) struct Breaker {
    state: State,
}

/// How a leg ended, as far as the breaker is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Any answer, refusals and errors included.
    Answered,
    TimedOut,
    /// Nobody waited for the end.
    Abandoned,
}

/// What may be done about a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Send,
    /// Send it, and the breaker's fate hangs on it: every other leg is refused until it ends.
    Probe,
    /// Don't; the next probe is due after this time.
    Refuse(Duration),
}

#[derive(Debug)]
enum State {
    /// The latest legs; `true` for one that timed out.
    Closed(VecDeque<bool>),
    /// Nothing is sent until then; `pause` was the way here and doubles if the probe fails.
    Open { until: Instant, pause: Duration },
    /// One probe is under way.
    HalfOpen { pause: Duration },
}

impl Breaker {
    pub(super) fn new() -> Self {
        Self { state: closed() }
    }

    /// Whether legs are refused, but for probes.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.state, State::Closed(_))
    }

    /// Asks before a leg is sent. After [`Verdict::Send`] and [`Verdict::Probe`], [`record`](Self::record) must follow.
    pub(super) fn ask(&mut self, now: Instant) -> Verdict {
        match self.state {
            State::Closed(_) => Verdict::Send,
            State::Open { until, .. } if now < until => Verdict::Refuse(until - now),
            State::Open { pause, .. } => {
                self.state = State::HalfOpen { pause };
                Verdict::Probe
            }
            State::HalfOpen { pause } => Verdict::Refuse(pause),
        }
    }

    /// A leg that was let through has ended; `probe` is what [`ask`](Self::ask) called it.
    pub(super) fn record(&mut self, probe: bool, outcome: Outcome, now: Instant) {
        match (&mut self.state, probe, outcome) {
            (State::HalfOpen { pause }, true, Outcome::TimedOut) => {
                let pause = (*pause * 2).min(BREAKER_OPEN_MAX);
                self.state = State::Open { until: now + pause, pause };
            }
            (State::HalfOpen { .. }, true, Outcome::Answered) => self.state = closed(),
            // The next leg may try at once.
            (State::HalfOpen { pause }, true, Outcome::Abandoned) => {
                self.state = State::Open { until: now, pause: *pause };
            }
            (State::Closed(latest), _, Outcome::Answered | Outcome::TimedOut) => {
                latest.push_back(outcome == Outcome::TimedOut);
                if latest.len() > BREAKER_WINDOW {
                    latest.pop_front();
                }
                if latest.iter().filter(|timed_out| **timed_out).count() >= BREAKER_TRIP {
                    self.state = State::Open { until: now + BREAKER_OPEN, pause: BREAKER_OPEN };
                }
            }
            // Legs that were under way when the breaker opened say nothing new.
            (State::Closed(_) | State::Open { .. } | State::HalfOpen { .. }, ..) => {}
        }
    }
}

fn closed() -> State {
    State::Closed(VecDeque::with_capacity(BREAKER_WINDOW + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: Duration = Duration::ZERO;

    fn after(outcomes: &[Outcome], now: Instant) -> Breaker {
        let mut breaker = Breaker::new();
        for outcome in outcomes {
            breaker.record(false, *outcome, now);
        }
        breaker
    }

    #[test]
    fn three_time_outs_of_the_last_five_open_it() {
        use Outcome::{Abandoned, Answered as A, TimedOut as T};
        let now = Instant::now();
        for (outcomes, opens) in [
            (vec![], false),
            (vec![T, T], false),
            (vec![T, T, T], true),
            (vec![T, A, T, A, T], true),
            (vec![T, T, A, A, A, T], false),
            (vec![T, Abandoned, T, Abandoned, Abandoned, Abandoned, Abandoned, T], true),
        ] {
            let refused = matches!(after(&outcomes, now).ask(now), Verdict::Refuse(wait) if wait > NEVER);
            assert_eq!(refused, opens, "{outcomes:?}");
        }
    }

    #[test]
    fn one_probe_decides_and_failures_double_the_pause() {
        let start = Instant::now();
        let mut breaker = after(&[Outcome::TimedOut; 3], start);
        assert_eq!(breaker.ask(start), Verdict::Refuse(BREAKER_OPEN));
        let mut now = start + BREAKER_OPEN;
        for pause in [2, 4, 8, 12, 12] {
            assert_eq!(breaker.ask(now), Verdict::Probe);
            assert!(matches!(breaker.ask(now), Verdict::Refuse(_)), "a second leg beside the probe");
            breaker.record(true, Outcome::TimedOut, now);
            assert_eq!(breaker.ask(now), Verdict::Refuse(BREAKER_OPEN * pause));
            now += BREAKER_OPEN * pause;
        }
        assert_eq!(breaker.ask(now), Verdict::Probe);
        breaker.record(true, Outcome::Answered, now);
        assert_eq!(breaker.ask(now), Verdict::Send);
    }

    #[test]
    fn an_abandoned_probe_lets_the_next_leg_try() {
        let start = Instant::now();
        let mut breaker = after(&[Outcome::TimedOut; 3], start);
        let now = start + BREAKER_OPEN;
        assert_eq!(breaker.ask(now), Verdict::Probe);
        breaker.record(true, Outcome::Abandoned, now);
        assert_eq!(breaker.ask(now), Verdict::Probe);
    }

    #[test]
    fn legs_from_before_do_not_close_it() {
        let start = Instant::now();
        let mut breaker = after(&[Outcome::TimedOut; 3], start);
        breaker.record(false, Outcome::Answered, start);
        assert!(matches!(breaker.ask(start), Verdict::Refuse(_)));
    }
}
