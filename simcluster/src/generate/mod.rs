//! What a simulated cluster holds at its start.

mod random;

use serde_json::json;

pub(crate) use random::Random;

use crate::cluster::Shared;
use crate::store::Record;

/// The namespaces that every cluster has.
pub(crate) fn bare(shared: &Shared) {
    for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
        put(shared, json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
            "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}));
    }
}

/// The small company.
pub(crate) fn company(shared: &Shared) {
    bare(shared);
}

/// Stores an object of the first content, which no watch sees as a change.
fn put(shared: &Shared, object: serde_json::Value) {
    let stored = shared.resource_of(&object).map(|resource| shared.put(&resource, object, Record::Silent));
    debug_assert!(matches!(stored, Ok(Ok(_))), "the generator makes only objects that a server takes: {stored:?}");
}
