//! The cluster as verdicts see it, and the memory of what one looked at.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::selector::LabelSelector;
use serde_json::Value;

use super::look::Look;
use super::{ObjectRef, World};

/// What is known of the cluster, whoever looks.
pub(super) trait Sight {
    /// Milliseconds since 1970, by the cluster's clock.
    fn now_ms(&self) -> i64;

    /// Whether all objects of a kind are known.
    fn knows(&self, kind: &GroupResource) -> bool;

    fn get(&self, object: &ObjectRef) -> Option<Arc<Value>>;

    /// The apiVersion that an object's last writer wrote it in.
    fn written_as(&self, object: &ObjectRef) -> Option<String>;

    /// Empty where the object is not there.
    fn labels(&self, object: &ObjectRef) -> Vec<(String, String)>;

    /// The name of one object of a namespace whose labels match, the same one as long as it is there.
    fn first(&self, kind: &GroupResource, namespace: &str, labels: &LabelSelector) -> Option<String>;

    fn select(&self, kind: &GroupResource, namespace: &str, labels: &LabelSelector) -> Vec<Arc<Value>>;

    fn list(&self, kind: &GroupResource, namespace: Option<&str>) -> Vec<Arc<Value>>;

    /// The newest first.
    fn events_of(&self, object: &ObjectRef) -> Vec<Arc<Value>>;

    /// What an event tells of, while the event is there.
    fn told_of(&self, event: &ObjectRef) -> Option<ObjectRef>;

    /// The kind that objects call so: `apps/v1`, `ReplicaSet`.
    fn named(&self, api_version: &str, kind: &str) -> Option<GroupResource>;

    /// Up to so many objects of a kind behind this one, in the order of namespace and name.
    fn after(&self, kind: &GroupResource, after: Option<&ObjectRef>, most: usize) -> Vec<ObjectRef>;
}

/// A [`Sight`] that remembers what was looked at.
pub(super) struct Recorder<'a> {
    sight: &'a dyn Sight,
    looks: RefCell<BTreeSet<Look>>,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(sight: &'a dyn Sight) -> Self {
        Self { sight, looks: RefCell::default() }
    }

    pub(super) fn into_looks(self) -> Vec<Look> {
        self.looks.into_inner().into_iter().collect()
    }

    fn note(&self, look: Look) {
        self.looks.borrow_mut().insert(look);
    }

    /// Objects that were shown; of those without a name there are none.
    fn note_shown(&self, kind: &GroupResource, objects: &[Arc<Value>]) {
        for object in objects {
            let namespace = object["metadata"]["namespace"].as_str().map(str::to_owned);
            let Some(name) = object["metadata"]["name"].as_str() else { continue };
            let shown = ObjectRef { kind: kind.clone(), namespace, name: name.to_owned() };
            self.note(Look::Object(Arc::new(shown)));
        }
    }
}

impl World for Recorder<'_> {
    fn now_ms(&self) -> i64 {
        self.sight.now_ms()
    }

    fn knows(&self, kind: &GroupResource) -> bool {
        self.note(Look::Known(kind.clone()));
        self.sight.knows(kind)
    }

    fn get(&self, kind: &GroupResource, namespace: Option<&str>, name: &str) -> Option<Arc<Value>> {
        let object = Arc::new(ObjectRef {
            kind: kind.clone(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        });
        let found = self.sight.get(&object);
        self.note(Look::Object(object));
        found
    }

    fn one(&self, kind: &GroupResource, namespace: &str, labels: &LabelSelector) -> Option<Arc<Value>> {
        match self.sight.first(kind, namespace, labels) {
            // As long as this one is there and matches, nothing else matters.
            Some(name) => self.get(kind, Some(namespace), &name),
            None => {
                self.note(Look::Labels(kind.clone(), namespace.to_owned(), labels.clone()));
                None
            }
        }
    }

    fn select(&self, kind: &GroupResource, namespace: &str, labels: &LabelSelector) -> Vec<Arc<Value>> {
        let found = self.sight.select(kind, namespace, labels);
        self.note(Look::Labels(kind.clone(), namespace.to_owned(), labels.clone()));
        self.note_shown(kind, &found);
        found
    }

    fn list(&self, kind: &GroupResource, namespace: Option<&str>) -> Vec<Arc<Value>> {
        self.note(Look::Kind(kind.clone(), namespace.map(str::to_owned)));
        self.sight.list(kind, namespace)
    }

    fn events_of(&self, object: &ObjectRef) -> Vec<Arc<Value>> {
        let found = self.sight.events_of(object);
        self.note(Look::Events(Arc::new(object.clone())));
        // That an event goes is known by its name alone.
        self.note_shown(&events(), &found);
        found
    }
}

/// Core's events: the same objects in another group are not watched.
pub(super) fn events() -> GroupResource {
    GroupResource::new("", "events")
}
