//! Rows in the order of a scan, whose memory is asked for before they are read.
//!
//! A name is at the beginning of its record, and records are a thousand bytes apart, in the order in which they were
//! written: whoever reads one name after the other waits for memory at each. Here the first reads of a batch are made
//! together. None depends on another, so the processor has them all under way at once.

use std::hint::black_box;

use super::row::RowRef;
use super::store::KindStore;

/// Rows whose memory is asked for at once: about as many as a processor has reads under way.
const BATCH: usize = 16;

pub(super) struct Ahead<'a, I> {
    store: &'a KindStore,
    ids: I,
    batch: [u32; BATCH],
    length: usize,
    /// The place in the batch of the row that comes next.
    at: usize,
}

impl<'a, I: Iterator<Item = u32>> Ahead<'a, I> {
    pub(super) fn new(store: &'a KindStore, ids: I) -> Self {
        Self { store, ids, batch: [0; BATCH], length: 0, at: 0 }
    }

    fn fill(&mut self) {
        (self.at, self.length) = (0, 0);
        for (place, id) in self.batch.iter_mut().zip(&mut self.ids) {
            *place = id;
            self.length += 1;
        }
        let (rows, records) = (&self.store.rows, &self.store.records);
        for id in &self.batch[..self.length] {
            let cells = rows.cells(*id);
            black_box((*rows.get(*id), cells.first().copied(), cells.last().copied()));
        }
        for id in &self.batch[..self.length] {
            let row = rows.get(*id);
            black_box(records.ends(row.record, usize::from(row.name_length)));
        }
    }
}

impl<'a, I: Iterator<Item = u32>> Iterator for Ahead<'a, I> {
    type Item = RowRef<'a>;

    fn next(&mut self) -> Option<RowRef<'a>> {
        if self.at == self.length {
            self.fill();
        }
        let id = *self.batch[..self.length].get(self.at)?;
        self.at += 1;
        Some(RowRef::new(self.store, id))
    }
}
