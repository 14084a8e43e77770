//! Where the tasks of one link live: owned by a tracker, and cut together.

use std::future::Future;

use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// Spawns what hyper needs for one connection.
///
/// Hyper leaves an HTTP/2 connection running in a task of its own for as long as a stream is open. On a link whose other
/// end is gone without a word that would be for ever, so every task ends with the token too.
#[derive(Debug, Clone)]
pub struct LinkTasks {
    tracker: TaskTracker,
    cut: CancellationToken,
    /// Counts this link's among all tasks of the tracker.
    own: TaskTracker,
}

impl LinkTasks {
    /// Tasks owned by `tracker`, that end at once when `cut` is cancelled.
    pub fn new(tracker: TaskTracker, cut: CancellationToken) -> Self {
        Self { tracker, cut, own: TaskTracker::new() }
    }

    /// Ends every task of the link when the guard is dropped, streams in flight included, so that nothing of a connection
    /// outlives what runs it.
    pub fn cut_on_drop(&self) -> DropGuard {
        self.cut.clone().drop_guard()
    }

    /// Resolves when no task of the link is left: streams have ended, and with them the connection.
    pub async fn ended(&self) {
        self.own.close();
        self.own.wait().await;
    }

    /// Resolves when the link has been cut.
    pub async fn until_cut(&self) {
        self.cut.cancelled().await;
    }
}

impl<F> hyper::rt::Executor<F> for LinkTasks
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, task: F) {
        let (cut, counted) = (self.cut.clone(), self.own.token());
        drop(self.tracker.spawn(async move {
            let _counted = counted;
            cut.run_until_cancelled(task).await
        }));
    }
}
