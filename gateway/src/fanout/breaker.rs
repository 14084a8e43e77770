//! When to stop asking a cluster that does not answer: a state machine with the time passed in.
//!
//! Only time-outs count, and only those that are the cluster's doing. A cluster that refuses or fails does so quickly and
//! costs nobody their deadline; one that answers others is alive, however long the queue before it is.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::limits::{BREAKER_MIN_WAIT, BREAKER_OPEN, BREAKER_OPEN_MAX, BREAKER_TRIP, BREAKER_WINDOW};

/// One cluster's breaker.
#[derive(Debug)]
pub(super) struct Breaker {
    state: State,
    /// Legs that were let through and have not ended.
    under_way: usize,
    /// Since when the cluster owes answers and gave none; means nothing while no leg is under way.
    silent_since: Instant,
}

/// How a leg ended, as far as the breaker is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Any answer, refusals and errors included.
    Answered,
    TimedOut(Wait),
    /// Nobody waited for the end.
    Abandoned,
}

/// How long a cluster was waited for in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wait {
    /// By this leg, from when it was sent or last heard of.
    pub(super) leg: Duration,
    /// What the leg would have had if it had been sent as soon as it was due. The rest went into queues.
    pub(super) whole: Duration,
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
    pub(super) fn new(now: Instant) -> Self {
        Self { state: closed(), under_way: 0, silent_since: now }
    }

    /// Whether legs are refused, but for probes.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.state, State::Closed(_))
    }

    /// Asks before a leg is sent. After [`Verdict::Send`] and [`Verdict::Probe`], [`record`](Self::record) must follow.
    pub(super) fn ask(&mut self, now: Instant) -> Verdict {
        let verdict = match self.state {
            State::Closed(_) => Verdict::Send,
            State::Open { until, .. } if now < until => return Verdict::Refuse(until - now),
            State::Open { pause, .. } => {
                self.state = State::HalfOpen { pause };
                Verdict::Probe
            }
            State::HalfOpen { pause } => return Verdict::Refuse(pause),
        };
        if self.under_way == 0 {
            self.silent_since = now;
        }
        self.under_way += 1;
        verdict
    }

    /// Something came from the cluster, for whichever leg; for a probe it decides.
    pub(super) fn heard(&mut self, probe: bool, now: Instant) {
        self.silent_since = now;
        if probe && matches!(self.state, State::HalfOpen { .. }) {
            self.state = closed();
        }
    }

    /// A leg that was let through has ended; `probe` is what [`ask`](Self::ask) called it.
    pub(super) fn record(&mut self, probe: bool, outcome: Outcome, now: Instant) {
        self.under_way = self.under_way.saturating_sub(1);
        let timed_out = match outcome {
            Outcome::Answered => {
                self.heard(probe, now);
                Some(false)
            }
            Outcome::TimedOut(wait) => self.condemns(wait, now).then_some(true),
            Outcome::Abandoned => None,
        };
        match (&mut self.state, probe, timed_out) {
            (State::HalfOpen { pause }, true, Some(_)) => {
                let pause = (*pause * 2).min(BREAKER_OPEN_MAX);
                self.state = State::Open { until: now + pause, pause };
            }
            // The next leg may try at once.
            (State::HalfOpen { pause }, true, None) => {
                self.state = State::Open { until: now, pause: *pause };
            }
            (State::Closed(latest), _, Some(timed_out)) => {
                latest.push_back(timed_out);
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

    /// Whether a time-out is the cluster's doing. It is not where the caller was impatient, nor where the cluster answered
    /// somebody a moment ago, nor where the leg lost its time in a queue, unless the cluster has been silent to everybody
    /// for as long as that.
    fn condemns(&self, wait: Wait, now: Instant) -> bool {
        let silence = now.saturating_duration_since(self.silent_since);
        let most_of_it = wait.whole * 3 / 4;
        wait.leg.min(silence) >= BREAKER_MIN_WAIT && wait.leg.max(silence) >= most_of_it
    }
}

fn closed() -> State {
    State::Closed(VecDeque::with_capacity(BREAKER_WINDOW + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: Duration = Duration::ZERO;

    /// What each of these calls had.
    const WHOLE: Duration = Duration::from_secs(8);

    fn timed_out(leg_ms: u64) -> Outcome {
        Outcome::TimedOut(Wait { leg: Duration::from_millis(leg_ms), whole: WHOLE })
    }

    /// One leg after another, each of which took all of its time.
    fn after(outcomes: &[Outcome], start: Instant) -> (Breaker, Instant) {
        let (mut breaker, mut now) = (Breaker::new(start), start);
        for outcome in outcomes {
            breaker.ask(now);
            now += WHOLE;
            breaker.record(false, *outcome, now);
        }
        (breaker, now)
    }

    fn opened() -> (Breaker, Instant) {
        let (breaker, now) = after(&[timed_out(8_000); 3], Instant::now());
        assert!(breaker.is_open());
        (breaker, now)
    }

    #[test]
    fn three_time_outs_of_the_last_five_open_it() {
        use Outcome::{Abandoned, Answered as A};
        let t = timed_out(8_000);
        for (outcomes, opens) in [
            (vec![], false),
            (vec![t, t], false),
            (vec![t, t, t], true),
            (vec![t, A, t, A, t], true),
            (vec![t, t, A, A, A, t], false),
            (vec![t, Abandoned, t, Abandoned, Abandoned, Abandoned, Abandoned, t], true),
            (vec![timed_out(499); 9], false),
        ] {
            let (mut breaker, now) = after(&outcomes, Instant::now());
            let refused = matches!(breaker.ask(now), Verdict::Refuse(wait) if wait > NEVER);
            assert_eq!(refused, opens, "{outcomes:?}");
        }
    }

    /// Twenty legs under way at once, which time out together at the end of their calls; one of them was answered earlier.
    #[test]
    fn a_queue_is_not_the_clusters_doing_unless_it_is_silent_to_everybody() {
        for (sent_after_s, heard_after_s, opens) in [
            // At once, and nobody was answered.
            (0, None, true),
            // At once, and somebody was answered: but not lately.
            (0, Some(7), true),
            (0, Some(8), false),
            // After most of the time had gone by: the others' wait counts for them, too…
            (6, None, true),
            // …and so does the others' answer.
            (6, Some(5), false),
        ] {
            let start = Instant::now();
            let at = |seconds: u64| start + Duration::from_secs(seconds);
            let mut breaker = Breaker::new(start);
            breaker.ask(at(0));
            (0..20).for_each(|_| _ = breaker.ask(at(sent_after_s)));
            if let Some(heard) = heard_after_s {
                breaker.heard(false, at(heard));
            }
            (0..20).for_each(|_| breaker.record(false, timed_out(8_000 - sent_after_s * 1_000), at(8)));
            assert_eq!(breaker.is_open(), opens, "{sent_after_s} {heard_after_s:?}");
        }
    }

    #[test]
    fn a_cluster_that_was_asked_nothing_was_not_silent() {
        let start = Instant::now();
        let mut breaker = Breaker::new(start);
        let mut now = start + Duration::from_secs(3_600);
        for _ in 0..9 {
            breaker.ask(now);
            now += Duration::from_secs(2);
            breaker.record(false, timed_out(2_000), now);
        }
        assert!(!breaker.is_open(), "these legs spent most of their time elsewhere");
    }

    #[test]
    fn one_probe_decides_and_failures_double_the_pause() {
        let (mut breaker, start) = opened();
        assert_eq!(breaker.ask(start), Verdict::Refuse(BREAKER_OPEN));
        let mut now = start + BREAKER_OPEN;
        for pause in [2, 4, 8, 12, 12] {
            assert_eq!(breaker.ask(now), Verdict::Probe);
            assert!(matches!(breaker.ask(now), Verdict::Refuse(_)), "a second leg beside the probe");
            now += WHOLE;
            breaker.record(true, timed_out(8_000), now);
            assert_eq!(breaker.ask(now), Verdict::Refuse(BREAKER_OPEN * pause));
            now += BREAKER_OPEN * pause;
        }
        assert_eq!(breaker.ask(now), Verdict::Probe);
        breaker.record(true, Outcome::Answered, now);
        assert_eq!(breaker.ask(now), Verdict::Send);
    }

    #[test]
    fn an_abandoned_probe_lets_the_next_leg_try() {
        let (mut breaker, start) = opened();
        let now = start + BREAKER_OPEN;
        assert_eq!(breaker.ask(now), Verdict::Probe);
        breaker.record(true, Outcome::Abandoned, now);
        assert_eq!(breaker.ask(now), Verdict::Probe);
    }

    #[test]
    fn legs_from_before_do_not_close_it() {
        let (mut breaker, start) = opened();
        breaker.record(false, Outcome::Answered, start);
        assert!(matches!(breaker.ask(start), Verdict::Refuse(_)));
    }
}
