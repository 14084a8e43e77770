//! `metrics.k8s.io`: an aggregated API that is there, missing or failing. Its numbers are made from the objects' requests.

use serde_json::{Value, json};

use crate::catalog::{Catalog, Origin, Resource, Scope, Verbs};
use crate::clock::seconds;
use crate::cluster::Shared;
use crate::config::MetricsApi;
use crate::http::Reply;
use crate::json::{items, text};
use crate::names::{GroupResource, ObjectKey};
use crate::status::ApiError;
use crate::store;

/// The API group.
pub(crate) const GROUP: &str = "metrics.k8s.io";

/// The catalogue with this API or without it. A failing one stays in discovery, stale.
pub(crate) fn install(catalog: Catalog, state: MetricsApi) -> Catalog {
    match state {
        MetricsApi::Absent => catalog.without(&Origin::Aggregated),
        MetricsApi::Available | MetricsApi::Failing => {
            let nodes = resource("NodeMetrics", "nodes", Scope::Cluster);
            let pods = resource("PodMetrics", "pods", Scope::Namespaced);
            catalog.with(&Origin::Aggregated, vec![nodes, pods])
        }
    }
}

fn resource(kind: &str, plural: &str, scope: Scope) -> Resource {
    Resource {
        group: GROUP.into(),
        version: "v1beta1".into(),
        kind: kind.into(),
        plural: plural.into(),
        singular: String::new(),
        short_names: Vec::new(),
        categories: Vec::new(),
        scope,
        verbs: Verbs::ReadOnly,
        subresources: Vec::new(),
        selectable: Vec::new(),
        origin: Origin::Aggregated,
    }
}

/// The metrics of all nodes, or of the running pods of a namespace (empty: all).
///
/// # Errors
/// None of its own.
pub(crate) fn list(shared: &Shared, resource: &Resource, namespace: &str) -> Result<Reply, ApiError> {
    let scope = store::Scope { namespace, ..store::Scope::default() };
    let page = shared.store.list(&GroupResource::new("", &*resource.plural), scope);
    let objects = page.map(|page| page.objects).unwrap_or_default();
    let items: Vec<Value> =
        objects.iter().filter_map(|object| metrics(shared, resource, &object.value())).collect();
    let list = json!({
        "kind": format!("{}List", resource.kind), "apiVersion": resource.api_version(), "metadata": {}, "items": items,
    });
    Ok(Reply::json(200, &list))
}

/// The metrics of one node or pod.
///
/// # Errors
/// 404 where it does not exist or does not run.
pub(crate) fn get(
    shared: &Shared,
    resource: &Resource,
    namespace: &str,
    name: &str,
) -> Result<Reply, ApiError> {
    let object =
        shared.store.get(&GroupResource::new("", &*resource.plural), &ObjectKey::new(namespace, name));
    let metrics = object.and_then(|object| metrics(shared, resource, &object.value()));
    let metrics = metrics.ok_or_else(|| ApiError::not_found(&resource.group_resource(), name))?;
    Ok(Reply::json(200, &metrics))
}

fn metrics(shared: &Shared, resource: &Resource, object: &Value) -> Option<Value> {
    let mut metadata =
        json!({"name": text(object, "/metadata/name"), "creationTimestamp": seconds(shared.clock().now())});
    if let Some(labels) = object.pointer("/metadata/labels") {
        metadata["labels"] = labels.clone();
    }
    let mut out = json!({
        "kind": resource.kind, "apiVersion": resource.api_version(), "metadata": metadata,
        "timestamp": seconds(shared.clock().now()), "window": "15.013s",
    });
    if resource.plural == "nodes" {
        out["usage"] = Usage::of(text(object, "/metadata/uid"), 40).json();
        return Some(out);
    }
    if text(object, "/status/phase") != "Running" {
        return None;
    }
    out["metadata"]["namespace"] = object["metadata"]["namespace"].clone();
    // A kubelet measures what runs: sidecars, too, and no other init container of a running pod.
    let sidecars = items(object, "/spec/initContainers").iter();
    let sidecars = sidecars.filter(|container| text(container, "/restartPolicy") == "Always");
    let containers = items(object, "/spec/containers").iter().chain(sidecars).map(|container| {
        let usage = Usage::wanted(object, container);
        let cpu_nanocores = usage.cpu_nanocores.min(cpu_limit(container));
        json!({"name": text(container, "/name"), "usage": Usage { cpu_nanocores, ..usage }.json()})
    });
    out["containers"] = containers.collect();
    Some(out)
}

/// Whether a container would use more CPU than it may have.
pub(crate) fn is_throttled(pod: &Value, container: &Value) -> bool {
    Usage::wanted(pod, container).cpu_nanocores > cpu_limit(container)
}

#[derive(Clone, Copy)]
struct Usage {
    cpu_nanocores: u64,
    memory_kib: u64,
}

impl Usage {
    /// Some usage that is always the same for the same name.
    fn of(name: &str, scale: u64) -> Self {
        let sum = name.bytes().fold(7u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        Self {
            cpu_nanocores: (1_000_000 + sum % 90_000_000) * scale,
            memory_kib: (20_000 + sum % 300_000) * scale,
        }
    }

    /// What a container would use if nobody held it back.
    fn wanted(pod: &Value, container: &Value) -> Self {
        Self::of(&format!("{}{}", text(pod, "/metadata/uid"), text(container, "/name")), 1)
    }

    fn json(self) -> Value {
        json!({"cpu": format!("{}n", self.cpu_nanocores), "memory": format!("{}Ki", self.memory_kib)})
    }
}

/// In nanocores; without a limit, more than there are.
fn cpu_limit(container: &Value) -> u64 {
    let limit = text(container, "/resources/limits/cpu");
    let (digits, unit) = match limit.strip_suffix('m') {
        Some(digits) => (digits, 1_000_000),
        None => (limit, 1_000_000_000),
    };
    digits.parse::<u64>().map_or(u64::MAX, |count| count * unit)
}
