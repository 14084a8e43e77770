//! Puts raw objects into a store: prepared outside the lock, applied in batches under it.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use super::event::{ObjectHead, ObjectMeta};
use super::feed::Feed;
use super::intake::Intake;
use super::unreadable::Unreadable;
use super::version;
use super::witness::{Sighting, Way, Witnesses};
use super::writes::{self, Gone, Outcome, Write};
use crate::cache::{self, Before, KindStore, Relist, Types};
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
    list: Mutex<Listed>,
    deny: Arc<Deny>,
    witnesses: Witnesses,
    /// Whether a witness wants to see what objects were before.
    compared: bool,
    intake: Intake,
    unreadable: Mutex<Unreadable>,
}

/// How far the part was listed.
#[derive(Default)]
struct Listed {
    /// The list that is under way, and what it tells.
    under_way: Option<(Relist, Way)>,
    /// Whether one came to its end: what a later one tells is news.
    once: bool,
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
    pub(crate) fn new(feed: Feed, deny: Arc<Deny>, witnesses: Witnesses) -> Self {
        let told = match feed.part.types {
            Types::Only(one) => Told::of_type(one),
            Types::All | Types::AllBut(_) => None,
        };
        let intake = Intake::of(feed.handle.store_shape().clone(), told);
        let compared = witnesses.compare(&feed.handle.info);
        Self { feed, list: Mutex::default(), deny, witnesses, compared, intake, unreadable: Mutex::default() }
    }

    pub(crate) fn intake(&self) -> &Intake {
        &self.intake
    }

    pub(crate) fn begin_list(&self) {
        self.unreadable.lock().forget_all();
        let relist = self.feed.handle.store.write().begin_relist();
        let mut list = self.list.lock();
        let since = self.feed.as_of();
        let way = if list.once { Way::ListAfterGap { since } } else { Way::FirstList };
        list.under_way = Some((relist, way));
    }

    /// Sweeps what the list did not mention. What it took to take it in is given back.
    pub(crate) fn finish_list(&self) {
        let finished = self.list.lock().under_way.take();
        if let Some((relist, way)) = finished {
            let mut gone = Gone::new(self.compared);
            self.feed.handle.store.write().finish_relist(relist, &self.feed.part, &mut |row| gone.add(row));
            self.list.lock().once = true;
            self.tell(way, &gone.deleted());
            self.witnesses.list(&self.feed.handle.info, way);
        }
        cache::rest();
        self.feed.handle.tick();
    }

    /// Forgets all rows of the part. The time it takes is not spent under the lock.
    pub(crate) fn clear(&self) {
        *self.list.lock() = Listed::default();
        let mut gone = Gone::new(false);
        let forgotten = {
            let mut store = self.feed.handle.store.write();
            if self.feed.part.is_whole() {
                store.clear()
            } else {
                // A list that mentions nothing.
                let relist = store.begin_relist();
                store.finish_relist(relist, &self.feed.part, &mut |row| gone.add(row));
                None
            }
        };
        self.feed.current_never();
        forgotten.iter().flat_map(KindStore::rows).for_each(|row| gone.add(row));
        self.tell(Way::Watch, &gone.forgotten());
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
        let mut before = self.before(&writes);
        let mut evicted = Gone::new(false);
        let outcomes = self.write(&writes, &mut evicted);
        writes::in_turn(&writes, &mut before, &outcomes);
        if outcomes.iter().any(|outcome| outcome.is_some()) {
            self.feed.handle.tick();
        }
        let way = self.list.lock().under_way.as_ref().map_or(Way::Watch, |(_, way)| *way);
        self.tell(way, &writes::sightings(&writes, &before, &outcomes));
        self.tell(way, &evicted.forgotten());
        newest
    }

    /// What the writes will find, where somebody compares. Nobody else writes to this part in between.
    fn before(&self, writes: &[Write]) -> Vec<Option<Before>> {
        if !self.compared {
            return Vec::new();
        }
        let store = self.feed.handle.store.read();
        writes.iter().map(|write| write.before(&store)).collect()
    }

    fn tell(&self, way: Way, sightings: &[Sighting<'_>]) {
        self.witnesses.see(&self.feed.handle.info, way, sightings);
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

    /// Says of each write what it did, where a reader could notice. What makes room for what is written is `evicted`.
    fn write(&self, writes: &[Write], evicted: &mut Gone) -> Vec<Option<Outcome>> {
        let mut store = self.feed.handle.store.write();
        let mut unreadable = self.unreadable.lock();
        let mut write = |write: &Write| {
            let (namespace, name) = (write.namespace(), write.name());
            if self.deny.object(&self.feed.handle.info.id, namespace, name) {
                return None;
            }
            // A state that is older than the one that can't be read does not come back in its place.
            if !unreadable.resolve(namespace, name, write.version()) {
                return None;
            }
            match write {
                Write::Put(object) => Outcome::of(store.take_in(object, &mut |row| evicted.add(row))),
                Write::Delete(meta) => {
                    store.delete(namespace, name, meta.uid.as_deref()).then_some(Outcome::Deleted)
                }
                // The old row must go: it would be shown as current.
                Write::Lose(meta) => {
                    let lost = store.lose(namespace, name, meta.uid.as_deref(), &meta.resource_version);
                    if lost {
                        unreadable.add(meta);
                    }
                    lost.then_some(Outcome::Lost)
                }
            }
        };
        writes.iter().map(&mut write).collect()
    }
}

#[cfg(test)]
#[path = "applier_tests.rs"]
mod tests;
