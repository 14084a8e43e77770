//! Records of varying length, packed into segments.
//!
//! Objects are rewritten all the time, in sizes that differ a little; an allocation for each would cost a header and
//! leave holes that no later object fits. Here a record is appended to the last segment, a dead one is only counted, and
//! the emptiest segment is emptied into the last one when too much is dead. So the waste has a bound, and it does not
//! depend on the allocator.

/// Where a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordAt {
    segment: u32,
    offset: u32,
}

impl RecordAt {
    pub(super) const NOWHERE: Self = Self { segment: u32::MAX, offset: u32::MAX };
}

/// Records, each owned by a row.
#[derive(Default)]
pub(super) struct Records {
    /// A segment without capacity is a free place.
    segments: Vec<Segment>,
    /// Where records are appended.
    tail: Option<u32>,
    live_bytes: usize,
    dead_bytes: usize,
    capacity: usize,
}

#[derive(Default)]
struct Segment {
    bytes: Vec<u8>,
    dead: usize,
}

const SMALLEST_SEGMENT: usize = 4 << 10;
const LARGEST_SEGMENT: usize = 256 << 10;

/// The owning row and the length of what follows, four bytes each.
const HEADER: usize = 8;

/// Dead bytes that are left alone in a store however small.
const DEAD_FLOOR: usize = 8 << 10;

/// One dead byte is borne for so many live ones: less waste against more copying, about this many bytes for each dead one.
const LIVE_PER_DEAD: usize = 16;

impl Records {
    /// Stores `parts`, one after the other, as a record of `row`.
    pub(super) fn put(&mut self, row: u32, parts: &[&[u8]]) -> RecordAt {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let index = self.segment_with_room(HEADER + length);
        let bytes = &mut self.segments[index as usize].bytes;
        let at = RecordAt { segment: index, offset: bytes.len() as u32 };
        bytes.extend_from_slice(&row.to_le_bytes());
        bytes.extend_from_slice(&(length as u32).to_le_bytes());
        parts.iter().for_each(|part| bytes.extend_from_slice(part));
        self.live_bytes += HEADER + length;
        at
    }

    pub(super) fn get(&self, at: RecordAt) -> &[u8] {
        let bytes = &self.segments[at.segment as usize].bytes;
        let (_, length) = header(bytes, at.offset as usize);
        let start = at.offset as usize + HEADER;
        &bytes[start..start + length]
    }

    /// The first and the last byte of the first `length` of a record, its header included: reading them brings what is
    /// between into the processor's cache.
    pub(super) fn ends(&self, at: RecordAt, length: usize) -> (u8, u8) {
        let record = &self.segments[at.segment as usize].bytes[at.offset as usize..];
        (record[0], record[HEADER + length - 1])
    }

    /// Counts a record as dead.
    pub(super) fn free(&mut self, at: RecordAt) {
        let size = HEADER + self.get(at).len();
        let segment = &mut self.segments[at.segment as usize];
        segment.dead += size;
        self.live_bytes -= size;
        self.dead_bytes += size;
        if segment.dead == segment.bytes.len() && self.tail != Some(at.segment) {
            self.drop_segment(at.segment);
        }
    }

    pub(super) fn wants_compaction(&self) -> bool {
        self.dead_bytes > self.live_bytes / LIVE_PER_DEAD + DEAD_FLOOR
    }

    /// Empties the segment with the most dead bytes. `place` gives the place that one of the `owners` holds for its record:
    /// a record is alive if it stands there, and what stands there is changed when it moves.
    pub(super) fn compact<T: ?Sized>(
        &mut self,
        owners: &mut T,
        place: impl for<'a> Fn(&'a mut T, u32) -> Option<&'a mut RecordAt>,
    ) {
        let Some(victim) = (0..self.segments.len()).max_by_key(|at| self.segments[*at].dead) else { return };
        if self.tail == Some(victim as u32) {
            self.tail = None;
        }
        let segment = std::mem::take(&mut self.segments[victim]);
        self.capacity -= segment.bytes.capacity();
        self.dead_bytes -= segment.dead;
        let mut offset = 0;
        while offset < segment.bytes.len() {
            let (row, length) = header(&segment.bytes, offset);
            let here = RecordAt { segment: victim as u32, offset: offset as u32 };
            if let Some(current) = place(owners, row).filter(|current| **current == here) {
                self.live_bytes -= HEADER + length;
                *current = self.put(row, &[&segment.bytes[offset + HEADER..offset + HEADER + length]]);
            }
            offset += HEADER + length;
        }
    }

    /// Says that a record belongs to another row from now on.
    pub(super) fn set_row(&mut self, at: RecordAt, row: u32) {
        let offset = at.offset as usize;
        self.segments[at.segment as usize].bytes[offset..offset + 4].copy_from_slice(&row.to_le_bytes());
    }

    /// Bytes of records in use, headers included.
    pub(super) fn live_bytes(&self) -> usize {
        self.live_bytes
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.capacity + self.segments.capacity() * size_of::<Segment>()
    }

    fn segment_with_room(&mut self, size: usize) -> u32 {
        let has_room = |segment: &Segment| segment.bytes.capacity() - segment.bytes.len() >= size;
        if let Some(tail) = self.tail.filter(|tail| has_room(&self.segments[*tail as usize])) {
            return tail;
        }
        // Segments grow with the store, so that a kind of five objects does not hold a large one.
        let usual = (self.live_bytes / 4).next_power_of_two().clamp(SMALLEST_SEGMENT, LARGEST_SEGMENT);
        // A large record has a segment of its own, so that it neither wastes the rest of the tail nor of a new one.
        if size > SMALLEST_SEGMENT.max(usual / LIVE_PER_DEAD) {
            return self.add_segment(size);
        }
        let index = self.add_segment(usual.max(size));
        let sealed = self.tail.replace(index);
        sealed.into_iter().for_each(|tail| self.drop_if_dead(tail));
        index
    }

    fn add_segment(&mut self, capacity: usize) -> u32 {
        let segment = Segment { bytes: Vec::with_capacity(capacity), dead: 0 };
        self.capacity += segment.bytes.capacity();
        if let Some(free) = self.segments.iter().position(|segment| segment.bytes.capacity() == 0) {
            self.segments[free] = segment;
            return free as u32;
        }
        self.segments.push(segment);
        (self.segments.len() - 1) as u32
    }

    fn drop_if_dead(&mut self, index: u32) {
        let segment = &self.segments[index as usize];
        if segment.dead == segment.bytes.len() {
            self.drop_segment(index);
        }
    }

    fn drop_segment(&mut self, index: u32) {
        let segment = std::mem::take(&mut self.segments[index as usize]);
        self.capacity -= segment.bytes.capacity();
        self.dead_bytes -= segment.dead;
    }
}

/// The owner and the length of the record at `offset`.
fn header(bytes: &[u8], offset: usize) -> (u32, usize) {
    let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    (word(offset), word(offset + 4) as usize)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_record_larger_than_a_segment_has_its_own() {
        let mut records = Records::default();
        let small = records.put(0, &[b"small"]);
        let large = records.put(1, &[&vec![7; 2 * LARGEST_SEGMENT]]);
        let next = records.put(2, &[b"ne", b"xt"]);
        assert_eq!((records.get(small), records.get(next)), (&b"small"[..], &b"next"[..]));
        assert_eq!(small.segment, next.segment);
        records.free(large);
        assert!(records.bytes() < LARGEST_SEGMENT);
    }

    fn place(places: &mut [RecordAt], row: u32) -> Option<&mut RecordAt> {
        places.get_mut(row as usize)
    }

    proptest! {
        /// Rewriting and removing at random: every live record keeps its bytes, and the waste keeps its bound.
        #[test]
        fn records_survive_compaction(steps in prop::collection::vec((0..40_u32, 0..9_000_usize), 1..400)) {
            let mut records = Records::default();
            let mut places = [RecordAt::NOWHERE; 40];
            let mut model: Vec<Option<Vec<u8>>> = vec![None; 40];
            for (step, (row, length)) in steps.into_iter().enumerate() {
                let at = row as usize;
                if model[at].take().is_some() {
                    records.free(places[at]);
                    places[at] = RecordAt::NOWHERE;
                }
                if length % 7 != 0 {
                    let bytes = vec![step as u8; length];
                    places[at] = records.put(row, &[&bytes]);
                    model[at] = Some(bytes);
                }
                while records.wants_compaction() {
                    records.compact(&mut places[..], place);
                }
            }
            let mut live = 0;
            for (place, expected) in places.iter().zip(&model) {
                if let Some(expected) = expected {
                    prop_assert_eq!(records.get(*place), &expected[..]);
                    live += HEADER + expected.len();
                }
            }
            prop_assert_eq!(records.live_bytes(), live);
            prop_assert!(records.dead_bytes <= live / LIVE_PER_DEAD + DEAD_FLOOR);
        }
    }
}
