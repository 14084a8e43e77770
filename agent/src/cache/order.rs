//! The order of rows by namespace and name: a sorted list in pieces, so that one insertion moves little and a sorted
//! bulk load moves nothing.

use std::cmp::Ordering;

/// Row ids in order. The keys are the owner's: every operation takes a function that says how a row's key stands to the
/// key in question.
#[derive(Default)]
pub(super) struct Order {
    /// None is empty.
    pieces: Vec<Vec<u32>>,
}

/// A place in the order, until the next change.
pub(super) struct Place {
    piece: usize,
    within: usize,
}

impl Place {
    /// Before all rows.
    pub(super) const START: Self = Self { piece: 0, within: 0 };
}

const PIECE: usize = 512;

impl Order {
    /// Inserts a row whose key is not there yet.
    pub(super) fn insert(&mut self, id: u32, compare: impl Fn(u32) -> Ordering) {
        let Some(last) = self.pieces.last().and_then(|piece| piece.last()) else {
            self.pieces.push(vec![id]);
            return;
        };
        if compare(*last).is_lt() {
            self.append(id);
            return;
        }
        let (at, within) = self.find(&compare);
        let piece = &mut self.pieces[at];
        piece.insert(within, id);
        if piece.len() > PIECE {
            let upper = piece.split_off(PIECE / 2);
            self.pieces.insert(at + 1, upper);
        }
    }

    /// Removes the row whose key is equal.
    pub(super) fn remove(&mut self, compare: impl Fn(u32) -> Ordering) {
        let Some((at, within)) = self.find_equal(&compare) else { return };
        self.pieces[at].remove(within);
        if self.pieces[at].is_empty() {
            self.pieces.remove(at);
        } else if self.pieces.get(at + 1).is_some_and(|next| next.len() + self.pieces[at].len() <= PIECE / 2)
        {
            let next = self.pieces.remove(at + 1);
            self.pieces[at].extend(next);
        }
    }

    /// Puts `id` where the row with an equal key stands.
    pub(super) fn rename(&mut self, id: u32, compare: impl Fn(u32) -> Ordering) {
        if let Some((at, within)) = self.find_equal(&compare) {
            self.pieces[at][within] = id;
        }
    }

    /// All rows, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.pieces.iter().flatten().copied()
    }

    /// Where the first row stands whose key is not less.
    pub(super) fn seek(&self, compare: impl Fn(u32) -> Ordering) -> Place {
        let (piece, within) = self.find(&compare);
        Place { piece, within }
    }

    /// The rows from a place on, in order.
    pub(super) fn iter_at(&self, place: Place) -> impl Iterator<Item = u32> + '_ {
        let head = self.pieces.get(place.piece).map_or(&[][..], |piece| &piece[place.within..]);
        let rest = self.pieces.get(place.piece + 1..).unwrap_or_default();
        head.iter().chain(rest.iter().flatten()).copied()
    }

    pub(super) fn bytes(&self) -> usize {
        self.pieces
            .iter()
            .map(|piece| piece.capacity() * size_of::<u32>() + super::strings::ALLOCATION)
            .sum::<usize>()
            + self.pieces.capacity() * size_of::<Vec<u32>>()
    }

    fn append(&mut self, id: u32) {
        match self.pieces.last_mut() {
            Some(piece) if piece.len() < PIECE => piece.push(id),
            _ => self.pieces.push(vec![id]),
        }
    }

    /// The piece and the place in it of the first row whose key is not less, or the end of the last piece before it.
    fn find(&self, compare: &impl Fn(u32) -> Ordering) -> (usize, usize) {
        let after = self.pieces.partition_point(|piece| compare(piece[0]).is_lt());
        let at = after.saturating_sub(1);
        let within = self.pieces.get(at).map_or(0, |piece| piece.partition_point(|id| compare(*id).is_lt()));
        (at, within)
    }

    fn find_equal(&self, compare: &impl Fn(u32) -> Ordering) -> Option<(usize, usize)> {
        let (mut at, mut within) = self.find(compare);
        if within == self.pieces.get(at)?.len() {
            (at, within) = (at + 1, 0);
        }
        let id = self.pieces.get(at)?.get(within)?;
        compare(*id).is_eq().then_some((at, within))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Ids are their own keys.
        #[test]
        fn it_behaves_as_a_sorted_set(steps in prop::collection::vec((0..3_000_u32, any::<bool>()), 1..4_000)) {
            let (mut order, mut model) = (Order::default(), BTreeSet::new());
            for (key, insert) in steps {
                if insert && model.insert(key) {
                    order.insert(key, |id| id.cmp(&key));
                } else if !insert {
                    model.remove(&key);
                    order.remove(|id| id.cmp(&key));
                }
            }
            prop_assert!(order.iter().eq(model.iter().copied()));
            for from in [0, 1, 700, 1_500, 3_000] {
                prop_assert!(order.iter_at(order.seek(|id| id.cmp(&from))).eq(model.range(from..).copied()));
            }
        }
    }

    #[test]
    fn a_sorted_load_fills_its_pieces() {
        let mut order = Order::default();
        (0..50_000).for_each(|key| order.insert(key, |id| id.cmp(&key)));
        assert!(order.bytes() < 50_000 * 5, "{} bytes", order.bytes());
    }
}
