//! The store of one kind.

use super::{KindShape, MemoryReport, Prepared, RowRef};

/// All objects of one kind in one cluster.
pub struct KindStore {
    shape: KindShape,
}

/// What an object did to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    Created,
    Updated,
    /// The store had this version or a newer one.
    Unchanged,
    /// Another object had the name before: its uid was another.
    Replaced,
}

impl KindStore {
    pub fn new(shape: KindShape) -> Self { Self { shape } }
    pub fn shape(&self) -> &KindShape { &self.shape }
    pub fn apply(&mut self, _object: Prepared) -> Applied { unimplemented!() }
    /// Forgets an object; with a uid, only that one. Says whether it was there.
    pub fn delete(&mut self, _namespace: Option<&str>, _name: &str, _uid: Option<&str>) -> bool { unimplemented!() }
    /// From here until [`finish_relist`](Self::finish_relist) every applied object is marked as still there.
    pub fn begin_relist(&mut self) { unimplemented!() }
    /// Forgets what was not marked since [`begin_relist`](Self::begin_relist), and says how many that were.
    pub fn finish_relist(&mut self) -> usize { unimplemented!() }
    pub fn len(&self) -> usize { unimplemented!() }
    pub fn is_empty(&self) -> bool { self.len() == 0 }
    /// Grows with every change that a read could see.
    pub fn revision(&self) -> u64 { unimplemented!() }
    pub fn memory(&self) -> MemoryReport { unimplemented!() }
    /// In the order of namespace and name.
    pub fn rows(&self) -> std::vec::IntoIter<RowRef<'_>> { unimplemented!() }
    pub fn get(&self, _namespace: Option<&str>, _name: &str) -> Option<RowRef<'_>> { unimplemented!() }
    /// Whether [`tend`](super::tend) has something to do; cheap enough to ask after every batch.
    pub fn wants_tending(&self) -> bool { unimplemented!() }
}
