//! Kinds, as a cluster's discovery describes them.

use kubeplex_proto::kind::{GroupResource, KindInfo, Scope};

/// A kind served as `v1`, of which nothing but its identity and scope matters.
pub fn kind(group: &str, resource: &str, scope: Scope) -> KindInfo {
    KindInfo {
        id: GroupResource::new(group, resource),
        version: "v1".to_owned(),
        versions: vec!["v1".to_owned()],
        kind: String::new(),
        singular: String::new(),
        short_names: Vec::new(),
        categories: Vec::new(),
        scope,
        verbs: Vec::new(),
    }
}

/// Pods, as every cluster serves them.
pub fn pods() -> KindInfo {
    KindInfo {
        kind: "Pod".to_owned(),
        singular: "pod".to_owned(),
        short_names: vec!["po".to_owned()],
        verbs: ["get", "list", "watch"].map(str::to_owned).to_vec(),
        ..kind("", "pods", Scope::Namespaced)
    }
}
