//! The first rows of an order, out of many, without sorting the many.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::rc::Rc;

use kubeplex_proto::sort::{Direction, KeyValue, RowKey, compare_values};

use super::field::Candidate;

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

    /// Offers a row and its values. Only a row that is kept gets a key of its own: most are not.
    pub(super) fn offer(&mut self, values: &[KeyValue], row: Candidate<'_>) {
        if self.kept.len() == self.limit
            && self.kept.peek().is_some_and(|last| self.compare(values, row, &last.key).is_ge())
        {
            self.matched += 1;
            return;
        }
        if self.after.is_some_and(|after| self.compare(values, row, after).is_le()) {
            return;
        }
        self.matched += 1;
        let key = RowKey {
            values: values.to_vec(),
            namespace: row.namespace().to_owned(),
            name: row.row.name().to_owned(),
            uid: row.row.uid().into_owned(),
        };
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

    /// As [`RowKey::compare`], of a row whose key is not put together.
    fn compare(&self, values: &[KeyValue], row: Candidate<'_>, key: &RowKey) -> Ordering {
        compare_values(values, &key.values, &self.directions)
            .then_with(|| row.namespace().cmp(&key.namespace))
            .then_with(|| row.row.name().cmp(&key.name))
            .then_with(|| row.row.uid().as_ref().cmp(&key.uid))
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
