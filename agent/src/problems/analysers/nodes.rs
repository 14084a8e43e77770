//! Nodes that are not ready, in need, without a network, or cordoned for long.
//!
//! <https://kubernetes.io/docs/reference/node/node-status/#condition>. The node controller sets Ready to Unknown where the kubelet
//! is silent (`NodeStatusUnknown`), and taints a cordoned node, with the time.

use serde_json::Value;

use super::event;
use super::found::{created_ms, reference, time_ms};
use super::kind::NODES;
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::{condition, flag, is_deleted, list, text};
use crate::problems::thresholds::{CORDONED_MS, UNREADY_MS};
use crate::problems::{Evidence, Finding};

const fn cause(name: &'static str, severity: &'static [Severity], when: &'static str) -> Cause {
    Cause { name, severities: severity, looks_at: "a node's conditions and taints", when }
}

pub(super) const CAUSES: &[Cause] = &[
    cause(
        "NodeNotReady",
        &[Severity::Critical],
        "the kubelet says that its node is not ready, or says nothing any more; a new node has two minutes",
    ),
    cause("NodeMemoryPressure", &[Severity::Warning], "the node runs out of memory"),
    cause("NodeDiskPressure", &[Severity::Warning], "the node runs out of disk"),
    cause("NodePidPressure", &[Severity::Warning], "the node runs out of process ids"),
    cause(
        "NodeNetworkUnavailable",
        &[Severity::Critical],
        "the node's network is not set up; a new node has two minutes",
    ),
    cause("NodeCordoned", &[Severity::Info], "the node takes no new pods for six hours or more"),
];

const PRESSURES: [(&str, &str, &str); 3] = [
    ("MemoryPressure", "NodeMemoryPressure", "the node runs out of memory"),
    ("DiskPressure", "NodeDiskPressure", "the node runs out of disk"),
    ("PIDPressure", "NodePidPressure", "the node runs out of process ids"),
];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let node = subject.object;
    if is_deleted(node) {
        return;
    }
    let is_new = created_ms(node).is_some_and(|created_ms| world.now_ms() - created_ms < UNREADY_MS);
    let ready = condition(node, "Ready").filter(|ready| ready["status"] != "True");
    if ready.is_some() && is_new {
        verdict.look_again(created_ms(node).unwrap_or_default() + UNREADY_MS);
    } else if let Some(ready) = ready {
        // Without the kubelet's word the other conditions are unknown, too.
        return verdict.add(not_ready(ready));
    }
    for (name, cause, message) in PRESSURES {
        if let Some(pressure) = condition(node, name).filter(|pressure| pressure["status"] == "True") {
            verdict.add(of_condition(cause, Severity::Warning, message.to_owned(), pressure));
        }
    }
    let network =
        condition(node, "NetworkUnavailable").filter(|network| network["status"] == "True" && !is_new);
    if let Some(network) = network {
        verdict.add(of_condition(
            "NodeNetworkUnavailable",
            Severity::Critical,
            "the node's network is not set up".to_owned(),
            network,
        ));
    }
    cordoned(node, world, verdict);
}

fn of_condition(cause: &'static str, severity: Severity, message: String, condition: &Value) -> Finding {
    let finding = Finding::new(cause, severity, message).shown_by([Evidence::condition(condition)]);
    finding.since(time_ms(condition, "/lastTransitionTime"))
}

fn not_ready(ready: &Value) -> Finding {
    let told = text(ready, "/message").to_lowercase();
    let why = [
        ("stopped posting", "its kubelet is silent"),
        ("never posted", "its kubelet never reported"),
        ("cni", "its network plugin is not set up"),
        ("network not ready", "its network plugin is not set up"),
        ("network plugin", "its network plugin is not set up"),
        ("pleg", "its container runtime is too slow"),
        ("container runtime", "its container runtime does not answer"),
        ("shutting down", "it is being shut down"),
    ];
    let why =
        why.iter().find(|(words, _)| told.contains(words)).map_or("its kubelet says so", |(_, why)| why);
    of_condition("NodeNotReady", Severity::Critical, format!("the node is not ready: {why}"), ready)
}

fn cordoned(node: &Value, world: &dyn World, verdict: &mut Verdict) {
    if !flag(node, "/spec/unschedulable", false) {
        return;
    }
    let taint =
        list(node, "/spec/taints").iter().find(|taint| taint["key"] == "node.kubernetes.io/unschedulable");
    let since_ms = taint.and_then(|taint| time_ms(taint, "/timeAdded"));
    let told = || event::newest(world, &reference(NODES, node), &["NodeNotSchedulable"]);
    let since_ms = since_ms.or_else(|| event::first_seen_ms(&*told()?));
    // Where nobody tells when, it was before all that is told.
    if let Some(since_ms) = since_ms
        && world.now_ms() - since_ms < CORDONED_MS
    {
        return verdict.look_again(since_ms + CORDONED_MS);
    }
    let finding = Finding::new("NodeCordoned", Severity::Info, "the node is cordoned, and takes no new pods");
    verdict.add(finding.shown_by([Evidence::field("spec.unschedulable", true)]).since(since_ms));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problems::world::fixture::{Fixture, ago};

    fn node(conditions: Value, created: i64) -> Value {
        json!({"metadata": {"name": "n1", "creationTimestamp": ago(created)}, "spec": {}, "status": {"conditions": conditions}})
    }

    fn is(name: &str, status: &str, message: &str) -> Value {
        json!({"type": name, "status": status, "reason": "R", "message": message, "lastTransitionTime": ago(9)})
    }

    #[track_caller]
    fn check(node: &Value, expected: &[&str]) {
        assert_eq!(Fixture::new().judge(judge, "nodes", node).0, expected);
    }

    #[test]
    fn not_ready_and_why() {
        for (status, message, expected) in [
            ("Unknown", "Kubelet stopped posting node status.", "its kubelet is silent"),
            (
                "False",
                "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:cni plugin not initialized",
                "its network plugin is not set up",
            ),
            (
                "False",
                "PLEG is not healthy: pleg was last seen active 5m ago",
                "its container runtime is too slow",
            ),
            ("False", "node is shutting down", "it is being shut down"),
        ] {
            let unready =
                node(json!([is("MemoryPressure", "Unknown", ""), is("Ready", status, message)]), 90);
            check(&unready, &[&format!("Critical NodeNotReady: the node is not ready: {expected}")]);
        }
        check(&node(json!([is("Ready", "False", "")]), 1), &[]);
        check(&node(json!([is("Ready", "True", "")]), 90), &[]);
    }

    #[test]
    fn in_need() {
        let ready = is("Ready", "True", "");
        check(
            &node(json!([is("MemoryPressure", "True", ""), is("DiskPressure", "True", ""), ready]), 90),
            &[
                "Warning NodeMemoryPressure: the node runs out of memory",
                "Warning NodeDiskPressure: the node runs out of disk",
            ],
        );
        let no_network = node(json!([is("NetworkUnavailable", "True", ""), ready]), 90);
        check(&no_network, &["Critical NodeNetworkUnavailable: the node's network is not set up"]);
    }

    #[test]
    fn cordoned_for_long() {
        let cordoned = |minutes: i64| {
            let mut node = node(json!([is("Ready", "True", "")]), 9000);
            let taint = json!({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": ago(minutes)});
            node["spec"] = json!({"unschedulable": true, "taints": [taint]});
            node
        };
        check(&cordoned(7 * 60), &["Info NodeCordoned: the node is cordoned, and takes no new pods"]);
        check(&cordoned(60), &[]);
    }
}
