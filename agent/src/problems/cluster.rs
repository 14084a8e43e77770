//! The cluster as its caches have it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use kubeplex_proto::control::SyncState;
use kubeplex_proto::kind::{GroupResource, KindInfo, KindTable};
use kubeplex_proto::selector::LabelSelector;
use serde_json::Value;

use super::ObjectRef;
use super::sight::{Sight, events};
use super::told::{newest, told_of};
use crate::cache::RowRef;
use crate::kinds::{KindHandle, Seen};
use crate::limits::{DECODED_UNDER_LOCK, PROBLEM_OBJECTS_LISTED, ROWS_UNDER_LOCK};

/// What is decoded once for objects that are judged together.
const DECODED_KEPT: usize = 64;

/// The stores that readers have at one moment. Rows are those of the moment when they are read.
pub(super) struct Cluster {
    handles: BTreeMap<GroupResource, Arc<KindHandle>>,
    discovery: Arc<KindTable>,
    now_ms: i64,
    decoded: RefCell<HashMap<ObjectRef, Option<Arc<Value>>>>,
    missed: RefCell<BTreeSet<GroupResource>>,
}

/// How far a kind can be believed, as far as verdicts go by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Belief {
    /// Nothing is known.
    Nothing,
    /// What there is is so, but there may be more.
    Partly,
    Whole,
}

impl Belief {
    pub(super) fn of(handle: &KindHandle) -> Self {
        let status = handle.status();
        match (status.state, status.seen) {
            (SyncState::Synced | SyncState::Stale, Seen::All) => Self::Whole,
            (SyncState::Synced | SyncState::Stale, Seen::Only(_)) => Self::Partly,
            _ => Self::Nothing,
        }
    }
}

impl Cluster {
    pub(super) fn new(
        handles: BTreeMap<GroupResource, Arc<KindHandle>>,
        discovery: Arc<KindTable>,
        now_ms: i64,
    ) -> Self {
        Self { handles, discovery, now_ms, decoded: RefCell::default(), missed: RefCell::default() }
    }

    pub(super) fn watches(&self, kind: &GroupResource) -> bool {
        self.handles.contains_key(kind)
    }

    /// Kinds that were asked for and are not watched, although the cluster serves them.
    pub(super) fn into_missed(self) -> BTreeSet<GroupResource> {
        let served = |kind: &GroupResource| self.discovery.get(kind).is_some();
        self.missed.into_inner().into_iter().filter(served).collect()
    }

    /// Reads what is known of a kind, which is wanted.
    fn handle(&self, kind: &GroupResource) -> Option<&Arc<KindHandle>> {
        if !self.watches(kind) {
            self.missed.borrow_mut().insert(kind.clone());
        }
        self.known(kind)
    }

    fn known(&self, kind: &GroupResource) -> Option<&Arc<KindHandle>> {
        self.handles.get(kind).filter(|handle| Belief::of(handle) != Belief::Nothing)
    }

    fn row<T>(&self, object: &ObjectRef, read: impl FnOnce(RowRef<'_>) -> T) -> Option<T> {
        let store = self.handle(&object.kind)?.store.read();
        store.get(object.namespace.as_deref(), &object.name).map(read)
    }

    fn info(&self, named: impl Fn(&KindInfo) -> bool) -> Option<&KindInfo> {
        self.discovery.kinds.iter().find(|info| named(info))
    }

    fn collect(
        &self,
        kind: &GroupResource,
        namespace: Option<&str>,
        keep: impl Fn(RowRef<'_>) -> bool,
    ) -> Vec<Arc<Value>> {
        let Some(handle) = self.handle(kind) else { return Vec::new() };
        let mut found = Vec::new();
        let mut json = Vec::new();
        visit(handle, namespace, DECODED_UNDER_LOCK, |row| {
            if keep(row) && row.object(&mut json) {
                found.extend(serde_json::from_slice(&json).ok().map(Arc::new));
            }
            found.len() < PROBLEM_OBJECTS_LISTED
        });
        found
    }
}

/// Visits rows in the order of namespace and name until told to stop, and lets writers in after each so many.
pub(super) fn visit(
    handle: &KindHandle,
    namespace: Option<&str>,
    at_once: usize,
    mut visit: impl FnMut(RowRef<'_>) -> bool,
) {
    let mut from = (namespace.unwrap_or_default().to_owned(), String::new());
    loop {
        let store = handle.store.read();
        let mut next = None;
        for (seen, row) in store.rows_from(&from.0, &from.1).enumerate() {
            if namespace.is_some_and(|namespace| row.namespace() != Some(namespace)) {
                return;
            }
            if seen == at_once {
                next = Some((row.namespace().unwrap_or_default().to_owned(), row.name().to_owned()));
                break;
            }
            if !visit(row) {
                return;
            }
        }
        match next {
            Some(next) => from = next,
            None => return,
        }
    }
}

impl Sight for Cluster {
    fn now_ms(&self) -> i64 {
        self.now_ms
    }

    fn knows(&self, kind: &GroupResource) -> bool {
        self.handle(kind).is_some_and(|handle| Belief::of(handle) == Belief::Whole)
    }

    fn get(&self, object: &ObjectRef) -> Option<Arc<Value>> {
        if let Some(known) = self.decoded.borrow().get(object) {
            return known.clone();
        }
        let mut json = Vec::new();
        let is_there = self.row(object, |row| row.object(&mut json)).unwrap_or_default();
        let found = if is_there { serde_json::from_slice(&json).ok().map(Arc::new) } else { None };
        let mut decoded = self.decoded.borrow_mut();
        if decoded.len() == DECODED_KEPT {
            decoded.clear();
        }
        decoded.insert(object.clone(), found.clone());
        found
    }

    fn written_as(&self, object: &ObjectRef) -> Option<String> {
        self.row(object, |row| Some(row.last_manager()?.api_version.to_owned())).flatten()
    }

    fn labels(&self, object: &ObjectRef) -> Vec<(String, String)> {
        let read = |row: RowRef<'_>| {
            row.labels().map(|(key, value)| (key.to_owned(), value.to_owned())).collect::<Vec<_>>()
        };
        self.row(object, read).unwrap_or_default()
    }

    fn first(&self, kind: &GroupResource, namespace: &str, labels: &LabelSelector) -> Option<String> {
        let mut found = None;
        visit(self.handle(kind)?, Some(namespace), ROWS_UNDER_LOCK, |row| {
            found = labels.matches(|key| row.label(key)).then(|| row.name().to_owned());
            found.is_none()
        });
        found
    }

    fn select(&self, kind: &GroupResource, namespace: &str, labels: &LabelSelector) -> Vec<Arc<Value>> {
        self.collect(kind, Some(namespace), |row| labels.matches(|key| row.label(key)))
    }

    fn list(&self, kind: &GroupResource, namespace: Option<&str>) -> Vec<Arc<Value>> {
        self.collect(kind, namespace, |_| true)
    }

    fn events_of(&self, object: &ObjectRef) -> Vec<Arc<Value>> {
        let Some(handle) = self.handle(&events()) else { return Vec::new() };
        let Some(info) = self.info(|info| info.id == object.kind) else { return Vec::new() };
        let newest = newest(handle, &info.kind, object.namespace.as_deref(), &object.name);
        newest.iter().filter_map(|event| self.get(event)).collect()
    }

    fn told_of(&self, event: &ObjectRef) -> Option<ObjectRef> {
        let handle = self.handle(&events())?;
        let told = self.row(event, |row| told_of(handle, row))?;
        let kind = self.named(&told.api_version, &told.kind)?;
        Some(ObjectRef { kind, namespace: told.namespace, name: told.name })
    }

    fn named(&self, api_version: &str, kind: &str) -> Option<GroupResource> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        self.info(|info| info.kind == kind && info.id.group == group).map(|info| info.id.clone())
    }

    fn after(&self, kind: &GroupResource, after: Option<&ObjectRef>, most: usize) -> Vec<ObjectRef> {
        // That it is gone through makes nobody watch a kind.
        let Some(handle) = self.known(kind) else { return Vec::new() };
        let store = handle.store.read();
        let (namespace, name) = after
            .map_or(("", ""), |last| (last.namespace.as_deref().unwrap_or_default(), last.name.as_str()));
        let is_behind = |row: &RowRef<'_>| {
            after.is_none() || (row.namespace().unwrap_or_default(), row.name()) > (namespace, name)
        };
        let rows = store.rows_from(namespace, name).filter(is_behind).take(most);
        let object = |row: RowRef<'_>| ObjectRef {
            kind: kind.clone(),
            namespace: row.namespace().map(str::to_owned),
            name: row.name().to_owned(),
        };
        rows.map(object).collect()
    }
}
