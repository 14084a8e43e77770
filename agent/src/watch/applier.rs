//! Puts raw objects into a store: prepared outside the lock, applied in batches under it.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use super::event::{ObjectHead, ObjectMeta};
use super::feed::Feed;
use super::intake::Intake;
use super::unreadable::Unreadable;
use super::version;
use crate::cache::{self, Applied, Prepared, Relist, Types};
use crate::config::Deny;
use crate::ingest::IngestError;
use crate::secrets::Told;

/// A change of one object, as the server sent it.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Put(Bytes),
    Delete(Bytes),
}

/// The one writer of a store.
pub(crate) struct Applier {
    feed: Feed,
    relist: Mutex<Option<Relist>>,
    deny: Arc<Deny>,
    intake: Intake,
    unreadable: Mutex<Unreadable>,
}

enum Write {
    Put(Box<Prepared>),
    Delete(ObjectMeta),
    /// The object is there, in a state that can't be read.
    Lose(ObjectMeta),
}

impl Change {
    pub(crate) fn raw(&self) -> &Bytes {
        match self {
            Self::Put(raw) | Self::Delete(raw) => raw,
        }
    }

    /// Which object it is about, where at least that can be read.
    fn meta(&self) -> Option<ObjectMeta> {
        let meta = ObjectHead::parse(self.raw()).ok()?.meta;
        (!meta.name.is_empty()).then_some(meta)
    }
}

impl Applier {
    pub(crate) fn new(feed: Feed, deny: Arc<Deny>) -> Self {
        let told = match feed.part.types {
            Types::Only(one) => Told::of_type(one),
            Types::All | Types::AllBut(_) => None,
        };
        let intake = Intake::of(feed.handle.store_shape().clone(), told);
        Self { feed, relist: Mutex::default(), deny, intake, unreadable: Mutex::default() }
    }

    pub(crate) fn intake(&self) -> &Intake {
        &self.intake
    }

    pub(crate) fn begin_list(&self) {
        self.unreadable.lock().forget_all();
        *self.relist.lock() = Some(self.feed.handle.store.write().begin_relist());
    }

    /// Sweeps what the list did not mention. What it took to take it in is given back.
    pub(crate) fn finish_list(&self) {
        if let Some(relist) = self.relist.lock().take() {
            self.feed.handle.store.write().finish_relist(relist, &self.feed.part);
        }
        cache::rest();
        self.feed.handle.tick();
    }

    /// Forgets all rows of the part. The time it takes is not spent under the lock.
    pub(crate) fn clear(&self) {
        let forgotten = {
            let mut store = self.feed.handle.store.write();
            if self.feed.part.is_whole() {
                store.clear()
            } else {
                // A list that mentions nothing.
                let relist = store.begin_relist();
                store.finish_relist(relist, &self.feed.part);
                None
            }
        };
        self.feed.current_never();
        drop(forgotten);
    }

    /// What is missing from the store, for the status.
    pub(crate) fn complaint(&self) -> Option<String> {
        match self.unreadable.lock().count() {
            0 => None,
            1 => Some("an object could not be read and is missing".to_owned()),
            count => Some(format!("{count} objects could not be read and are missing")),
        }
    }

    /// Applies changes in order. Returns the newest version among them. Takes some microseconds an object.
    pub(crate) fn apply(&self, changes: &[Change]) -> Option<String> {
        let mut newest = None;
        let mut writes = Vec::with_capacity(changes.len());
        for change in changes {
            if let Err(error) = self.prepare(change, &mut writes) {
                tracing::warn!(kind = %self.feed.handle.info.id, error = &error as &dyn std::error::Error, "an object is left out");
                match change.meta() {
                    Some(meta) => writes.push(Write::Lose(meta)),
                    None => self.unreadable.lock().add_unnamed(),
                }
            }
        }
        for write in &writes {
            let seen = write.version().to_owned();
            if !seen.is_empty() {
                version::advance(newest.get_or_insert_default(), seen);
            }
        }
        cache::press(&self.feed.handle.store, writes.iter_mut().filter_map(Write::object));
        if self.write(writes) {
            self.feed.handle.tick();
        }
        newest
    }

    fn prepare(&self, change: &Change, writes: &mut Vec<Write>) -> Result<(), IngestError> {
        match change {
            Change::Put(raw) => {
                let prepared = self.intake.prepare(raw)?;
                writes.extend(prepared.into_iter().map(|object| Write::Put(Box::new(object))));
            }
            Change::Delete(raw) => {
                let head = ObjectHead::parse(raw)?;
                self.intake.note_columns(&head.columns);
                writes.push(Write::Delete(head.meta));
            }
        }
        Ok(())
    }

    /// Says whether a reader could notice.
    fn write(&self, writes: Vec<Write>) -> bool {
        let mut noticeable = false;
        let mut store = self.feed.handle.store.write();
        let mut unreadable = self.unreadable.lock();
        for write in writes {
            let (namespace, name) = (write.namespace(), write.name());
            if self.deny.object(&self.feed.handle.info.id, namespace, name) {
                continue;
            }
            // A state that is older than the one that can't be read does not come back in its place.
            if !unreadable.resolve(namespace, name, write.version()) {
                continue;
            }
            match write {
                Write::Put(object) => noticeable |= store.apply(*object) != Applied::Unchanged,
                Write::Delete(meta) => {
                    noticeable |= store.delete(meta.namespace.as_deref(), &meta.name, meta.uid.as_deref());
                }
                // The old row must go: it would be shown as current.
                Write::Lose(meta) => {
                    let (namespace, name, uid) =
                        (meta.namespace.as_deref(), meta.name.as_str(), meta.uid.as_deref());
                    if store.lose(namespace, name, uid, &meta.resource_version) {
                        noticeable = true;
                        unreadable.add(meta);
                    }
                }
            }
        }
        noticeable
    }
}

impl Write {
    fn object(&mut self) -> Option<&mut Prepared> {
        match self {
            Self::Put(object) => Some(object),
            Self::Delete(_) | Self::Lose(_) => None,
        }
    }

    fn version(&self) -> &str {
        match self {
            Self::Put(object) => object.resource_version(),
            Self::Delete(meta) | Self::Lose(meta) => &meta.resource_version,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Put(object) => object.name(),
            Self::Delete(meta) | Self::Lose(meta) => &meta.name,
        }
    }

    fn namespace(&self) -> Option<&str> {
        match self {
            Self::Put(object) => object.namespace(),
            Self::Delete(meta) | Self::Lose(meta) => meta.namespace.as_deref(),
        }
    }
}

#[cfg(test)]
#[path = "applier_tests.rs"]
mod tests;
