//! Counting what happens, for tests that wait on it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// Longer than anything here takes on the slowest machine: it is only ever reached by a test that fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A number that many may change, and that can be waited for; clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct Counter(Arc<watch::Sender<usize>>);

/// Counts for as long as it lives.
#[derive(Debug)]
pub struct Counted(Counter);

impl Counter {
    /// The number now.
    pub fn get(&self) -> usize {
        *self.0.borrow()
    }

    pub fn add_one(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    /// One more, until what is returned is dropped.
    pub fn during(&self) -> Counted {
        self.add_one();
        Counted(self.clone())
    }

    /// Waits until the number is as wanted.
    ///
    /// # Panics
    /// When it never is.
    pub async fn until(&self, what: &str, wanted: impl Fn(usize) -> bool) {
        let mut count = self.0.subscribe();
        let seen = tokio::time::timeout(PATIENCE, count.wait_for(|count| wanted(*count))).await;
        assert!(matches!(seen, Ok(Ok(_))), "never: {what}; {} at the end", self.get());
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::Counter;

    #[tokio::test]
    async fn what_is_under_way_is_counted() {
        let counter = Counter::default();
        let (one, other) = (counter.during(), counter.clone().during());
        assert_eq!(counter.get(), 2);
        drop((one, other));
        counter.until("nothing is under way", |count| count == 0).await;
    }
}
