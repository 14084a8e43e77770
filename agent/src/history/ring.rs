//! The changes of late, in memory: as many as fit.

use std::collections::VecDeque;

use super::record::Record;

/// What is kept of an entry beside its JSON: its place in the queue, and what the allocator adds.
const ENTRY_OVERHEAD: usize = size_of::<Entry>() + 16;

/// A bounded queue: the newest push the oldest out.
pub(super) struct Ring {
    entries: VecDeque<Entry>,
    held: usize,
    most: usize,
    /// Up to when changes have been pushed out, by the cluster's clock in milliseconds since 1970.
    overrun_ms: Option<i64>,
    dropped: u64,
}

struct Entry {
    at_ms: i64,
    json: Box<[u8]>,
}

impl Ring {
    /// Holds so many bytes.
    pub(super) fn new(most: usize) -> Self {
        Self { entries: VecDeque::new(), held: 0, most, overrun_ms: None, dropped: 0 }
    }

    pub(super) fn push(&mut self, at_ms: i64, json: Vec<u8>) {
        let json = json.into_boxed_slice();
        self.held += json.len() + ENTRY_OVERHEAD;
        self.entries.push_back(Entry { at_ms, json });
        while self.held > self.most
            && let Some(oldest) = self.entries.pop_front()
        {
            self.held -= oldest.json.len() + ENTRY_OVERHEAD;
            self.overrun_ms = self.overrun_ms.max(Some(oldest.at_ms));
            self.dropped += 1;
        }
    }

    /// Up to when changes are missing that were here once.
    pub(super) fn overrun_ms(&self) -> Option<i64> {
        self.overrun_ms
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(super) fn held(&self) -> usize {
        self.held
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Those of a span of time, both ends included, in the order in which they came.
    pub(super) fn between(&self, from_ms: i64, to_ms: i64) -> Vec<Box<[u8]>> {
        let within = |entry: &&Entry| (from_ms..=to_ms).contains(&entry.at_ms);
        self.entries.iter().filter(within).map(|entry| entry.json.clone()).collect()
    }
}

/// What [`Record`] wrote. One that can't be read is one that this program did not write.
pub(super) fn read(json: &[u8]) -> Option<Record> {
    serde_json::from_slice(json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_make_room_and_up_to_when_is_known() {
        let mut ring = Ring::new(3 * (ENTRY_OVERHEAD + 10));
        for at in 0..3 {
            ring.push(at, vec![b'x'; 10]);
        }
        assert_eq!((ring.len(), ring.overrun_ms(), ring.between(0, 1).len()), (3, None, 2));
        // Late news of an earlier time stands where it came.
        ring.push(1, vec![b'x'; 10]);
        assert_eq!((ring.len(), ring.overrun_ms(), ring.dropped()), (3, Some(0), 1));
        assert_eq!(ring.between(1, 1).len(), 2);
        ring.push(9, vec![b'x'; 2 * ENTRY_OVERHEAD]);
        assert!(ring.held() <= 3 * (ENTRY_OVERHEAD + 10));
        assert_eq!(ring.overrun_ms(), Some(2));
    }
}
