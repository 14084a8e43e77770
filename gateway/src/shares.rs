//! How many of something each has at this moment, and no more than their share.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::Mutex;

/// Counts by key. Clones share them; who has none is not remembered.
#[derive(Debug)]
pub(crate) struct Shares<K: Hash + Eq + Clone>(Arc<Mutex<HashMap<K, usize>>>);

/// One of somebody's share, until it is dropped.
pub(crate) struct Share<K: Hash + Eq + Clone> {
    key: K,
    shares: Shares<K>,
}

impl<K: Hash + Eq + Clone> Shares<K> {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// One more of `key`, who may have `most`.
    pub(crate) fn take(&self, key: K, most: usize) -> Option<Share<K>> {
        let mut taken = self.0.lock();
        match taken.get_mut(&key) {
            Some(count) if *count >= most => return None,
            Some(count) => *count += 1,
            None if most == 0 => return None,
            None => drop(taken.insert(key.clone(), 1)),
        }
        drop(taken);
        Some(Share { key, shares: self.clone() })
    }

    /// How many all have together.
    pub(crate) fn total(&self) -> usize {
        self.0.lock().values().sum()
    }

    /// How many keys have anything.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.lock().len()
    }
}

impl<K: Hash + Eq + Clone> Clone for Shares<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Hash + Eq + Clone> Drop for Share<K> {
    fn drop(&mut self) {
        let mut taken = self.shares.0.lock();
        if let Some(count) = taken.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.key);
            }
        }
    }
}

impl<K: Hash + Eq + Clone + fmt::Debug> fmt::Debug for Share<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Share").field(&self.key).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_their_share_and_gives_it_back() {
        let shares = Shares::new();
        let first = shares.take("a", 2).unwrap();
        let _second = shares.take("a", 2).unwrap();
        assert!(shares.take("a", 2).is_none());
        let other = shares.take("b", 2).unwrap();
        drop((first, other));
        assert!(shares.take("a", 2).is_some());
        assert!(shares.take("c", 0).is_none());
        assert_eq!(shares.len(), 1, "who has nothing is not remembered");
    }
}
