//! What was found out a moment ago, for others who want to know the same.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::OnceCell;
use tokio::time::Instant;

/// Findings by what they are about: each is kept for a while, and so many at most. Who asks while one is being found out
/// waits for it; a failure is nobody's but of the one who met it.
pub(crate) struct Recent<K, V> {
    kept: Duration,
    most: usize,
    findings: Mutex<HashMap<K, Arc<Finding<V>>>>,
}

/// Something that is known, or being found out.
pub(crate) struct Finding<V> {
    begun: Instant,
    value: OnceCell<V>,
}

impl<K: Hash + Eq + Clone, V> Recent<K, V> {
    pub(crate) fn new(kept: Duration, most: usize) -> Self {
        Self { kept, most, findings: Mutex::default() }
    }

    /// The finding that is recent enough, or an empty one to be filled. Where there are too many, the oldest goes.
    pub(crate) fn about(&self, key: &K) -> Arc<Finding<V>> {
        let mut findings = self.findings.lock();
        findings.retain(|_, finding| finding.begun.elapsed() < self.kept);
        if let Some(finding) = findings.get(key) {
            return Arc::clone(finding);
        }
        if findings.len() >= self.most
            && let Some(oldest) =
                findings.iter().min_by_key(|(_, finding)| finding.begun).map(|(key, _)| key.clone())
        {
            findings.remove(&oldest);
        }
        let finding = Arc::new(Finding { begun: Instant::now(), value: OnceCell::new() });
        findings.insert(key.clone(), Arc::clone(&finding));
        finding
    }
}

impl<V: Clone> Finding<V> {
    /// # Errors
    /// Those of `find_out`, after which the next caller has a try.
    pub(crate) async fn or_find_out<E>(&self, find_out: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        self.value.get_or_try_init(|| find_out).await.cloned()
    }

    pub(crate) fn age(&self) -> Duration {
        self.begun.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_finding_is_kept_for_a_while_and_the_oldest_makes_room() {
        let recent = Recent::new(Duration::from_secs(10), 2);
        let ask = async |key: &'static str, value: Result<u32, ()>| {
            recent.about(&key).or_find_out(async { value }).await
        };
        assert_eq!(ask("a", Err(())).await, Err(()));
        assert_eq!(ask("a", Ok(1)).await, Ok(1), "a failure is not kept");
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!((ask("a", Ok(2)).await, ask("b", Ok(3)).await), (Ok(1), Ok(3)));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!((ask("a", Ok(4)).await, ask("b", Ok(5)).await), (Ok(4), Ok(3)));
        assert_eq!(ask("c", Ok(6)).await, Ok(6));
        assert_eq!(recent.findings.lock().len(), 2);
        assert_eq!((ask("a", Ok(7)).await, ask("b", Ok(8)).await), (Ok(4), Ok(8)), "b was the oldest");
    }
}
