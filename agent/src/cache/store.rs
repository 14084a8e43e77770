//! The store of one kind.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering as Access};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::ahead::Ahead;
use super::codec::{self, Codec};
use super::label_sets::LabelSets;
use super::memory::MemoryReport;
use super::order::{Order, Place};
use super::part::{Part, Relist};
use super::prepared::Prepared;
use super::records::Records;
use super::row::RowRef;
use super::rows::Rows;
use super::shape::KindShape;
use super::strings::Strings;
use super::training::Training;
use super::version;
use crate::limits;

/// All objects of one kind in one cluster.
pub struct KindStore {
    pub(super) shape: Arc<KindShape>,
    pub(super) strings: Strings,
    pub(super) labels: LabelSets,
    pub(super) rows: Rows,
    pub(super) records: Records,
    pub(super) order: Order,
    /// Row ids by namespace and name.
    pub(super) index: HashTable<u32>,
    pub(super) hasher: DefaultHashBuilder,
    pub(super) codec: Codec,
    revision: u64,
    /// The number of the last relist.
    pub(super) mark: u32,
    /// Hashes of the uids deleted last.
    tombstones: VecDeque<u64>,
    /// The newest version that went because the kind is bounded.
    pub(super) evicted_up_to: u64,
    pub(super) training: Training,
    /// Where objects are compressed before they are stored.
    pub(super) scratch: Vec<u8>,
}

/// What an object did to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    Created,
    Updated,
    /// The store had this version or a newer one, or the object is known to be gone.
    Unchanged,
    /// Another object had the name before: its uid was another.
    Replaced,
}

/// How many stores were given revisions of their own.
static NUMBERED_STORES: AtomicU64 = AtomicU64::new(1);

/// Revisions that a store can count through before it would reach those of the next one.
const REVISIONS_A_STORE: u64 = 1 << 36;

/// Where a store may count from so that no other store of this process ever had its revisions: whoever remembers a revision
/// of a kind must not take another store of the same kind for unchanged.
pub fn unused_revisions() -> u64 {
    NUMBERED_STORES.fetch_add(1, Access::Relaxed).wrapping_mul(REVISIONS_A_STORE)
}

impl KindStore {
    /// A store without objects, whose revisions are compared with no other store's.
    pub fn new(shape: impl Into<Arc<KindShape>>) -> Self {
        Self::counting_from(shape, 0)
    }

    /// A store without objects, which is at this revision; [`unused_revisions`] gives one.
    pub fn counting_from(shape: impl Into<Arc<KindShape>>, revision: u64) -> Self {
        let shape = shape.into();
        let width = shape.cells();
        Self {
            shape,
            strings: Strings::default(),
            labels: LabelSets::default(),
            rows: Rows::new(width),
            records: Records::default(),
            order: Order::default(),
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            codec: Codec::default(),
            revision,
            mark: 0,
            tombstones: VecDeque::new(),
            evicted_up_to: 0,
            training: Training::default(),
            scratch: Vec::new(),
        }
    }

    /// Readers that let the lock go clone it.
    pub fn shape(&self) -> &Arc<KindShape> {
        &self.shape
    }

    /// Takes an object in, unless the store knows better: a newer version of it, or that it was deleted.
    pub fn apply(&mut self, object: Prepared) -> Applied {
        self.take_in(&object, &mut |_| {})
    }

    /// The same of an object that is needed afterwards. `evicted` sees each object that makes room for it before that goes.
    pub(crate) fn take_in(&mut self, object: &Prepared, evicted: &mut dyn FnMut(RowRef<'_>)) -> Applied {
        let applied = match self.find(&object.namespace, &object.name) {
            None if self.is_buried(&object.uid) || self.is_too_old(&object.version) => Applied::Unchanged,
            None => {
                self.create(object);
                Applied::Created
            }
            Some(id) => self.apply_to(id, object),
        };
        if applied != Applied::Unchanged {
            self.revision += 1;
            self.keep_bounds(evicted);
        }
        applied
    }

    /// Forgets an object; with a uid, only the one that has it. Says whether it was there. A late event of the same uid
    /// does not bring it back.
    pub fn delete(&mut self, namespace: Option<&str>, name: &str, uid: Option<&str>) -> bool {
        if let Some(uid) = uid {
            self.bury(uid);
        }
        let Some(id) = self.find(namespace.unwrap_or_default(), name) else { return false };
        let stored = RowRef::new(self, id).uid().into_owned();
        if uid.is_some_and(|uid| uid != stored) {
            return false;
        }
        self.bury(&stored);
        self.remove(id);
        self.revision += 1;
        self.compact();
        true
    }

    /// Forgets an object whose state of this version can't be kept. Its next state brings it back. Says whether it was news:
    /// not where the store has a newer state, or the object is known to be gone.
    pub fn lose(&mut self, namespace: Option<&str>, name: &str, uid: Option<&str>, version: &str) -> bool {
        if uid.is_some_and(|uid| self.is_buried(uid)) {
            return false;
        }
        let Some(id) = self.find(namespace.unwrap_or_default(), name) else { return true };
        let stored = RowRef::new(self, id).resource_version().into_owned();
        if version::compare(version, &stored) == Some(Ordering::Less) {
            return false;
        }
        self.remove(id);
        self.revision += 1;
        self.compact();
        true
    }

    /// From here until [`finish_relist`](Self::finish_relist) every applied object is marked as still there. A relist that
    /// broke off is begun anew; several may be under way, each of its own part.
    pub fn begin_relist(&mut self) -> Relist {
        self.mark = self.mark.wrapping_add(1);
        // The list is a state of its own, perhaps older than the last events: the watch that follows it tells the rest.
        self.tombstones.clear();
        self.reopen();
        Relist::of(self.mark)
    }

    /// Forgets what is in this part and was not applied since the relist began, and says how many objects that were. `last`
    /// sees each before it goes.
    pub fn finish_relist(&mut self, relist: Relist, part: &Part, last: &mut dyn FnMut(RowRef<'_>)) -> usize {
        let is_gone = |id: &u32| {
            relist.misses(self.rows.get(*id).mark) && part.holds(&self.shape, RowRef::new(self, *id))
        };
        let gone: Vec<u32> = self.order.iter().filter(is_gone).collect();
        for id in &gone {
            last(RowRef::new(self, *id));
            self.remove(*id);
            self.compact();
        }
        self.revision += u64::from(!gone.is_empty());
        self.training.list_is_complete();
        gone.len()
    }

    /// Something that a read tells beside the rows has changed.
    pub fn touch(&mut self) {
        self.revision += 1;
    }

    /// Empties the store at once. The objects are in what is returned, to be dropped where nobody waits for that; `None`
    /// where there were none.
    pub fn clear(&mut self) -> Option<Self> {
        if self.is_empty() {
            return None;
        }
        let empty = Self::counting_from(Arc::clone(&self.shape), self.revision + 1);
        Some(std::mem::replace(self, empty))
    }

    pub fn len(&self) -> usize {
        self.index.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Grows with every change that a read could see.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// In the order of namespace and name.
    pub fn rows(&self) -> impl Iterator<Item = RowRef<'_>> {
        self.order.iter().map(|id| RowRef::new(self, id))
    }

    /// The rows from this namespace and name on, itself included.
    pub fn rows_from<'a>(
        &'a self,
        namespace: &str,
        name: &str,
    ) -> impl Iterator<Item = RowRef<'a>> + use<'a> {
        self.ids_from(namespace, name).map(|id| RowRef::new(self, id))
    }

    /// The same for readers of every name, whose memory is asked for some rows ahead.
    pub(crate) fn named_rows_from<'a>(
        &'a self,
        namespace: &str,
        name: &str,
    ) -> impl Iterator<Item = RowRef<'a>> + use<'a> {
        Ahead::new(self, self.ids_from(namespace, name))
    }

    pub fn get(&self, namespace: Option<&str>, name: &str) -> Option<RowRef<'_>> {
        self.find(namespace.unwrap_or_default(), name).map(|id| RowRef::new(self, id))
    }

    /// More than any [`RowRef::label_set`].
    pub(crate) fn label_set_bound(&self) -> usize {
        self.labels.id_bound()
    }

    /// More than any number of a [`RowRef::text`].
    pub(crate) fn text_bound(&self) -> usize {
        self.strings.id_bound()
    }

    pub fn memory(&self) -> MemoryReport {
        MemoryReport {
            rows: self.rows.bytes()
                + self.order.bytes()
                + self.index.allocation_size()
                + self.tombstones.capacity() * size_of::<u64>(),
            strings: self.strings.bytes() + self.labels.bytes(),
            records: self.records.bytes() + self.scratch.capacity(),
            dictionaries: self.codec.bytes(),
        }
    }

    fn ids_from<'a>(&'a self, namespace: &str, name: &str) -> impl Iterator<Item = u32> + use<'a> {
        let is_start = namespace.is_empty() && name.is_empty();
        let place =
            if is_start { Place::START } else { self.order.seek(|id| self.compare_key(id, namespace, name)) };
        self.order.iter_at(place)
    }

    fn apply_to(&mut self, id: u32, object: &Prepared) -> Applied {
        self.rows.get_mut(id).mark = self.mark;
        let stored = RowRef::new(self, id);
        let same_object = stored.uid() == object.uid;
        match version::compare(&object.version, &stored.resource_version()) {
            Some(Ordering::Less | Ordering::Equal) => return Applied::Unchanged,
            None if same_object && self.holds(id, &object.json) => return Applied::Unchanged,
            Some(Ordering::Greater) | None => {}
        }
        if !same_object && self.is_buried(&object.uid) {
            return Applied::Unchanged;
        }
        if !same_object {
            let previous = RowRef::new(self, id).uid().into_owned();
            self.bury(&previous);
        }
        self.replace(id, object);
        self.compact();
        if same_object { Applied::Updated } else { Applied::Replaced }
    }

    fn holds(&self, id: u32, json: &[u8]) -> bool {
        let mut stored = Vec::new();
        RowRef::new(self, id).object(&mut stored) && stored == json
    }

    pub(super) fn find(&self, namespace: &str, name: &str) -> Option<u32> {
        let same = |id: &u32| {
            let row = RowRef::new(self, *id);
            row.name() == name && row.namespace().unwrap_or_default() == namespace
        };
        self.index.find(self.hash_key(namespace, name), same).copied()
    }

    pub(super) fn hash_key(&self, namespace: &str, name: &str) -> u64 {
        self.hasher.hash_one((namespace, name))
    }

    /// How a row's key stands to another.
    pub(super) fn compare_key(&self, id: u32, namespace: &str, name: &str) -> Ordering {
        let row = RowRef::new(self, id);
        row.namespace().unwrap_or_default().cmp(namespace).then_with(|| row.name().cmp(name))
    }

    fn is_buried(&self, uid: &str) -> bool {
        !self.tombstones.is_empty() && self.tombstones.contains(&self.hasher.hash_one(uid))
    }

    fn bury(&mut self, uid: &str) {
        if uid.is_empty() || self.is_buried(uid) {
            return;
        }
        if self.tombstones.len() == limits::TOMBSTONES {
            self.tombstones.pop_front();
        }
        self.tombstones.push_back(self.hasher.hash_one(uid));
    }

    pub(super) fn compact(&mut self) {
        if self.records.wants_compaction() {
            self.records.compact(&mut self.rows, Rows::record_mut);
        }
    }

    /// Whether an object would change the store, as far as its version tells.
    pub(super) fn is_news(&self, object: &Prepared) -> bool {
        let Some(id) = self.find(&object.namespace, &object.name) else { return true };
        let stored = RowRef::new(self, id).resource_version();
        !matches!(version::compare(&object.version, &stored), Some(Ordering::Less | Ordering::Equal))
    }

    /// Compresses into the scratch space, which the caller gives back.
    pub(super) fn encode(&mut self, object: &Prepared) -> (Vec<u8>, super::rows::Body) {
        let json = &object.json;
        let mut scratch = std::mem::take(&mut self.scratch);
        if json.len() > limits::OBJECT_BYTES {
            scratch.clear();
            scratch.extend_from_slice(&(json.len() as u64).to_le_bytes());
            return (scratch, super::rows::Body::TooLarge);
        }
        let (generation, dictionary) = self.codec.current();
        if let Some(pressed) = object.pressed.as_ref().filter(|pressed| pressed.is_of(dictionary.as_ref())) {
            scratch.clear();
            scratch.extend_from_slice(&pressed.frame);
            return (scratch, super::rows::Body::Compressed(generation));
        }
        codec::compress(json, dictionary.as_deref(), &mut scratch);
        (scratch, super::rows::Body::Compressed(generation))
    }
}
