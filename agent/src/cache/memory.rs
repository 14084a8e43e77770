//! What a store costs.

/// Bytes held by one store, spare capacity included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryReport {
    /// Rows, their cells, their order and their index.
    pub rows: usize,
    /// Interned strings and label sets.
    pub strings: usize,
    /// Compressed objects and names.
    pub records: usize,
    /// Dictionaries in the form in which they are used.
    pub dictionaries: usize,
}

impl MemoryReport {
    pub fn total(&self) -> usize {
        self.rows + self.strings + self.records + self.dictionaries
    }
}
