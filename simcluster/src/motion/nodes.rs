//! What befalls the nodes of a story, and what controllers make of it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::controller::is_terminating;
use super::kubelet::NODES;
use super::notes::Note;
use super::{Motion, PODS};
use crate::generate::node::{NodeHealth, conditions};
use crate::generate::pod::{self, Life};
use crate::json::{flag_condition, remove, set, text};
use crate::names::{GroupResource, ObjectKey};
use crate::store::Scope;

/// How long pods are borne on a node that is not heard from: the toleration that every pod gets.
const BORNE: SignedDuration = SignedDuration::from_secs(300);

/// Since when a node is silent, and whether its pods were told to go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Silence {
    since: Timestamp,
    evicted: bool,
}

impl Motion {
    pub(super) fn fall_silent(&mut self, index: usize) -> Option<()> {
        let mut node = self.node(index)?;
        let (name, now) = (text(&node, "/metadata/name").to_owned(), self.now());
        let taint = |effect: &str| json!({"key": "node.kubernetes.io/unreachable", "effect": effect, "timeAdded": now});
        set(&mut node, "/status/conditions", conditions(NodeHealth::Silent, &now, &now));
        set(&mut node, "/spec/taints", json!([taint("NoSchedule"), taint("NoExecute")]));
        self.put(NODES, node.clone());
        let message = format!("Node {name} status is now: NodeNotReady");
        self.tell(NODES, &node, &Note::normal("node-controller", "NodeNotReady", message));
        let silence = Silence { since: self.time(), evicted: false };
        self.story.as_mut()?.silent.insert(name.clone(), silence);
        for mut pod in self.pods_on(&name) {
            not_ready(&mut pod, &now);
            self.put(PODS, pod.clone());
            let note = Note::warning("node-controller", "NodeNotReady", "Node is not ready".to_owned());
            self.tell(PODS, &pod, &note);
            self.owner_looks(&pod);
        }
        Some(())
    }

    /// Pods that were borne long enough on nodes that are not heard from are told to go.
    pub(super) fn time_passes(&mut self) {
        let Some(story) = &mut self.story else { return };
        let now = self.at.unwrap_or_else(|| self.shared.clock().now());
        let mut due = Vec::new();
        for (name, silence) in &mut story.silent {
            if !silence.evicted && now.duration_since(silence.since) >= BORNE {
                silence.evicted = true;
                due.push(name.clone());
            }
        }
        for pod in due.iter().flat_map(|name| self.pods_on(name)).collect::<Vec<_>>() {
            if text(&pod, "/metadata/ownerReferences/0/kind") == "DaemonSet" || is_terminating(&pod) {
                continue;
            }
            let key = crate::admission::key_of(&pod);
            let message = format!("Marking for deletion Pod {}", key.as_str());
            self.tell(
                PODS,
                &pod,
                &Note::normal("taint-eviction-controller", "TaintManagerEviction", message),
            );
            self.terminate(pod.clone());
            self.owner_looks(&pod);
        }
    }

    pub(super) fn fill_disk(&mut self, index: usize, evicted: usize) -> Option<()> {
        let mut node = self.node(index)?;
        let (name, now) = (text(&node, "/metadata/name").to_owned(), self.now());
        set(&mut node, "/status/conditions", conditions(NodeHealth::DiskFull, &now, &now));
        set(
            &mut node,
            "/spec/taints",
            json!([{"key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule", "timeAdded": now}]),
        );
        self.put(NODES, node.clone());
        let reclaim = "Attempting to reclaim ephemeral-storage".to_owned();
        self.tell(NODES, &node, &Note::warning("kubelet", "EvictionThresholdMet", reclaim));
        let message = format!("Node {name} status is now: NodeHasDiskPressure");
        self.tell(NODES, &node, &Note::normal("kubelet", "NodeHasDiskPressure", message));
        let pods = self.pods_on(&name).into_iter().filter(|pod| {
            text(pod, "/metadata/ownerReferences/0/kind") == "ReplicaSet" && flag_condition(pod, "Ready")
        });
        for pod in pods.take(evicted).collect::<Vec<_>>() {
            self.evict(pod);
        }
        Some(())
    }

    fn evict(&mut self, mut pod: Value) {
        let (now, container) = (self.now(), text(&pod, "/spec/containers/0/name").to_owned());
        let used_kib = 1_500_000 + self.random.below(900_000);
        let message = format!(
            "The node was low on resource: ephemeral-storage. Threshold quantity: 14332526847, available: 11042816Ki. Container {container} was using {used_kib}Ki, request is 0, has larger consumption of ephemeral-storage. "
        );
        let life = Life::Evicted { at: now.clone(), message: message.clone() };
        pod::live(&mut pod, &life, &now, &mut self.random);
        self.put(PODS, pod.clone());
        self.tell(PODS, &pod, &Note::warning("kubelet", "Evicted", message));
        self.owner_looks(&pod);
    }

    pub(super) fn free_disk(&mut self, index: usize) -> Option<()> {
        let mut node = self.node(index)?;
        let (name, now) = (text(&node, "/metadata/name").to_owned(), self.now());
        set(&mut node, "/status/conditions", conditions(NodeHealth::Ready, &now, &now));
        remove(&mut node, "/spec/taints");
        self.put(NODES, node.clone());
        let message = format!("Node {name} status is now: NodeHasNoDiskPressure");
        self.tell(NODES, &node, &Note::normal("kubelet", "NodeHasNoDiskPressure", message));
        for pod in self.pods_on(&name).iter().filter(|pod| text(pod, "/status/reason") == "Evicted") {
            self.delete(PODS, pod);
        }
        Some(())
    }

    /// The node of this place in the order of names, or the first again after the last.
    fn node(&self, index: usize) -> Option<Value> {
        let nodes = self.list(NODES, "");
        nodes.get(index % nodes.len().max(1)).cloned()
    }

    fn pods_on(&self, node: &str) -> Vec<Value> {
        let page = self.shared.store.list(&GroupResource::new(PODS.0, PODS.1), Scope::default());
        let objects = page.map(|page| page.objects).unwrap_or_default();
        let pods = objects.iter().filter(|pod| pod.mentions(node)).map(|pod| pod.value());
        pods.filter(|pod| text(pod, "/spec/nodeName") == node).collect()
    }

    /// What made this pod is to see what became of it.
    fn owner_looks(&mut self, pod: &Value) {
        let namespace = text(pod, "/metadata/namespace");
        let (kind, name) =
            (text(pod, "/metadata/ownerReferences/0/kind"), text(pod, "/metadata/ownerReferences/0/name"));
        match kind {
            "ReplicaSet" => {
                if let Some((deployment, _)) = name.rsplit_once('-') {
                    self.dirty.insert(ObjectKey::new(namespace, deployment));
                }
            }
            "StatefulSet" => self.count_ready(
                ("apps", "statefulsets"),
                namespace,
                name,
                &["readyReplicas", "availableReplicas"],
            ),
            "DaemonSet" => {
                self.count_ready(
                    ("apps", "daemonsets"),
                    namespace,
                    name,
                    &["numberReady", "numberAvailable"],
                );
            }
            _ => {}
        }
    }

    fn count_ready(&self, kind: (&str, &str), namespace: &str, name: &str, fields: &[&str]) {
        let Some(mut set_of_pods) = self.get(kind, namespace, name) else { return };
        let pods = self.owned(PODS, namespace, text(&set_of_pods, "/metadata/uid"));
        let ready = pods.iter().filter(|pod| flag_condition(pod, "Ready")).count();
        for field in fields {
            set(&mut set_of_pods, &format!("/status/{field}"), ready);
        }
        self.put(kind, set_of_pods);
    }
}

/// The node controller marks pods that nobody reports of any more.
fn not_ready(pod: &mut Value, now: &str) {
    let conditions = pod.pointer_mut("/status/conditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten().filter(|condition| condition["type"] == "Ready") {
        condition["status"] = "False".into();
        condition["lastTransitionTime"] = now.into();
    }
}
