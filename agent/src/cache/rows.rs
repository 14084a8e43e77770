//! Rows of fixed size, in pieces that never move.

use super::cell::Packed;
use super::label_sets::LabelSetId;
use super::records::RecordAt;
use super::strings::Symbol;

/// What is kept of an object outside its record. The record holds the name, then the body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) record: RecordAt,
    pub(super) uid: Uid,
    pub(super) version: Version,
    /// `i64::MIN` where the object does not say.
    pub(super) created_ms: i64,
    pub(super) written_ms: i64,
    /// Manager, operation and apiVersion of the last write, with zero bytes between.
    pub(super) writer: Option<Symbol>,
    pub(super) namespace: Symbol,
    pub(super) labels: LabelSetId,
    /// The relist that saw the object last.
    pub(super) mark: u32,
    pub(super) name_length: u16,
    pub(super) body: Body,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Uid {
    Absent,
    Binary([u8; 16]),
    Text(Symbol),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    Number(u64),
    Text(Symbol),
}

/// The form of the bytes behind the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// Compressed, with the dictionary of this generation; 0 is without.
    Compressed(u16),
    /// Too large to keep: eight bytes that say how large.
    TooLarge,
}

/// Rows and their cells, by id.
pub(super) struct Rows {
    pieces: Vec<Piece>,
    free: Vec<u32>,
    /// Cells a row.
    width: usize,
}

#[derive(Default)]
struct Piece {
    rows: Vec<Row>,
    cells: Vec<Packed>,
}

const PIECE: usize = 512;

impl Rows {
    pub(super) fn new(width: usize) -> Self {
        Self { pieces: Vec::new(), free: Vec::new(), width }
    }

    /// The id of a new row, whose cells are still empty.
    pub(super) fn insert(&mut self, row: Row) -> u32 {
        if let Some(id) = self.free.pop() {
            *self.get_mut(id) = row;
            return id;
        }
        if self.pieces.last().is_none_or(|piece| piece.rows.len() == PIECE) {
            self.pieces.push(Piece::default());
        }
        let at = self.pieces.len() - 1;
        let piece = &mut self.pieces[at];
        piece.rows.push(row);
        piece.cells.reserve_exact(piece.rows.capacity().min(PIECE) * self.width - piece.cells.len());
        piece.cells.resize(piece.rows.len() * self.width, Packed::EMPTY);
        (at * PIECE + piece.rows.len() - 1) as u32
    }

    /// Frees the id; the row's record must be freed, and its cells released, before.
    pub(super) fn remove(&mut self, id: u32) {
        self.get_mut(id).record = RecordAt::NOWHERE;
        self.cells_mut(id).fill(Packed::EMPTY);
        self.free.push(id);
    }

    pub(super) fn get(&self, id: u32) -> &Row {
        &self.pieces[id as usize / PIECE].rows[id as usize % PIECE]
    }

    pub(super) fn get_mut(&mut self, id: u32) -> &mut Row {
        &mut self.pieces[id as usize / PIECE].rows[id as usize % PIECE]
    }

    /// Whether a row has this id; it must be below [`id_bound`](Self::id_bound).
    pub(super) fn is_used(&self, id: u32) -> bool {
        self.get(id).record != RecordAt::NOWHERE
    }

    /// Where a row holds the place of its record; `None` for an id that is not there.
    pub(super) fn record_mut(&mut self, id: u32) -> Option<&mut RecordAt> {
        let row = self.pieces.get_mut(id as usize / PIECE)?.rows.get_mut(id as usize % PIECE)?;
        Some(&mut row.record)
    }

    pub(super) fn cells(&self, id: u32) -> &[Packed] {
        let at = id as usize % PIECE * self.width;
        &self.pieces[id as usize / PIECE].cells[at..at + self.width]
    }

    pub(super) fn cells_mut(&mut self, id: u32) -> &mut [Packed] {
        let at = id as usize % PIECE * self.width;
        &mut self.pieces[id as usize / PIECE].cells[at..at + self.width]
    }

    /// Every id that was ever given out and may be in use.
    pub(super) fn id_bound(&self) -> u32 {
        self.pieces.last().map_or(0, |piece| ((self.pieces.len() - 1) * PIECE + piece.rows.len()) as u32)
    }

    /// Whether most of the places are free, so that moving the rest together is worth it.
    pub(super) fn is_sparse(&self) -> bool {
        self.free.len() > PIECE && self.free.len() > self.id_bound() as usize / 2
    }

    /// The next move that brings the rows together: from the last place in use to the lowest free one. Cells move along;
    /// what else knows the row by its id is the caller's to change. `None` when they are together.
    pub(super) fn move_last(&mut self) -> Option<(u32, u32)> {
        // Highest first, so that the lowest free place is the last.
        if !self.free.is_sorted_by(|a, b| a >= b) {
            self.free.sort_unstable_by(|a, b| b.cmp(a));
        }
        self.cut_free_end();
        let to = self.free.pop()?;
        let from = self.id_bound() - 1;
        *self.get_mut(to) = *self.get(from);
        for cell in 0..self.width {
            self.cells_mut(to)[cell] = self.cells(from)[cell];
        }
        self.cut_end();
        Some((from, to))
    }

    /// What one row costs, its cells included.
    pub(super) fn row_bytes(&self) -> usize {
        size_of::<Row>() + self.width * size_of::<Packed>()
    }

    pub(super) fn bytes(&self) -> usize {
        let piece = |piece: &Piece| {
            piece.rows.capacity() * size_of::<Row>() + piece.cells.capacity() * size_of::<Packed>()
        };
        self.pieces.iter().map(piece).sum::<usize>()
            + self.pieces.capacity() * size_of::<Piece>()
            + self.free.capacity() * size_of::<u32>()
    }

    /// Drops free places at the end.
    fn cut_free_end(&mut self) {
        while self.id_bound() > 0 && self.free.first() == Some(&(self.id_bound() - 1)) {
            let end = self
                .free
                .iter()
                .zip((0..self.id_bound()).rev())
                .take_while(|(free, id)| **free == *id)
                .count();
            self.free.drain(..end);
            (0..end).for_each(|_| self.cut_end());
        }
        if self.free.is_empty() {
            self.free.shrink_to_fit();
        }
    }

    fn cut_end(&mut self) {
        let Some(piece) = self.pieces.last_mut() else { return };
        piece.rows.pop();
        piece.cells.truncate(piece.rows.len() * self.width);
        if piece.rows.is_empty() {
            self.pieces.pop();
        }
    }
}
