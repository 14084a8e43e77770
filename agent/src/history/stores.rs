//! Looking up what objects there are.

use kubeplex_proto::kind::GroupResource;
use serde_json::Value;

use super::record::Owner;
use crate::cache::RowRef;
use crate::kinds::Kinds;

/// Objects that are decoded before writers are let in.
const DECODED_AT_ONCE: usize = 64;

/// The watched kinds of the cluster, read as they are now. Nothing begins to be watched for it.
#[derive(Clone, Copy)]
pub(super) struct Stores<'a>(pub(super) &'a Kinds);

impl Stores<'_> {
    pub(super) fn object(self, kind: &GroupResource, namespace: Option<&str>, name: &str) -> Option<Value> {
        let handle = self.0.watched(kind)?;
        let store = handle.store.read();
        store.get(namespace, name).and_then(parsed)
    }

    /// Objects of a kind that `wanted` picks by their rows, in a namespace or in all; at most so many.
    pub(super) fn objects(
        self,
        kind: &GroupResource,
        namespace: Option<&str>,
        most: usize,
        wanted: &dyn Fn(RowRef<'_>) -> bool,
    ) -> Vec<Value> {
        let Some(handle) = self.0.watched(kind) else { return Vec::new() };
        let (mut objects, mut next) =
            (Vec::new(), Some((namespace.unwrap_or_default().to_owned(), String::new())));
        while let Some((from_namespace, from_name)) = next.take() {
            let store = handle.store.read();
            let mut decoded = 0;
            for row in store.rows_from(&from_namespace, &from_name) {
                if namespace.is_some_and(|namespace| row.namespace() != Some(namespace))
                    || objects.len() >= most
                {
                    break;
                }
                if decoded >= DECODED_AT_ONCE {
                    next = Some((row.namespace().unwrap_or_default().to_owned(), row.name().to_owned()));
                    break;
                }
                if wanted(row) {
                    decoded += 1;
                    objects.extend(parsed(row));
                }
            }
        }
        objects
    }

    /// Every row of a kind.
    pub(super) fn rows(self, kind: &GroupResource, visit: &mut dyn FnMut(RowRef<'_>)) {
        if let Some(handle) = self.0.watched(kind) {
            handle.store.read().rows().for_each(visit);
        }
    }

    /// What controls an object.
    pub(super) fn owner(self, kind_name: &str, namespace: Option<&str>, name: &str) -> Option<Owner> {
        let kind = self.kind_called(kind_name)?;
        let handle = self.0.watched(&kind)?;
        let mut json = Vec::new();
        let known = handle.store.read().get(namespace, name).is_some_and(|row| row.object(&mut json));
        if known { super::record::owner(&json) } else { None }
    }

    /// The kind that objects of this `kind` are of: built-in ones first, then whatever the cluster serves.
    pub(super) fn kind_called(self, kind_name: &str) -> Option<GroupResource> {
        let builtin = crate::workload::KINDS.iter().find(|(kind, ..)| *kind == kind_name);
        if let Some((_, group, resource)) = builtin {
            return Some(GroupResource::new(*group, *resource));
        }
        let table = self.0.discovery();
        table.kinds.iter().find(|info| info.kind == kind_name).map(|info| info.id.clone())
    }
}

fn parsed(row: RowRef<'_>) -> Option<Value> {
    let mut json = Vec::new();
    if row.object(&mut json) { serde_json::from_slice(&json).ok() } else { None }
}
