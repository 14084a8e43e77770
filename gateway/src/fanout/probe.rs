//! The first question to a cluster after its breaker opened.
//!
//! It has the time that questions have, because a cluster that is slow is not a cluster that hangs. Its call does not wait
//! that long: it goes on without this cluster, as others do meanwhile, and the probe comes to its end by itself.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::breaker::{Outcome, Wait};
use super::lane::{Lane, Ticket};
use crate::limits::{PROBE_LONGEST, PROBE_PATIENCE};

/// Asks, and waits a moment for what comes of it; `None` when nothing did yet. Dropping the future within that moment cancels
/// the question, and the next leg may try.
pub(super) async fn probe<T: Send + 'static>(
    lane: &Arc<Lane>,
    ticket: Ticket,
    asking: impl Future<Output = T> + Send + 'static,
    until: Instant,
) -> Option<(T, Ticket)> {
    let (tell, told) = oneshot::channel();
    let given_up = CancellationToken::new();
    let asked = given_up.clone();
    let task = async move {
        let Some(Some(answered)) = asked.run_until_cancelled_owned(ask(ticket, asking, until)).await else {
            return;
        };
        // Where nobody waits any more, that it answered at all is what the breaker wants to know.
        if let Err((_, ticket)) = tell.send(answered) {
            Ticket::record(ticket, Outcome::Answered);
        }
    };
    lane.see_through(task.in_current_span());
    let given_up = given_up.drop_guard();
    let answered = timeout(PROBE_PATIENCE, told).await;
    drop(given_up.disarm());
    answered.ok()?.ok()
}

/// `None` when the time is over, which the breaker then knows.
async fn ask<T>(ticket: Ticket, asking: impl Future<Output = T>, until: Instant) -> Option<(T, Ticket)> {
    let began = Instant::now();
    match timeout_at(until.min(began + PROBE_LONGEST), asking).await {
        Ok(answer) => Some((answer, ticket)),
        Err(_) => {
            let waited = began.elapsed();
            ticket.record(Outcome::TimedOut(Wait { leg: waited, whole: waited }));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kubeplex_proto::ids::ClusterId;
    use tokio::time::sleep;

    use super::super::lane::NoEntry;
    use super::super::metrics::LegMetrics;
    use super::*;
    use crate::limits::BREAKER_OPEN;
    use crate::telemetry::Telemetry;

    /// What each leg has.
    const WHOLE: Duration = Duration::from_secs(8);

    fn until() -> Instant {
        Instant::now() + WHOLE
    }

    /// A lane whose breaker lets one leg through.
    async fn half_open() -> (Arc<Lane>, Ticket) {
        let lane = Lane::new(4, LegMetrics::new(&Telemetry::new(), &ClusterId::new("c").unwrap()));
        for _ in 0..3 {
            let ticket = lane.enter(until()).await.unwrap();
            sleep(WHOLE).await;
            ticket.record(Outcome::TimedOut(Wait { leg: WHOLE, whole: WHOLE }));
        }
        sleep(BREAKER_OPEN).await;
        let ticket = lane.enter(until()).await.unwrap();
        assert!(ticket.is_probe());
        (lane, ticket)
    }

    /// After how long legs are let through again, and whether the first of them is a probe.
    async fn let_through(lane: &Arc<Lane>) -> (Duration, bool) {
        let began = Instant::now();
        loop {
            match lane.enter(until()).await {
                Ok(ticket) => return (began.elapsed(), ticket.is_probe()),
                Err(NoEntry::Open(_)) => sleep(Duration::from_millis(100)).await,
                Err(NoEntry::Busy) => panic!("there is room for four"),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_a_cluster_that_still_hangs_and_late_answers_count() {
        for (answers_after, expected) in [
            // It is not asked again before twice the first pause is over.
            (Duration::MAX, (WHOLE + 2 * BREAKER_OPEN, true)),
            (Duration::from_secs(3), (Duration::from_secs(3), false)),
        ] {
            let (lane, ticket) = half_open().await;
            let began = Instant::now();
            let nothing = probe(&lane, ticket, sleep(answers_after), until()).await;
            assert!(nothing.is_none() && began.elapsed() < WHOLE / 4, "{:?}", began.elapsed());
            let (after, probe) = let_through(&lane).await;
            let off = (began.elapsed() - expected.0).as_millis();
            assert!(off < 200 && probe == expected.1, "{answers_after:?}: {after:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_in_time_is_the_calls() {
        let (lane, ticket) = half_open().await;
        let asking = async {
            sleep(Duration::from_millis(50)).await;
            "rows"
        };
        let (answer, mut ticket) = probe(&lane, ticket, asking, until()).await.expect("an answer");
        ticket.heard();
        assert_eq!((answer, lane.enter(until()).await.is_ok()), ("rows", true));
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_a_call_gives_up_its_probe() {
        let (lane, ticket) = half_open().await;
        let (alive, gone) = oneshot::channel::<()>();
        let asking = async move {
            let _alive = alive;
            std::future::pending::<()>().await;
        };
        let call = probe(&lane, ticket, asking, until());
        assert!(timeout(PROBE_PATIENCE / 5, call).await.is_err());
        assert!(gone.await.is_err(), "the question is cancelled");
        assert_eq!(let_through(&lane).await, (Duration::ZERO, true));
    }
}
