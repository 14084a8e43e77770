//! Samples and objects, put together by namespace and name into objects that have [columns](crate::columns) of their own.
//!
//! A pod that runs and a node are there without a sample, too: what was started a moment ago has none yet. A sample of a pod
//! that the cache does not know yet is there without requests and limits. Who may not see either sees neither: the metrics
//! are looked through by what is visible of their kind, and the rows in the end by what is visible of the object's.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use kubeplex_proto::health::Resources;
use kubeplex_proto::list::ListRequest;
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::quantity::{parse_quantity, parse_time_ms};
use kubeplex_proto::status::{AgentError, AgentErrorCode};
use serde_json::{Map, Value, json};

use crate::cache::{KindShape, KindStore, unused_revisions};
use crate::columns::Columns;
use crate::ingest::prepare_value;
use crate::query::{self, ScanBudget};
use crate::serve::health::capacity;
use crate::serve::opening::Rows;

/// Where what is put together stands.
pub(super) struct Join {
    pub(super) metrics: Rows,
    /// What is measured, where the cache knows it.
    pub(super) objects: Option<Rows>,
    /// Of nodes: what may be on them.
    pub(super) pods: Option<Rows>,
}

pub(super) struct Joined {
    pub(super) store: KindStore,
    /// When the oldest of the samples was taken, by the cluster's clock.
    pub(super) oldest_ms: Option<i64>,
}

/// By namespace and name.
type Samples = HashMap<(String, String), Value>;

impl Join {
    /// # Errors
    /// `timeout` when the budget is used up.
    pub(super) fn made(self, request: &ListRequest, budget: &ScanBudget) -> Result<Joined, AgentError> {
        let is_node = request.kind.resource == "nodes";
        let mut samples = self.samples(request, budget)?;
        let times = samples.values().filter_map(|sample| parse_time_ms(text(sample, "/timestamp")));
        let oldest_ms = times.min();
        let on_nodes = self.requested_on_nodes(request, budget)?;
        let mut store = KindStore::counting_from(self.shape(request)?, unused_revisions());
        let shape = store.shape().clone();
        let mut keep = |object: Value| {
            // It was made here, of what was taken in before.
            if let Ok(prepared) = prepare_value(&shape, object) {
                store.apply(prepared);
            }
        };
        if let Some(objects) = &self.objects {
            see(objects, request, &request.namespaces, budget, &mut |object| {
                let sample = samples.remove(&place(object));
                if is_node {
                    let requested =
                        on_nodes.as_ref().map(|sums| sums.get(name(object)).copied().unwrap_or_default());
                    keep(node(object, sample.as_ref(), requested));
                } else if sample.is_some() || text(object, "/status/phase") == "Running" {
                    keep(pod(object, sample.as_ref()));
                }
            })?;
        }
        for sample in samples.into_values() {
            keep(of_sample(&sample));
        }
        Ok(Joined { store, oldest_ms })
    }

    fn samples(&self, request: &ListRequest, budget: &ScanBudget) -> Result<Samples, AgentError> {
        let mut samples = Samples::new();
        see(&self.metrics, request, &request.namespaces, budget, &mut |sample| {
            samples.insert(place(sample), sample.clone());
        })?;
        Ok(samples)
    }

    /// What the pods on each node ask for.
    fn requested_on_nodes(
        &self,
        request: &ListRequest,
        budget: &ScanBudget,
    ) -> Result<Option<BTreeMap<String, Resources>>, AgentError> {
        let Some(pods) = &self.pods else { return Ok(None) };
        let mut sums: BTreeMap<String, capacity::Sum> = BTreeMap::new();
        see(pods, request, &[], budget, &mut |pod| {
            sums.entry(text(pod, "/spec/nodeName").to_owned()).or_default().request(pod);
        })?;
        Ok(Some(sums.into_iter().map(|(node, sum)| (node, sum.resources())).collect()))
    }

    /// Of the measured kind, so that what is visible of it decides, with columns of its own.
    fn shape(&self, request: &ListRequest) -> Result<KindShape, AgentError> {
        let of_metrics = KindShape::clone(self.metrics.store().read().shape());
        let columns = Columns::of_usage(&request.kind).ok_or_else(|| {
            AgentError::new(AgentErrorCode::InvalidArgument, format!("{} are not measured", request.kind))
        })?;
        Ok(KindShape { id: request.kind.clone(), columns: Arc::new(columns), ..of_metrics })
    }
}

fn see(
    rows: &Rows,
    request: &ListRequest,
    namespaces: &[Pattern],
    budget: &ScanBudget,
    visit: &mut dyn FnMut(&Value),
) -> Result<(), AgentError> {
    query::visit(rows.store(), &request.context.visibility, namespaces, budget, visit)
}

fn pod(pod: &Value, sample: Option<&Value>) -> Value {
    let requests = capacity::pod_requests(pod);
    let mut object = common(pod, sample, used_by_pod);
    object["spec"] = json!({"nodeName": pod.pointer("/spec/nodeName")});
    object["requests"] = some(requests);
    object["limits"] = json!({"cpu": limit(pod, "cpu"), "memory": limit(pod, "memory")});
    for container in object["containers"].as_array_mut().into_iter().flatten() {
        let limits = running(pod).find(|known| known["name"] == container["name"]);
        container["limits"] = limits.map_or(Value::Null, |known| known["resources"]["limits"].clone());
    }
    object
}

fn node(node: &Value, sample: Option<&Value>, requested: Option<Resources>) -> Value {
    let mut object = common(node, sample, |sample| sample["usage"].clone());
    let allocatable = |of: &str| node["status"]["allocatable"][of].clone();
    object["allocatable"] = json!({"cpu": allocatable("cpu"), "memory": allocatable("memory")});
    object["requests"] = requested.map_or(
        Value::Null,
        |sum| json!({"cpu": format!("{}m", sum.cpu_milli), "memory": sum.memory_bytes.to_string()}),
    );
    object
}

/// What nobody but its sample tells of.
fn of_sample(sample: &Value) -> Value {
    let used = |sample: &Value| {
        if sample["containers"].is_array() { used_by_pod(sample) } else { sample["usage"].clone() }
    };
    let mut object = common(sample, Some(sample), used);
    if let Some(metadata) = object["metadata"].as_object_mut() {
        // It is that of the sample.
        metadata.shift_remove("creationTimestamp");
    }
    object
}

/// The object's identity, and its sample.
fn common(object: &Value, sample: Option<&Value>, used: impl Fn(&Value) -> Value) -> Value {
    let metadata: Map<String, Value> = ["name", "namespace", "uid", "creationTimestamp", "labels"]
        .into_iter()
        .filter_map(|field| Some((field.to_owned(), object["metadata"].get(field)?.clone())))
        .collect();
    let mut made = json!({ "metadata": metadata });
    if let Some(sample) = sample {
        made["usage"] = used(sample);
        for field in ["timestamp", "window", "containers"] {
            if let Some(value) = sample.get(field) {
                made[field] = value.clone();
            }
        }
    }
    made
}

/// All containers of a sample together, exactly.
fn used_by_pod(sample: &Value) -> Value {
    let containers = sample["containers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let sum = |resource: &str| -> Option<i128> {
        let amounts =
            containers.iter().map(|container| parse_quantity(container["usage"][resource].as_str()?));
        amounts.sum()
    };
    json!({"cpu": sum("cpu").map(amount), "memory": sum("memory").map(amount)})
}

/// Billionths as a quantity.
fn amount(nanos: i128) -> String {
    if nanos % 1_000_000_000 == 0 { (nanos / 1_000_000_000).to_string() } else { format!("{nanos}n") }
}

/// A request for nothing is none.
fn some(of: Resources) -> Value {
    let wanted = |amount: u64, unit: &str| (amount > 0).then(|| format!("{amount}{unit}"));
    json!({"cpu": wanted(of.cpu_milli, "m"), "memory": wanted(of.memory_bytes, "")})
}

/// The most that a pod may use of a resource; `None` where some container of it has no limit. Where the pod says it as a
/// whole, that counts.
/// <https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#pod-level-resource-specification>
fn limit(pod: &Value, resource: &str) -> Option<String> {
    let nanos = |limits: &Value| parse_quantity(limits[resource].as_str()?);
    if let Some(whole) = nanos(&pod["spec"]["resources"]["limits"]) {
        return Some(amount(whole));
    }
    let sum: Option<i128> = running(pod).map(|container| nanos(&container["resources"]["limits"])).sum();
    sum.map(amount)
}

/// The containers that run as long as their pod does.
fn running(pod: &Value) -> impl Iterator<Item = &Value> {
    let containers = |list: &str| pod["spec"][list].as_array().map(Vec::as_slice).unwrap_or_default();
    let sidecars = containers("initContainers").iter().filter(|init| init["restartPolicy"] == "Always");
    containers("containers").iter().chain(sidecars)
}

fn place(object: &Value) -> (String, String) {
    (text(object, "/metadata/namespace").to_owned(), name(object).to_owned())
}

fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests;
