//! Nodes: which are ready, and what they can take.

use kubeplex_proto::health::{Named, NodeFacts, Resources};
use serde_json::Value;

use super::{condition, resources, text};
use crate::limits::HEALTH_NAMED;

/// Conditions of a node that are bad when they hold:
/// <https://kubernetes.io/docs/reference/node/node-status/#condition>.
const PRESSURES: [&str; 4] = ["MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"];

#[derive(Default)]
pub(super) struct Nodes {
    facts: NodeFacts,
    allocatable: Resources,
}

impl Nodes {
    pub(super) fn see(&mut self, node: &Value) {
        let facts = &mut self.facts;
        let name = || text(node, "/metadata/name").to_owned();
        facts.total += 1;
        let ready = condition(node, "Ready");
        match ready {
            Some(ready) if ready["status"] == "True" => facts.ready += 1,
            _ if facts.not_ready.len() < HEALTH_NAMED => {
                let why =
                    ready.and_then(|ready| ready["reason"].as_str()).unwrap_or("its kubelet never reported");
                facts.not_ready.push(Named { name: name(), why: why.to_owned() });
            }
            _ => {}
        }
        if node.pointer("/spec/unschedulable") == Some(&Value::Bool(true)) {
            facts.cordoned += 1;
        }
        let holds = |pressure: &&str| condition(node, pressure).is_some_and(|told| told["status"] == "True");
        let pressures: Vec<&str> = PRESSURES.into_iter().filter(holds).collect();
        if !pressures.is_empty() {
            facts.pressed_total += 1;
            if facts.pressed.len() < HEALTH_NAMED {
                facts.pressed.push(Named { name: name(), why: pressures.join(", ") });
            }
        }
        *facts.kubelets.entry(text(node, "/status/nodeInfo/kubeletVersion").to_owned()).or_default() += 1;
        let more = node.pointer("/status/allocatable").map(resources).unwrap_or_default();
        self.allocatable.cpu_milli += more.cpu_milli;
        self.allocatable.memory_bytes += more.memory_bytes;
        self.allocatable.pods += more.pods;
    }

    pub(super) fn allocatable(&self) -> Resources {
        self.allocatable
    }

    pub(super) fn facts(self) -> NodeFacts {
        self.facts
    }
}
