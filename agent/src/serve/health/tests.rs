use kubeplex_proto::health::Resources;
use serde_json::{Value, json};

use super::*;

fn seen<T: Default>(see: fn(&mut T, &Value), objects: &[Value]) -> T {
    let mut made = T::default();
    objects.iter().for_each(|object| see(&mut made, object));
    made
}

fn conditions(told: &[(&str, &str, &str)]) -> Value {
    let told =
        told.iter().map(|(name, status, reason)| json!({"type": name, "status": status, "reason": reason}));
    told.collect()
}

#[test]
fn nodes_are_counted_with_what_ails_them() {
    let node = |name: &str, spec: Value, told: Value| {
        json!({"metadata": {"name": name}, "spec": spec, "status": {"conditions": told,
            "allocatable": {"cpu": "3920m", "memory": "15Gi", "pods": "58"}, "nodeInfo": {"kubeletVersion": "v1.35.2"}}})
    };
    let nodes = seen(
        Nodes::see,
        &[
            node(
                "a",
                json!({}),
                conditions(&[("MemoryPressure", "False", ""), ("Ready", "True", "KubeletReady")]),
            ),
            node(
                "b",
                json!({"unschedulable": true}),
                conditions(&[("Ready", "Unknown", "NodeStatusUnknown")]),
            ),
            node(
                "c",
                json!({}),
                conditions(&[
                    ("DiskPressure", "True", ""),
                    ("PIDPressure", "True", ""),
                    ("Ready", "True", ""),
                ]),
            ),
            node("d", json!({}), json!([])),
        ],
    );
    assert_eq!(nodes.allocatable(), Resources { cpu_milli: 15_680, memory_bytes: 60 << 30, pods: 232 });
    let facts = nodes.facts();
    assert_eq!((facts.total, facts.ready, facts.cordoned, facts.pressed_total), (4, 2, 1, 1));
    assert_eq!(facts.kubelets, [("v1.35.2".to_owned(), 4)].into());
    let why = |named: &[kubeplex_proto::health::Named]| -> Vec<String> {
        named.iter().map(|named| format!("{} {}", named.name, named.why)).collect()
    };
    assert_eq!(why(&facts.not_ready), ["b NodeStatusUnknown", "d its kubelet never reported"]);
    assert_eq!(why(&facts.pressed), ["c DiskPressure, PIDPressure"]);
}

#[test]
fn workloads_fail_where_their_controllers_say_so_or_replicas_lack_without_a_rollout() {
    let object = |spec: Value, status: Value| json!({"metadata": {"namespace": "shop", "name": "web"}, "spec": spec, "status": status});
    let told = |name: &str, status: &str| json!({"conditions": [{"type": name, "status": status}], "availableReplicas": 1});
    let set = |available: u64, revision: &str| json!({"availableReplicas": available, "currentRevision": "a", "updateRevision": revision});
    let daemons = |available: u64, updated: u64| json!({"desiredNumberScheduled": 3, "numberAvailable": available, "updatedNumberScheduled": updated});
    type See = fn(&mut Workloads, &Value);
    let cases: [(See, Value, bool); 11] = [
        (Workloads::deployment, object(json!({"replicas": 2}), told("Available", "True")), false),
        (Workloads::deployment, object(json!({"replicas": 2}), told("Available", "False")), true),
        (Workloads::deployment, object(json!({"replicas": 2}), told("Progressing", "False")), true),
        (Workloads::deployment, object(json!({"replicas": 2}), told("ReplicaFailure", "True")), true),
        (Workloads::stateful_set, object(json!({"replicas": 3}), set(3, "a")), false),
        (Workloads::stateful_set, object(json!({"replicas": 3}), set(2, "a")), true),
        (Workloads::stateful_set, object(json!({"replicas": 3}), set(2, "b")), false),
        (
            Workloads::stateful_set,
            object(json!({"replicas": 3}), json!({"readyReplicas": 1, "updateRevision": "b"})),
            true,
        ),
        (Workloads::daemon_set, object(json!({}), daemons(3, 3)), false),
        (Workloads::daemon_set, object(json!({}), daemons(2, 3)), true),
        (Workloads::daemon_set, object(json!({}), daemons(2, 1)), false),
    ];
    for (see, object, is_failing) in cases {
        let facts = seen(see, std::slice::from_ref(&object)).facts();
        assert_eq!((facts.total, facts.failing_total), (1, u64::from(is_failing)), "{object}");
    }
    let failing = |namespace: &str| {
        let status = json!({"conditions": [{"type": "Available", "status": "False"}]});
        json!({"metadata": {"namespace": namespace, "name": "a"}, "spec": {"replicas": 2}, "status": status})
    };
    let both = seen(Workloads::deployment, &[failing("app"), failing("zoo")])
        .with(seen(Workloads::deployment, &[failing("kube-system")]))
        .facts();
    let first = &both.failing[0];
    assert_eq!(
        (both.failing_total, first.namespace.as_str(), first.available, first.wanted),
        (3, "kube-system", 0, 2)
    );
}

#[test]
fn a_pod_needs_the_most_that_it_has_at_any_time() {
    let asks = |cpu: &str, memory: &str| json!({"resources": {"requests": {"cpu": cpu, "memory": memory}}});
    let sidecar = |cpu: &str| json!({"restartPolicy": "Always", "resources": {"requests": {"cpu": cpu}}});
    let pod = |phase: &str, mut spec: Value| {
        spec["nodeName"] = json!("n1");
        json!({"spec": spec, "status": {"phase": phase}})
    };
    let wanted = |cpu_milli, memory_bytes| Resources { cpu_milli, memory_bytes, pods: 1 };
    let none = Resources::default();
    let two = json!([asks("100m", "1Mi"), asks("0.2", "1Mi")]);
    for (pod, resources) in [
        (pod("Running", json!({"containers": two})), wanted(300, 2 << 20)),
        (pod("Pending", json!({"containers": two})), wanted(300, 2 << 20)),
        (pod("Succeeded", json!({"containers": two})), none),
        (json!({"spec": {"containers": two}, "status": {"phase": "Pending"}}), none),
        (
            pod("Running", json!({"containers": two, "initContainers": [asks("1", "1Ki")]})),
            wanted(1_000, 2 << 20),
        ),
        (
            pod("Running", json!({"containers": two, "initContainers": [sidecar("50m"), asks("1", "0")]})),
            wanted(1_050, 2 << 20),
        ),
        (
            pod("Running", json!({"containers": two, "initContainers": [asks("300m", "0"), sidecar("50m")]})),
            wanted(350, 2 << 20),
        ),
        (pod("Running", json!({"containers": two, "overhead": {"cpu": "10m"}})), wanted(310, 2 << 20)),
        (
            pod("Running", json!({"containers": two, "resources": {"requests": {"cpu": "2"}}})),
            wanted(2_000, 2 << 20),
        ),
        (pod("Running", json!({"containers": [{"name": "a"}]})), wanted(0, 0)),
    ] {
        assert_eq!(seen(Sum::request, std::slice::from_ref(&pod)).resources(), resources, "{pod}");
    }
    let used = seen(Sum::usage, &[json!({"usage": {"cpu": "250123456n", "memory": "1Ki"}})]).resources();
    assert_eq!(used, Resources { cpu_milli: 251, memory_bytes: 1_024, pods: 0 });
}

#[test]
fn certificates_end_and_may_not_be_there() {
    let certificate = |name: &str, not_after: &str, ready: &str| {
        json!({"metadata": {"namespace": "shop", "name": name},
            "status": {"notAfter": not_after, "conditions": [{"type": "Ready", "status": ready, "reason": "Why"}]}})
    };
    let facts = seen(
        Certificates::see,
        &[
            certificate("late", "2027-01-01T00:00:00Z", "True"),
            certificate("soon", "2026-12-01T00:00:00Z", "True"),
            certificate("never", "", "False"),
        ],
    )
    .facts();
    assert_eq!((facts.total, facts.not_ready_total, facts.not_ready[0].name.as_str()), (3, 1, "shop/never"));
    let names: Vec<_> = facts.soonest.iter().map(|expiry| expiry.name.as_str()).collect();
    assert_eq!(names, ["soon", "late"]);
}
