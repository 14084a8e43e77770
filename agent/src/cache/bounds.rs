//! Kinds that grow without anybody's intent are kept up to a bound: the newest stay.

use super::row::RowRef;
use super::rows::Version;
use super::store::KindStore;

/// This part of the objects goes at once, so that not every new object searches for the oldest.
const EVICTED_AT_ONCE: usize = 20;

/// A row's places in the order and in the index, about.
const PLACES_OF_A_ROW: usize = 4 + 8;

impl KindStore {
    /// Evicts the oldest objects of a bounded kind that has outgrown its bound.
    pub(super) fn keep_bounds(&mut self, evicted: &mut dyn FnMut(RowRef<'_>)) {
        let Some(bound) = self.shape.bound() else { return };
        while !self.is_empty() && (self.len() > bound.objects || self.held_bytes() > bound.bytes) {
            self.evict(self.len().div_ceil(EVICTED_AT_ONCE), evicted);
        }
    }

    /// What the objects hold, wherever it is: rows, strings, names and bodies, and the dictionaries they need. Spare capacity
    /// is not among it, because evicting does not make it less; the next objects use it up.
    pub(super) fn held_bytes(&self) -> usize {
        let rows = self.len() * (self.rows.row_bytes() + PLACES_OF_A_ROW);
        rows + self.strings.live_bytes()
            + self.labels.live_bytes()
            + self.records.live_bytes()
            + self.codec.bytes()
    }

    /// Whether an object is older than what was evicted: it would be the next to go.
    pub(super) fn is_too_old(&self, version: &str) -> bool {
        self.evicted_up_to > 0 && version.parse().is_ok_and(|version: u64| version <= self.evicted_up_to)
    }

    /// A relist may bring older objects back where there is room for them again.
    pub(super) fn reopen(&mut self) {
        let has_room =
            |bound: super::Bound| self.len() < bound.objects / 2 && self.held_bytes() < bound.bytes / 2;
        if self.shape.bound().is_some_and(has_room) {
            self.evicted_up_to = 0;
        }
    }

    fn evict(&mut self, count: usize, evicted: &mut dyn FnMut(RowRef<'_>)) {
        let version = |id: u32| match self.rows.get(id).version {
            Version::Number(number) => number,
            Version::Text(_) => 0,
        };
        let mut by_age: Vec<(u64, u32)> = self.order.iter().map(|id| (version(id), id)).collect();
        let (older, last, _) = by_age.select_nth_unstable(count - 1);
        self.evicted_up_to = self.evicted_up_to.max(last.0);
        let gone: Vec<u32> = older.iter().chain([&*last]).map(|(_, id)| *id).collect();
        for id in gone {
            evicted(RowRef::new(self, id));
            self.remove(id);
            self.compact();
        }
    }
}
