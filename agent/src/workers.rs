//! Where work runs that takes longer than a task may keep its thread: lists taken in, caches searched.

use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

/// Whose threads such work takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WorkOn {
    /// Some beside those that wait for the network, which goes on meanwhile.
    #[default]
    ThreadsBeside,
    /// The runtime's own, as a task among the others. On a runtime of one thread nothing then happens beside anything else:
    /// the order in which things become ready decides everything, which is what makes a simulation repeatable.
    Runtime,
}

/// Who does it, and owns it meanwhile.
#[derive(Debug, Clone)]
pub(crate) struct Workers {
    work_on: WorkOn,
    tracker: TaskTracker,
}

impl Workers {
    pub(crate) fn new(work_on: WorkOn, tracker: TaskTracker) -> Self {
        Self { work_on, tracker }
    }

    /// Begins at once, and goes on if the handle is dropped. A panic is the handle's.
    pub(crate) fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        match self.work_on {
            WorkOn::ThreadsBeside => self.tracker.spawn_blocking(work),
            WorkOn::Runtime => self.tracker.spawn(async move { work() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_done_where_it_should_be_and_a_panic_costs_it_alone() {
        let this_thread = std::thread::current().id();
        for (work_on, on_this_thread) in [(WorkOn::ThreadsBeside, false), (WorkOn::Runtime, true)] {
            let workers = Workers::new(work_on, TaskTracker::new());
            let thread = workers.run(|| std::thread::current().id()).await.unwrap();
            assert_eq!(thread == this_thread, on_this_thread, "{work_on:?}");
            assert!(workers.run(|| panic!("a bug")).await.unwrap_err().is_panic(), "{work_on:?}");
            workers.tracker.close();
            workers.tracker.wait().await;
        }
    }
}
