//! What of the nodes' resources is asked for, and what is used.

use kubeplex_proto::health::Resources;
use kubeplex_proto::quantity::parse_quantity;
use serde_json::Value;

use super::{resources, text};

/// Of all objects seen.
#[derive(Clone, Copy, Default)]
pub(in crate::serve) struct Sum(Resources);

impl Sum {
    /// What a pod keeps from others: as the scheduler and `kubectl describe node` count it, once it has a node and until it
    /// ends.
    pub(in crate::serve) fn request(&mut self, pod: &Value) {
        let has_ended = matches!(text(pod, "/status/phase"), "Succeeded" | "Failed");
        if !has_ended && !text(pod, "/spec/nodeName").is_empty() {
            self.add(pod_requests(pod));
        }
    }

    /// A `NodeMetrics`.
    pub(in crate::serve) fn usage(&mut self, metrics: &Value) {
        self.add(resources(&metrics["usage"]));
    }

    pub(in crate::serve) fn resources(self) -> Resources {
        self.0
    }

    /// The most that a pod's containers may take, where each has a limit; of one that has none, nothing is counted.
    pub(in crate::serve) fn limit(&mut self, pod: &Value) {
        let containers = pod.pointer("/spec/containers").and_then(Value::as_array);
        for container in containers.into_iter().flatten() {
            self.add(container.pointer("/resources/limits").map(resources).unwrap_or_default());
        }
    }

    fn add(&mut self, more: Resources) {
        self.0 = plus(self.0, more);
    }
}

/// The most that the pod needs at any time: its containers together with its sidecars, or an init container together with the
/// sidecars before it; and its overhead. Where it says what it needs as a whole, that counts.
/// <https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers>
pub(in crate::serve) fn pod_requests(pod: &Value) -> Resources {
    let of = |container: &Value| container.pointer("/resources/requests").map(resources).unwrap_or_default();
    let containers = |place: &str| pod.pointer(place).and_then(Value::as_array).cloned().unwrap_or_default();
    let (mut sidecars, mut at_start) = (Resources::default(), Resources::default());
    for init in containers("/spec/initContainers") {
        if init["restartPolicy"] == "Always" {
            sidecars = plus(sidecars, of(&init));
            at_start = most(at_start, sidecars);
        } else {
            at_start = most(at_start, plus(sidecars, of(&init)));
        }
    }
    let running = containers("/spec/containers").iter().map(of).fold(sidecars, plus);
    let mut needed = most(running, at_start);
    if let Some(whole) = pod.pointer("/spec/resources/requests") {
        let said = resources(whole);
        needed.cpu_milli = if whole["cpu"].is_null() { needed.cpu_milli } else { said.cpu_milli };
        needed.memory_bytes = if whole["memory"].is_null() { needed.memory_bytes } else { said.memory_bytes };
    }
    let overhead = pod.pointer("/spec/overhead").map(resources).unwrap_or_default();
    Resources { pods: 1, ..plus(needed, overhead) }
}

fn plus(a: Resources, b: Resources) -> Resources {
    Resources {
        cpu_milli: a.cpu_milli.saturating_add(b.cpu_milli),
        memory_bytes: a.memory_bytes.saturating_add(b.memory_bytes),
        pods: a.pods.saturating_add(b.pods),
    }
}

fn most(a: Resources, b: Resources) -> Resources {
    Resources {
        cpu_milli: a.cpu_milli.max(b.cpu_milli),
        memory_bytes: a.memory_bytes.max(b.memory_bytes),
        pods: a.pods.max(b.pods),
    }
}

/// A quantity in whole units, rounded up.
pub(super) fn whole(quantity: &Value) -> u64 {
    in_parts(quantity, 1_000_000_000)
}

/// A quantity in thousandths, rounded up.
pub(super) fn milli(quantity: &Value) -> u64 {
    in_parts(quantity, 1_000_000)
}

fn in_parts(quantity: &Value, nano: i128) -> u64 {
    let text = quantity.as_str().map(str::to_owned).or_else(|| quantity.as_number().map(ToString::to_string));
    let value = text.and_then(|text| parse_quantity(&text)).unwrap_or_default().max(0);
    u64::try_from(value / nano + i128::from(value % nano != 0)).unwrap_or(u64::MAX)
}
