//! Scans over a store.

use std::num::NonZero;
use std::sync::Arc;

use kubeplex_proto::status::{AgentError, AgentErrorCode};
use tokio::sync::Semaphore;
use tokio::time::timeout_at;
use tokio_util::sync::CancellationToken;

use super::bug::bug;
use super::deadline::Deadline;
use crate::limits::SCANS_A_PROCESSOR;
use crate::query::ScanBudget;
use crate::workers::Workers;

/// Runs scans, a bounded number at once: more would only slow each other down.
pub(super) struct Scans {
    workers: Workers,
    at_once: Arc<Semaphore>,
}

impl Scans {
    pub(super) fn new(workers: Workers) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self { workers, at_once: Arc::new(Semaphore::new(processors * SCANS_A_PROCESSOR)) }
    }

    /// Runs `scan`. Dropping the future cancels it when it next lets writers in.
    ///
    /// # Errors
    /// Those of `scan`; `Timeout` where no place was free before the deadline; `Internal` where it panicked.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        deadline: Deadline,
        scan: impl FnOnce(&ScanBudget) -> Result<T, AgentError> + Send + 'static,
    ) -> Result<T, AgentError> {
        let place = Arc::clone(&self.at_once).acquire_owned();
        let Ok(Ok(place)) = timeout_at(deadline.at(), place).await else {
            let message = "the agent was busy with other reads until the deadline";
            return Err(AgentError::new(AgentErrorCode::Timeout, message));
        };
        let cancelled = CancellationToken::new();
        let budget = ScanBudget::new(deadline.std(), cancelled.clone());
        let _cancel_on_drop = cancelled.drop_guard();
        let task = self.workers.run(move || {
            let _place = place;
            scan(&budget)
        });
        match task.await {
            Ok(result) => result,
            Err(failed) => match failed.try_into_panic() {
                Ok(panic) => Err(bug("scan", &*panic)),
                Err(_) => Err(AgentError::new(AgentErrorCode::Unavailable, "the agent is stopping")),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::query;
    use crate::serve::tests::{World, list_of};
    use crate::workers::WorkOn;

    fn scans(at_once: usize, tracker: &TaskTracker) -> Scans {
        let workers = Workers::new(WorkOn::ThreadsBeside, tracker.clone());
        Scans { workers, at_once: Arc::new(Semaphore::new(at_once)) }
    }

    #[tokio::test]
    async fn a_scan_that_panics_costs_its_call_alone() {
        let scans = scans(1, &TaskTracker::new());
        let failing = scans.run(Deadline::after_ms(10_000), |_| -> Result<(), _> { panic!("a bug") });
        assert_eq!(failing.await.unwrap_err().code, AgentErrorCode::Internal);
        assert_eq!(scans.run(Deadline::after_ms(10_000), |_| Ok(7)).await, Ok(7));
    }

    #[tokio::test]
    async fn dropping_a_call_ends_its_scan() {
        let world = World::start();
        let nodes = world.agent.kinds().open(&list_of("nodes").kind, None).await;
        let crate::kinds::Opened::Handle(nodes) = nodes else { panic!("nodes are not watched") };
        let tracker = TaskTracker::new();
        let scans = scans(1, &tracker);
        let (begun, wait) = mpsc::channel();
        let endless = scans.run(Deadline::after_ms(60_000), move |budget| {
            loop {
                query::list(&nodes.store, &list_of("nodes"), 0, budget)?;
                let _ = begun.send(());
            }
        });
        let endless: Result<Result<(), _>, _> =
            tokio::time::timeout(Duration::from_millis(100), endless).await;
        assert!(endless.is_err(), "nothing but its end could end it");
        wait.recv_timeout(Duration::from_secs(30)).unwrap();
        tracker.close();
        tokio::time::timeout(Duration::from_secs(30), tracker.wait()).await.unwrap();
    }

    #[tokio::test]
    async fn a_scan_waits_for_a_place_no_longer_than_its_deadline() {
        let scans = scans(1, &TaskTracker::new());
        let (finish, wait) = mpsc::channel::<()>();
        let long = scans.run(Deadline::after_ms(10_000), move |_| {
            let _ = wait.recv();
            Ok(())
        });
        let late = async {
            let refused = scans.run(Deadline::after_ms(20), |_| Ok(())).await;
            drop(finish);
            refused
        };
        let (long, late) = tokio::join!(long, late);
        assert_eq!(long, Ok(()));
        assert_eq!(late.unwrap_err().code, AgentErrorCode::Timeout);
    }
}
