//! What a store costs.

/// Bytes held by one store, spare capacity included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryReport {
    /// Rows, their cells, their order and their index.
    pub rows: usize,
    /// Interned strings and label sets.
    pub strings: usize,
    /// Names and compressed objects.
    pub records: usize,
    /// Dictionaries, in the forms in which they are used.
    pub dictionaries: usize,
}

impl MemoryReport {
    pub fn total(&self) -> usize {
        self.rows + self.strings + self.records + self.dictionaries
    }
}
