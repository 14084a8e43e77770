//! The objects of a kind that are there, but in a state that could not be read.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::event::ObjectMeta;
use super::version;
use crate::limits::UNREADABLE_NAMED;

/// What is missing from a store since the last whole list began.
#[derive(Debug, Default)]
pub(super) struct Unreadable {
    /// The versions that could not be read, by namespace and name.
    named: HashMap<(String, String), String>,
    unnamed: usize,
}

impl Unreadable {
    pub(super) fn count(&self) -> usize {
        self.named.len() + self.unnamed
    }

    pub(super) fn forget_all(&mut self) {
        *self = Self::default();
    }

    pub(super) fn add(&mut self, meta: &ObjectMeta) {
        if self.named.len() >= UNREADABLE_NAMED {
            self.unnamed += 1;
            return;
        }
        let key = (meta.namespace.clone().unwrap_or_default(), meta.name.clone());
        self.named.insert(key, meta.resource_version.clone());
    }

    /// Not even its name could be read.
    pub(super) fn add_unnamed(&mut self) {
        self.unnamed += 1;
    }

    /// A state of an object has arrived. Says whether to go by it: not where it is older than one that could not be read.
    pub(super) fn resolve(&mut self, namespace: Option<&str>, name: &str, version: &str) -> bool {
        if self.named.is_empty() {
            return true;
        }
        let key = (namespace.unwrap_or_default().to_owned(), name.to_owned());
        let is_older = |known: &String| version::compare(version, known) == Some(Ordering::Less);
        if self.named.get(&key).is_some_and(is_older) {
            return false;
        }
        self.named.remove(&key);
        true
    }
}
