//! Answers that are given again, as long as they are known to be the ones that would be given anew.
//!
//! Agents push the revision of each kind that changed. So whoever remembers at which revision an answer was given knows,
//! without asking, whether it still holds: while the cluster [vouches](crate::registry::Vouched) for that revision, over the
//! link that the answer came over. Two things are kept:
//!
//! - [`answers`]: what one cluster answered to one question, for all callers who may see the same. Of a hundred clusters
//!   only the one is asked again that changed, and it is told what is known already: it may say that nothing is new.
//! - [`pages`]: what one caller was answered, as it was rendered. It is given again while no cluster in it has changed and
//!   its ages read the same.
//!
//! Only what is complete and current is kept, and only from caches. Calls that ask the same at the same moment wait for the
//! first of them ([`flights`]), so that a change costs one request and not one for each caller.
//!
//! Keys are compared as a whole, and what a caller may see is part of them: nobody is shown what another one asked for.

pub(crate) mod answers;
mod flights;
mod key;
mod metrics;
pub(crate) mod pages;
pub(crate) mod seen;
mod weight;

use std::sync::Arc;

use moka::sync::Cache;

use crate::limits::{KEPT_FOR, Limits};
use key::Key;
use weight::Weighs;

/// The parts of what may be kept in all. A page takes less than the answers it is made of, but each caller has its own, and
/// callers who see the same share those.
pub(crate) fn bytes_of_answers(limits: &Limits) -> u64 {
    limits.result_cache_bytes / 2
}

pub(crate) fn bytes_of_pages(limits: &Limits) -> u64 {
    limits.result_cache_bytes - bytes_of_answers(limits)
}

/// What is kept under one kind of key, within so many bytes. Nothing, where that is 0.
struct Kept<V>(Option<Cache<Key, Arc<V>>>);

impl<V: Weighs + Send + Sync + 'static> Kept<V> {
    fn new(bytes: u64) -> Self {
        let weight =
            |key: &Key, value: &Arc<V>| u32::try_from(key.weight() + value.weight()).unwrap_or(u32::MAX);
        let cache = || Cache::builder().max_capacity(bytes).weigher(weight).time_to_live(KEPT_FOR).build();
        Self((bytes > 0).then(cache))
    }

    fn is_on(&self) -> bool {
        self.0.is_some()
    }

    fn get(&self, key: &Key) -> Option<Arc<V>> {
        self.0.as_ref()?.get(key)
    }

    fn insert(&self, key: Key, value: Arc<V>) {
        if let Some(cache) = &self.0 {
            cache.insert(key, value);
        }
    }
}

#[cfg(test)]
mod tests;
