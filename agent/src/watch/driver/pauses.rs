//! What is done between two attempts.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Driver;
use crate::watch::step::Event;
use crate::watch::timings::spread;

impl Driver {
    pub(super) async fn wait(&mut self, pause: Duration) -> Event {
        // Others may list while this kind waits. A list of which some pages are there goes on after it.
        if let Some(list) = &mut self.list {
            list.permit = None;
        }
        self.open = None;
        sleep(spread(pause)).await;
        Event::Waited
    }

    /// Whoever is answered first spares the others the rest of their pauses. One request of many may fail on a server that
    /// answers the others: that its kind is not asked for all the time, a pause is cut short only now and then.
    pub(super) async fn wait_for_server(&mut self, pause: Duration) -> Event {
        let most = self.context.timings.retry_most;
        if self.reached_at.is_some_and(|at| at.elapsed() < most) {
            return self.wait(pause).await;
        }
        let reached = self.context.api.answers_again();
        let scout = self.context.api.serves_nobody().then(|| self.context.scout()).flatten();
        let pause = if scout.is_some() { pause.min(self.context.timings.scout) } else { pause };
        let event = tokio::select! {
            waited = self.wait(pause) => waited,
            () = reached => Event::Reached,
        };
        drop(scout);
        if event == Event::Reached {
            self.reached_at = Some(Instant::now());
            // All kinds hear of it at once.
            sleep(self.context.timings.retry_first.mul_f64(rand::random())).await;
        }
        event
    }
}
