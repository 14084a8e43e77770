//! Upkeep beside reads and writes: dictionaries are trained, objects recompressed, spare capacity is given back.

use parking_lot::RwLock;

use super::codec::{self, Dictionary};
use super::row::RowRef;
use super::rows::{Body, Version};
use super::store::KindStore;
use crate::redact;

/// The most objects that a dictionary is trained on.
const SAMPLES: usize = 1_000;

/// The most bytes that a dictionary is trained on: kinds with huge objects should not need huge memory.
const SAMPLE_BYTES: usize = 8 << 20;

/// Objects recompressed under one lock, in a few milliseconds.
const STEP: usize = 32;

/// Trains a dictionary where one is due, recompresses what another was used for, and gives spare memory back, in steps
/// that leave the lock to others in between. Takes up to a second of CPU time for each 10,000 objects: call it off the
/// async threads, whenever [`KindStore::wants_tending`] says so. One call at a time for each store.
pub fn tend(store: &RwLock<KindStore>) {
    // A statement of its own, so that the read lock is gone before training starts.
    let samples = samples(&store.read());
    if let Some((samples, sizes)) = samples {
        let dictionary = Dictionary::train(&samples, &sizes);
        store.write().adopt(dictionary);
    }
    while recompress_step(store) {}
    while store.write().gather_step() {}
    rest();
}

/// Gives back what it took to take many objects in, on many threads: it is not needed for the few that change from now on. For
/// when a list is complete, because the stores of a small cluster are never tended.
pub fn rest() {
    codec::free_idle_contexts();
    redact::forget();
}

impl KindStore {
    /// Whether [`tend`] has something to do; cheap enough to ask after every batch.
    pub fn wants_tending(&self) -> bool {
        self.training.is_due(self.len()) || self.codec.outdated() > 0 || self.rows.is_sparse()
    }

    fn adopt(&mut self, dictionary: Option<Dictionary>) {
        self.training.done(self.len());
        if let Some(dictionary) = dictionary {
            self.codec.adopt(dictionary);
        }
    }

    /// Brings some rows together after most are gone. False when nothing is left to do.
    fn gather_step(&mut self) -> bool {
        if !self.rows.is_sparse() {
            return false;
        }
        for _ in 0..STEP {
            let Some((from, to)) = self.rows.move_last() else { break };
            self.rename(from, to);
        }
        let sparse = self.rows.is_sparse();
        if !sparse {
            self.shrink();
        }
        sparse
    }

    fn shrink(&mut self) {
        let mut index = std::mem::take(&mut self.index);
        index.shrink_to_fit(|id| self.hash_row(*id));
        self.index = index;
        self.strings.shrink();
        self.labels.shrink();
    }
}

/// Objects spread evenly over the store, one after the other, and their lengths; `None` while no training is due.
fn samples(store: &KindStore) -> Option<(Vec<u8>, Vec<usize>)> {
    if !store.training.is_due(store.len()) {
        return None;
    }
    let (mut samples, mut sizes, mut object) = (Vec::new(), Vec::new(), Vec::new());
    let every = store.len().div_ceil(SAMPLES);
    for row in store.rows().step_by(every) {
        if row.object(&mut object) && samples.len() + object.len() <= SAMPLE_BYTES {
            samples.extend_from_slice(&object);
            sizes.push(object.len());
        }
    }
    Some((samples, sizes))
}

/// One object in its new form.
struct Recompressed {
    id: u32,
    /// The version that was read: if another has come meanwhile, it is compressed with the current dictionary already.
    version: Version,
    old: Body,
    name: String,
    frame: Vec<u8>,
}

/// Recompresses some objects. The work is done under a read lock; false when nothing is left to do.
fn recompress_step(store: &RwLock<KindStore>) -> bool {
    let (generation, done, next) = recompress(&store.read());
    let mut store = store.write();
    if store.codec.current().0 != generation {
        return true;
    }
    for object in &done {
        store.put_recompressed(object, generation);
    }
    let more = next < store.rows.id_bound() && store.codec.outdated() > 0;
    store.training.outdated_from = if more { next } else { 0 };
    more
}

fn recompress(store: &KindStore) -> (u16, Vec<Recompressed>, u32) {
    let (generation, dictionary) = store.codec.current();
    let mut done = Vec::new();
    let mut object = Vec::new();
    let mut id = store.training.outdated_from;
    while id < store.rows.id_bound() && done.len() < STEP && store.codec.outdated() > 0 {
        let outdated = |body: Body| matches!(body, Body::Compressed(other) if other != generation);
        if store.rows.is_used(id) && outdated(store.rows.get(id).body) {
            let row = RowRef::new(store, id);
            if row.object(&mut object) {
                let mut frame = Vec::new();
                codec::compress(&object, dictionary.as_deref(), &mut frame);
                let (version, old) = (store.rows.get(id).version, store.rows.get(id).body);
                done.push(Recompressed { id, version, old, name: row.name().to_owned(), frame });
            }
        }
        id += 1;
    }
    (generation, done, id)
}

impl KindStore {
    fn put_recompressed(&mut self, object: &Recompressed, generation: u16) {
        let unchanged = object.id < self.rows.id_bound() && self.rows.is_used(object.id) && {
            let row = self.rows.get(object.id);
            row.version == object.version
                && row.body == object.old
                && RowRef::new(self, object.id).name() == object.name
        };
        if !unchanged {
            return;
        }
        let record = self.records.put(object.id, &[object.name.as_bytes(), &object.frame]);
        let row = self.rows.get_mut(object.id);
        let old = std::mem::replace(&mut row.record, record);
        row.body = Body::Compressed(generation);
        self.records.free(old);
        self.codec.retain(generation);
        if let Body::Compressed(outdated) = object.old {
            self.codec.release(outdated);
        }
        self.compact();
    }
}
