//! The way to one cluster, shared by all calls: how many legs may be on it at once, and whether it is worth trying.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::breaker::{Breaker, Outcome, Verdict};
use super::metrics::LegMetrics;

/// A bulkhead and a breaker.
pub(super) struct Lane {
    places: Arc<Semaphore>,
    breaker: Mutex<Breaker>,
    /// At most one is under way; it may outlive the call that it is of.
    probes: Mutex<JoinSet<()>>,
    metrics: LegMetrics,
}

/// A leg's right to be sent. Dropped without a word it counts as abandoned.
pub(super) struct Ticket {
    lane: Arc<Lane>,
    probe: bool,
    recorded: bool,
    _place: OwnedSemaphorePermit,
}

/// Why a leg is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoEntry {
    /// The breaker is open; the next probe is due after this time.
    Open(Duration),
    /// All places stayed taken.
    Busy,
}

impl Lane {
    pub(super) fn new(places: usize, metrics: LegMetrics) -> Arc<Self> {
        Arc::new(Self {
            places: Arc::new(Semaphore::new(places)),
            breaker: Mutex::new(Breaker::new(Instant::now())),
            probes: Mutex::default(),
            metrics,
        })
    }

    pub(super) fn metrics(&self) -> &LegMetrics {
        &self.metrics
    }

    /// Sees to it that a probe comes to its end, whatever becomes of the call that it is of.
    pub(super) fn see_through(&self, probe: impl Future<Output = ()> + Send + 'static) {
        let mut probes = self.probes.lock();
        while probes.try_join_next().is_some() {}
        probes.spawn(probe);
    }

    /// Waits for a place until `give_up`.
    pub(super) async fn enter(self: &Arc<Self>, give_up: Instant) -> Result<Ticket, NoEntry> {
        let waiting = self.places.clone().acquire_owned();
        let place = match tokio::time::timeout_at(give_up, waiting).await {
            Ok(Ok(place)) => place,
            Ok(Err(_)) | Err(_) => return Err(NoEntry::Busy),
        };
        // Asked after the wait: legs that queued behind a hanging cluster learn here that it was given up meanwhile.
        match self.breaker.lock().ask(Instant::now()) {
            Verdict::Refuse(wait) => Err(NoEntry::Open(wait)),
            verdict => Ok(Ticket {
                lane: self.clone(),
                probe: verdict == Verdict::Probe,
                recorded: false,
                _place: place,
            }),
        }
    }
}

impl Ticket {
    /// Whether the breaker's fate hangs on this leg.
    pub(super) fn is_probe(&self) -> bool {
        self.probe
    }

    /// Something of the answer came. A probe has shown what it was sent for, however long the rest takes: other legs need
    /// not wait for that.
    pub(super) fn heard(&mut self) {
        let probe = std::mem::take(&mut self.probe);
        let mut breaker = self.lane.breaker.lock();
        breaker.heard(probe, Instant::now());
        if probe {
            self.lane.metrics.breaker(breaker.is_open());
        }
    }

    /// How the leg ended.
    pub(super) fn record(mut self, outcome: Outcome) {
        self.note(outcome);
    }

    fn note(&mut self, outcome: Outcome) {
        self.recorded = true;
        let mut breaker = self.lane.breaker.lock();
        breaker.record(self.probe, outcome, Instant::now());
        self.lane.metrics.breaker(breaker.is_open());
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.recorded {
            self.note(Outcome::Abandoned);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::breaker::Wait;
    use super::*;

    fn lane(places: usize) -> Arc<Lane> {
        let cluster = kubeplex_proto::ids::ClusterId::new("c").unwrap();
        Lane::new(places, LegMetrics::new(&crate::telemetry::Telemetry::new(), &cluster))
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(1)
    }

    const WHOLE: Duration = Duration::from_secs(1);

    /// After all of the time that it had.
    const TIMED_OUT: Outcome = Outcome::TimedOut(Wait { leg: WHOLE, whole: WHOLE });

    #[tokio::test(start_paused = true)]
    async fn a_full_lane_makes_legs_wait_and_then_says_busy() {
        let lane = lane(1);
        let first = lane.enter(soon()).await.unwrap();
        assert_eq!(lane.enter(soon()).await.err(), Some(NoEntry::Busy));
        let (second, ()) = tokio::join!(lane.enter(soon()), async { drop(first) });
        assert!(second.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn legs_that_queued_behind_a_hanging_cluster_are_refused_when_it_is_given_up() {
        let lane = lane(3);
        let mut hanging = Vec::new();
        for _ in 0..3 {
            hanging.push(lane.enter(soon()).await.unwrap());
        }
        let patience = Instant::now() + 2 * WHOLE;
        let (queued, ()) = tokio::join!(lane.enter(patience), async {
            tokio::time::sleep(WHOLE).await;
            for ticket in hanging {
                ticket.record(TIMED_OUT);
            }
        });
        // The first place came free after one time-out, before the breaker opened; whoever comes now is refused.
        drop(queued);
        assert!(matches!(lane.enter(soon()).await.err(), Some(NoEntry::Open(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_answers_lets_others_through_before_it_is_read_to_its_end() {
        let lane = lane(4);
        for _ in 0..3 {
            let ticket = lane.enter(soon()).await.unwrap();
            tokio::time::advance(WHOLE).await;
            ticket.record(TIMED_OUT);
        }
        tokio::time::advance(crate::limits::BREAKER_OPEN).await;
        let mut probe = lane.enter(soon()).await.unwrap();
        assert!(lane.enter(soon()).await.is_err(), "one probe at a time");
        probe.heard();
        assert!(lane.enter(soon()).await.is_ok());
        // What becomes of its rows counts as any leg's.
        tokio::time::advance(WHOLE).await;
        probe.record(TIMED_OUT);
        assert!(lane.enter(soon()).await.is_ok());
    }
}
