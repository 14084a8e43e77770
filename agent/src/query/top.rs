//! The first rows of an order, out of many, without sorting the many.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::rc::Rc;

use kubeplex_proto::sort::{Direction, KeyValue, RowKey};

/// Keeps the first `limit` keys that come after a given one.
pub(super) struct Top<'a> {
    limit: usize,
    after: Option<&'a RowKey>,
    directions: Rc<[Direction]>,
    kept: BinaryHeap<Ranked>,
    /// Keys that come after the given one, kept or not.
    matched: usize,
}

struct Ranked {
    key: RowKey,
    directions: Rc<[Direction]>,
}

impl<'a> Top<'a> {
    pub(super) fn new(limit: usize, after: Option<&'a RowKey>, directions: Vec<Direction>) -> Self {
        Self { limit, after, directions: directions.into(), kept: BinaryHeap::new(), matched: 0 }
    }

    /// Offers a row: its values first, the rest of its key only if that could matter.
    pub(super) fn offer(
        &mut self,
        values: Vec<KeyValue>,
        identity: impl FnOnce() -> (String, String, String),
    ) {
        let mut key = RowKey { values, namespace: String::new(), name: String::new(), uid: String::new() };
        // With nothing behind its values the key is the least that it can be.
        if self.kept.len() == self.limit
            && self.kept.peek().is_some_and(|last| self.compare(&key, &last.key).is_ge())
        {
            self.matched += 1;
            return;
        }
        (key.namespace, key.name, key.uid) = identity();
        if self.after.is_some_and(|after| self.compare(&key, after).is_le()) {
            return;
        }
        self.matched += 1;
        self.kept.push(Ranked { key, directions: Rc::clone(&self.directions) });
        if self.kept.len() > self.limit {
            self.kept.pop();
        }
    }

    /// The keys in order, and how many there would be without a limit.
    pub(super) fn finish(self) -> (Vec<RowKey>, usize) {
        let sorted = self.kept.into_sorted_vec();
        (sorted.into_iter().map(|ranked| ranked.key).collect(), self.matched)
    }

    fn compare(&self, a: &RowKey, b: &RowKey) -> Ordering {
        a.compare(b, &self.directions)
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.compare(&other.key, &self.directions)
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked {}
