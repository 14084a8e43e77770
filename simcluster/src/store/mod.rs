//! The object store: all kinds of one cluster under one revision counter, with a bounded history of changes from which watches and exact
//! lists are served. Synchronous; one lock, held for map operations and never across an await.

mod body;
mod history;
mod object;

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::RwLock;
use serde_json::Value;
use tokio::sync::watch;

use crate::names::{GroupResource, ObjectKey};
pub(crate) use history::{Change, ChangeKind, Expired, History};
pub(crate) use object::{Object, type_prefix};

/// Sibling bases remembered a kind, so that a long life of rollouts does not collect them.
const MAX_BASES: usize = 512;

/// The state of one simulated cluster.
#[derive(Debug)]
pub(crate) struct Store {
    state: RwLock<State>,
    history: usize,
}

#[derive(Debug)]
struct State {
    revision: u64,
    /// Kinds without a history of their own yet have forgotten nothing after this.
    floor: u64,
    collections: HashMap<GroupResource, Collection>,
}

#[derive(Debug)]
struct Collection {
    objects: BTreeMap<ObjectKey, Arc<Object>>,
    history: History,
    bases: HashMap<Box<str>, Bytes>,
    head: watch::Sender<u64>,
    /// How often the server asked its storage how far it is, for a list that had to be consistent.
    progress: u64,
}

/// What a write decided, seeing the current object.
#[derive(Debug)]
pub(crate) enum Write {
    /// Store this; the resource version is filled in.
    Put(Value),
    /// Remove the object; this is its last state.
    Remove(Value),
    /// Leave all as it is.
    Keep,
}

/// Whether a write is remembered for watches. The first content of a cluster is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    Change,
    Silent,
}

/// Some objects of one kind at one revision.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) objects: Vec<Arc<Object>>,
    pub(crate) revision: u64,
    /// How many come after these within the asked scope.
    pub(crate) remaining: usize,
}

/// Why a list at an exact revision can't be answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ListError {
    Expired,
    Future { current: u64 },
}

/// Which objects of a kind a list covers: a namespace (empty: all), after a key, at most so many, at a revision (none: now).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scope<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) after: Option<&'a str>,
    pub(crate) limit: Option<usize>,
    pub(crate) revision: Option<u64>,
}

impl Store {
    pub(crate) fn new(first_revision: u64, history: usize) -> Self {
        let state = State { revision: first_revision, floor: first_revision, collections: HashMap::new() };
        Self { state: RwLock::new(state), history }
    }

    pub(crate) fn revision(&self) -> u64 {
        self.state.read().revision
    }

    /// One object as it is now.
    pub(crate) fn get(&self, kind: &GroupResource, key: &ObjectKey) -> Option<Arc<Object>> {
        self.state.read().collections.get(kind)?.objects.get(key).cloned()
    }

    /// The objects in `scope`, in key order.
    ///
    /// # Errors
    /// When the revision asked for is compacted or does not exist yet.
    pub(crate) fn list(&self, kind: &GroupResource, scope: Scope<'_>) -> Result<Page, ListError> {
        let state = self.state.read();
        let current = state.revision;
        let revision = scope.revision.unwrap_or(current);
        if revision > current {
            return Err(ListError::Future { current });
        }
        let Some(collection) = state.collections.get(kind) else {
            return Ok(Page { objects: Vec::new(), revision, remaining: 0 });
        };
        let undo = collection.history.undo_to(revision).map_err(|Expired| ListError::Expired)?;
        let Some(bounds) = scope.bounds() else {
            return Ok(Page { objects: Vec::new(), revision, remaining: 0 });
        };
        let mut objects: Vec<Arc<Object>> = if undo.is_empty() {
            collection.objects.range(bounds).map(|(_, object)| object.clone()).collect()
        } else {
            rewound(&collection.objects, &undo, &bounds)
        };
        let remaining = scope.limit.map_or(0, |limit| objects.len().saturating_sub(limit));
        objects.truncate(objects.len() - remaining);
        Ok(Page { objects, revision, remaining })
    }

    /// Runs `decide` on the current object and does what it says, as one step. The change is returned, or nothing where all stayed.
    ///
    /// # Errors
    /// What `decide` returned.
    pub(crate) fn write<E>(
        &self,
        kind: &GroupResource,
        key: &ObjectKey,
        record: Record,
        decide: impl FnOnce(Option<Value>) -> Result<Write, E>,
    ) -> Result<Option<Arc<Change>>, E> {
        let mut state = self.state.write();
        let revision = state.revision + 1;
        let collection = state.collection(kind, self.history);
        let old = collection.objects.get(key).cloned();
        let (value, removed) = match decide(old.as_deref().map(Object::value))? {
            Write::Put(value) => (value, false),
            Write::Remove(value) => (value, true),
            Write::Keep => return Ok(None),
        };
        let last = Arc::new(collection.object(key.clone(), revision, value, old.as_deref()));
        let new = if removed {
            collection.objects.remove(key);
            None
        } else {
            collection.objects.insert(key.clone(), last.clone());
            Some(last.clone())
        };
        let change = Arc::new(Change::new(revision, old, new, last));
        state.publish(kind, &change, record);
        Ok(Some(change))
    }

    /// Changes of `kind` after `position`, and the revision up to which that is complete.
    ///
    /// # Errors
    /// When changes after `position` were compacted away.
    pub(crate) fn changes(
        &self,
        kind: &GroupResource,
        position: u64,
    ) -> Result<(Vec<Arc<Change>>, u64), Expired> {
        let state = self.state.read();
        let Some(collection) = state.collections.get(kind) else { return Ok((Vec::new(), state.revision)) };
        Ok((collection.history.after(position)?, state.revision))
    }

    /// Tells of every change of `kind`, and ends when the kind is dropped.
    pub(crate) fn head(&self, kind: &GroupResource) -> watch::Receiver<u64> {
        self.state.write().collection(kind, self.history).head.subscribe()
    }

    /// The server's cache of `kind` learns how far the storage is, which a cluster's many leases always move.
    pub(crate) fn note_progress(&self, kind: &GroupResource) {
        self.state.write().collection(kind, self.history).progress += 1;
    }

    /// Grows with [`note_progress`](Self::note_progress).
    pub(crate) fn progress(&self, kind: &GroupResource) -> u64 {
        self.state.read().collections.get(kind).map_or(0, |collection| collection.progress)
    }

    /// Forgets all history: every watch from a revision before now, every continue token, is expired.
    pub(crate) fn compact(&self) {
        let mut state = self.state.write();
        let revision = state.revision;
        state.floor = revision;
        for collection in state.collections.values_mut() {
            collection.history.compact(revision);
        }
    }

    /// Drops a kind with its objects. Watches of it see every object deleted and then end.
    pub(crate) fn drop_kind(&self, kind: &GroupResource) {
        let keys: Vec<ObjectKey> = match self.state.read().collections.get(kind) {
            Some(collection) => collection.objects.keys().cloned().collect(),
            None => return,
        };
        for key in keys {
            let removal = |current: Option<Value>| Ok::<_, ()>(current.map_or(Write::Keep, Write::Remove));
            let _ = self.write(kind, &key, Record::Change, removal);
        }
        let mut state = self.state.write();
        let revision = state.revision;
        if let Some(collection) = state.collections.get_mut(kind) {
            collection.bases.clear();
            collection.head = watch::Sender::new(revision);
        }
    }

    /// Ends every watch of `kind` and leaves its objects alone.
    pub(crate) fn end_watches(&self, kind: &GroupResource) {
        if let Some(collection) = self.state.write().collections.get_mut(kind) {
            collection.head = watch::Sender::new(0);
        }
    }

    pub(crate) fn end_all_watches(&self) {
        for collection in self.state.write().collections.values_mut() {
            collection.head = watch::Sender::new(0);
        }
    }

    /// How many objects of `kind` there are now.
    pub(crate) fn count(&self, kind: &GroupResource) -> usize {
        self.state.read().collections.get(kind).map_or(0, |collection| collection.objects.len())
    }

    /// Object count, length of all texts, and bytes they occupy (without shared bases).
    pub(crate) fn sizes(&self) -> (usize, usize, usize) {
        let state = self.state.read();
        let objects = state.collections.values().flat_map(|collection| collection.objects.values());
        objects.fold((0, 0, 0), |(count, text, own), object| {
            (count + 1, text + object.body_len(), own + object.own_bytes())
        })
    }
}

impl State {
    fn collection(&mut self, kind: &GroupResource, history: usize) -> &mut Collection {
        let floor = self.floor;
        self.collections.entry(kind.clone()).or_insert_with(|| Collection {
            objects: BTreeMap::new(),
            history: History::new(floor, history),
            bases: HashMap::new(),
            head: watch::Sender::new(floor),
            progress: 0,
        })
    }

    fn publish(&mut self, kind: &GroupResource, change: &Arc<Change>, record: Record) {
        self.revision = change.revision();
        let Some(collection) = self.collections.get_mut(kind) else { return };
        match record {
            Record::Change => collection.history.push(change.clone()),
            Record::Silent => collection.history.compact(change.revision()),
        }
        collection.head.send_replace(change.revision());
    }
}

impl Collection {
    /// Makes the object, sharing text with its own earlier version or with a sibling of the same owner.
    fn object(&mut self, key: ObjectKey, revision: u64, value: Value, old: Option<&Object>) -> Object {
        let sibling_group = object::sibling_group(&value);
        let base = old.map(Object::base).or_else(|| self.bases.get(&*sibling_group));
        let object = Object::new(key, revision, value, base);
        let is_new_base = base.is_none_or(|base| base.as_ptr() != object.base().as_ptr());
        if is_new_base {
            if self.bases.len() >= MAX_BASES {
                self.bases.clear();
            }
            self.bases.insert(sibling_group, object.base().clone());
        }
        object
    }
}

impl Scope<'_> {
    /// The range of keys; nothing where it is empty, for instance because the key to go on after is behind the namespace.
    fn bounds(&self) -> Option<(Bound<ObjectKey>, Bound<ObjectKey>)> {
        // '0' is the character after '/', so `namespace0` is the first key after the namespace.
        let (first, end) = match self.namespace {
            "" => (Bound::Unbounded, Bound::Unbounded),
            namespace => (included(format!("{namespace}/")), Bound::Excluded(format!("{namespace}0"))),
        };
        let start = self.after.map_or(first, |after| Bound::Excluded(after.to_owned()));
        if let (Bound::Excluded(start), Bound::Excluded(end)) = (&start, &end)
            && start >= end
        {
            return None;
        }
        Some((start.map(|path| ObjectKey::from_path(&path)), end.map(|path| ObjectKey::from_path(&path))))
    }
}

fn included(path: String) -> Bound<String> {
    Bound::Included(path)
}

/// The objects within `bounds` as they were before the changes that `undo` takes back.
fn rewound(
    objects: &BTreeMap<ObjectKey, Arc<Object>>,
    undo: &HashMap<ObjectKey, Option<Arc<Object>>>,
    bounds: &(Bound<ObjectKey>, Bound<ObjectKey>),
) -> Vec<Arc<Object>> {
    let current = objects.range(bounds.clone()).filter(|(key, _)| !undo.contains_key(key));
    let mut then: BTreeMap<&ObjectKey, Arc<Object>> =
        current.map(|(key, object)| (key, object.clone())).collect();
    let in_bounds = |key: &ObjectKey| std::ops::RangeBounds::contains(bounds, key);
    for (key, object) in undo.iter().filter(|(key, _)| in_bounds(key)) {
        if let Some(object) = object {
            then.insert(key, object.clone());
        }
    }
    then.into_values().collect()
}
