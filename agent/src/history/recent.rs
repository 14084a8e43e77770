//! States that were written down a moment ago: two stores of a kind may both be told of them, while one replaces the other.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};

use super::record::Record;

/// Kept at once.
const KEPT: usize = 4_096;

#[derive(Default)]
pub(super) struct Recent {
    hasher: RandomState,
    hashes: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Recent {
    /// Whether it is new. `version` is that of the state that the change led to; empty for a deletion.
    pub(super) fn is_new(&mut self, record: &Record, version: &str) -> bool {
        let version =
            if matches!(record.deed, kubeplex_proto::changes::Deed::Created) { "" } else { version };
        let key = (&record.group, &record.resource, &record.namespace, &record.name, &record.uid);
        let hash = self.hasher.hash_one((key, record.deed, version));
        if !self.hashes.insert(hash) {
            return false;
        }
        self.order.push_back(hash);
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.hashes.remove(&oldest);
        }
        true
    }
}
