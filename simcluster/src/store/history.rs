//! The changes of one kind that are still remembered, oldest first, and what follows from them: watching on, and seeing the past.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::object::Object;
use crate::names::ObjectKey;

/// The changes asked for are no longer remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expired;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    Added,
    Modified,
    Deleted,
}

impl ChangeKind {
    /// The `type` of a watch event.
    pub(crate) fn event_type(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}

/// One change of one object.
#[derive(Debug)]
pub(crate) struct Change {
    revision: u64,
    old: Option<Arc<Object>>,
    new: Option<Arc<Object>>,
    last: Arc<Object>,
    line: OnceLock<Bytes>,
}

impl Change {
    /// `last` is the object with the revision of this change, also where the change removed it.
    pub(super) fn new(
        revision: u64,
        old: Option<Arc<Object>>,
        new: Option<Arc<Object>>,
        last: Arc<Object>,
    ) -> Self {
        Self { revision, old, new, last, line: OnceLock::new() }
    }

    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    pub(crate) fn kind(&self) -> ChangeKind {
        match (&self.old, &self.new) {
            (_, None) => ChangeKind::Deleted,
            (None, Some(_)) => ChangeKind::Added,
            (Some(_), Some(_)) => ChangeKind::Modified,
        }
    }

    pub(crate) fn old(&self) -> Option<&Arc<Object>> {
        self.old.as_ref()
    }

    pub(crate) fn last(&self) -> &Arc<Object> {
        &self.last
    }

    /// The watch line of this change, rendered by the first watch that needs it and shared by all.
    pub(crate) fn line(&self, render: impl FnOnce() -> Bytes) -> Bytes {
        self.line.get_or_init(render).clone()
    }
}

#[derive(Debug)]
pub(crate) struct History {
    changes: VecDeque<Arc<Change>>,
    capacity: usize,
    /// Changes up to this revision are forgotten.
    compacted: u64,
}

impl History {
    pub(super) fn new(revision: u64, capacity: usize) -> Self {
        Self { changes: VecDeque::new(), capacity, compacted: revision }
    }

    pub(super) fn push(&mut self, change: Arc<Change>) {
        self.changes.push_back(change);
        if self.changes.len() > self.capacity
            && let Some(oldest) = self.changes.pop_front()
        {
            self.compacted = oldest.revision;
        }
    }

    pub(super) fn compact(&mut self, revision: u64) {
        self.changes.clear();
        self.compacted = revision;
    }

    /// The changes after `position`.
    pub(super) fn after(&self, position: u64) -> Result<Vec<Arc<Change>>, Expired> {
        if position < self.compacted {
            return Err(Expired);
        }
        let first = self.changes.partition_point(|change| change.revision <= position);
        Ok(self.changes.range(first..).cloned().collect())
    }

    /// What each object changed after `revision` was at that revision; empty where nothing changed since.
    pub(super) fn undo_to(&self, revision: u64) -> Result<HashMap<ObjectKey, Option<Arc<Object>>>, Expired> {
        let mut undo = HashMap::new();
        for change in self.after(revision)? {
            undo.entry(change.last.key().clone()).or_insert_with(|| change.old.clone());
        }
        Ok(undo)
    }
}
