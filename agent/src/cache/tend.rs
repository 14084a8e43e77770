//! Upkeep beside reads and writes.

use parking_lot::RwLock;

use super::KindStore;

/// Trains a dictionary where one is due and recompresses what it is good for, in steps that leave the lock to others in
/// between. Takes up to a second of CPU for a large kind: call it off the async threads, whenever
/// [`KindStore::wants_tending`] says so.
pub fn tend(_store: &RwLock<KindStore>) { unimplemented!() }
