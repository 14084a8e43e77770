//! What changed since somebody last looked: noted by whoever writes a store, at the cost of a name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use kubeplex_proto::kind::{GroupResource, KindInfo};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::ObjectRef;
use crate::limits::PROBLEM_CHANGES;
use crate::watch::{Sighting, Way, Witness};

/// Changes of a cluster's objects, until they are taken.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    open: AtomicBool,
    changes: Mutex<Changes>,
    told: Notify,
}

#[derive(Debug, Default)]
pub(super) struct Changes {
    /// By kind: namespace and name.
    pub(super) objects: BTreeMap<GroupResource, BTreeSet<(Option<String>, String)>>,
    /// Kinds of which anything may have changed.
    pub(super) kinds: BTreeSet<GroupResource>,
    count: usize,
}

impl Inbox {
    /// While it is closed, nothing is noted.
    pub(super) fn open(&self, open: bool) {
        self.open.store(open, Ordering::Release);
        if !open {
            *self.changes.lock() = Changes::default();
        }
    }

    pub(super) fn take(&self) -> Changes {
        std::mem::take(&mut *self.changes.lock())
    }

    pub(super) fn is_empty(&self) -> bool {
        let changes = self.changes.lock();
        changes.objects.is_empty() && changes.kinds.is_empty()
    }

    /// Waits until something is noted.
    pub(super) async fn told(&self) {
        self.told.notified().await;
    }

    /// Whether anything is noted by now.
    fn note(&self, note: impl FnOnce(&mut Changes)) {
        if self.open.load(Ordering::Acquire) {
            note(&mut self.changes.lock());
            self.told.notify_one();
        }
    }
}

impl Changes {
    fn add(&mut self, kind: &GroupResource, objects: impl Iterator<Item = (Option<String>, String)>) {
        if self.kinds.contains(kind) {
            return;
        }
        let before = self.objects.get(kind).map_or(0, BTreeSet::len);
        let of_kind = self.objects.entry(kind.clone()).or_default();
        of_kind.extend(objects);
        self.count += of_kind.len() - before;
        // Of so many it is cheaper to go through the kind.
        if self.count > PROBLEM_CHANGES {
            let largest = self.objects.iter().max_by_key(|(_, objects)| objects.len());
            let largest = largest.map(|(kind, _)| kind.clone());
            self.all_of(&largest.unwrap_or_else(|| kind.clone()));
        }
    }

    fn all_of(&mut self, kind: &GroupResource) {
        self.count -= self.objects.remove(kind).map_or(0, |objects| objects.len());
        self.kinds.insert(kind.clone());
    }
}

impl Witness for Inbox {
    fn compares(&self, _kind: &KindInfo) -> bool {
        false
    }

    /// What a first list tells is gone through when the list is there.
    fn saw(&self, kind: &KindInfo, way: Way, sightings: &[Sighting<'_>]) {
        if way == Way::FirstList {
            return;
        }
        let names = sightings.iter().map(|seen| (seen.namespace.map(str::to_owned), seen.name.to_owned()));
        self.note(|changes| changes.add(&kind.id, names));
    }

    fn listed(&self, kind: &KindInfo, way: Way) {
        if way == Way::FirstList {
            self.note(|changes| changes.all_of(&kind.id));
        }
    }
}

impl Changes {
    /// One by one.
    pub(super) fn into_objects(self) -> impl Iterator<Item = ObjectRef> {
        self.objects.into_iter().flat_map(|(kind, objects)| {
            objects.into_iter().map(move |(namespace, name)| ObjectRef {
                kind: kind.clone(),
                namespace,
                name,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_changes_only_the_kind_is_remembered() {
        let (pods, nodes) = (GroupResource::new("", "pods"), GroupResource::new("", "nodes"));
        let mut changes = Changes::default();
        let name = |at: usize| (Some("shop".to_owned()), format!("p{at}"));
        changes.add(&nodes, [(None, "n1".to_owned())].into_iter());
        changes.add(&pods, (0..PROBLEM_CHANGES - 1).map(name));
        changes.add(&pods, (0..10).map(name));
        assert!(changes.kinds.is_empty(), "the same ones again");
        changes.add(&pods, [name(PROBLEM_CHANGES)].into_iter());
        assert_eq!(changes.kinds.iter().collect::<Vec<_>>(), [&pods]);
        changes.add(&pods, [name(1)].into_iter());
        let left: Vec<_> = changes.into_objects().map(|object| object.name).collect();
        assert_eq!(left, ["n1"]);
    }
}
