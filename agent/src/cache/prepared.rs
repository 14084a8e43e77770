//! An object on its way into a store.

use std::fmt;
use std::sync::Arc;

use super::codec::Dictionary;
use crate::columns::Cell;

/// An object that ingest has parsed, redacted and stripped: all that a store keeps of it.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Empty for a cluster-scoped object.
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
    /// Empty where the object has none.
    pub(crate) version: String,
    pub(crate) created_ms: Option<i64>,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) last_writer: Option<LastWriter>,
    /// Everybody who wrote it; no store keeps them.
    pub(crate) writers: Vec<Writer>,
    /// One per narrow column, then one per indexed path of the kind, then its images.
    pub(crate) cells: Vec<Cell>,
    /// The whole object, compact.
    pub(crate) json: Vec<u8>,
    /// The same compressed, where that was done before the store's lock was taken.
    pub(crate) pressed: Option<Pressed>,
}

/// A compressed object, and what it was compressed with.
#[derive(Clone)]
pub(crate) struct Pressed {
    pub(super) dictionary: Option<Arc<Dictionary>>,
    pub(super) frame: Vec<u8>,
}

/// Who wrote what somebody wants of an object, by `managedFields`: the most recent entry but for those of the status, which
/// controllers write all the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LastWriter {
    pub(crate) manager: String,
    pub(crate) operation: String,
    pub(crate) api_version: String,
    pub(crate) time_ms: i64,
}

/// An entry of `managedFields`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Writer {
    pub(crate) wrote: LastWriter,
    /// Whether it says when; without, `wrote` has a time that means nothing. kube-apiserver (1.37) leaves it out of what was
    /// written through the subresource `scale`.
    pub(crate) is_timed: bool,
    /// Whether it was through the subresource `status`.
    pub(crate) is_of_status: bool,
    /// Where fields are that it wrote last.
    pub(crate) areas: Areas,
}

/// A part of an object that is written by others than its rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Area {
    Status = 1,
    Metadata = 2,
    Data = 4,
    /// `spec.replicas`, which autoscalers write.
    Replicas = 8,
    Rest = 16,
}

/// Some of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Areas(u8);

impl Areas {
    pub(crate) const ALL: Self = Self(31);

    pub(crate) fn add(&mut self, area: Area) {
        self.0 |= area as u8;
    }

    pub(crate) fn hold(self, area: Area) -> bool {
        self.0 & area as u8 != 0
    }
}

impl Pressed {
    /// Whether this is how a store compresses that has `dictionary`.
    pub(super) fn is_of(&self, dictionary: Option<&Arc<Dictionary>>) -> bool {
        self.dictionary.as_ref().map(Arc::as_ptr) == dictionary.map(Arc::as_ptr)
    }
}

impl fmt::Debug for Pressed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pressed({} bytes)", self.frame.len())
    }
}

impl Prepared {
    /// `None` for a cluster-scoped object.
    pub fn namespace(&self) -> Option<&str> {
        (!self.namespace.is_empty()).then_some(self.namespace.as_str())
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// As the API server gave it; empty where it gave none.
    pub fn resource_version(&self) -> &str {
        &self.version
    }
}
