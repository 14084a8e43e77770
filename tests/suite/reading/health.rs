//! How clusters are, beside what their servers say.

use kubeplex_proto::quantity::parse_quantity;
use kubeplex_tests::fleet::{LARGEST_ANSWER, TestFleet};
use kubeplex_tests::server::{Server, text};
use serde_json::{Value, json};
use simcluster::{Gvr, SimConfig};

use super::agree::agree;

/// Cluster, version, and ready of all nodes, of every row.
async fn told(fleet: &TestFleet) -> Vec<(String, String, String)> {
    let answer = fleet.call("cluster_health", json!({"maxBytes": LARGEST_ANSWER})).await;
    let text = |cell: &Value| cell.as_str().unwrap_or_default().to_owned();
    let rows = answer["groups"][0]["rows"].as_array().cloned().unwrap_or_default();
    let mut told: Vec<_> = rows.iter().map(|row| (text(&row[0]), text(&row[2]), text(&row[3]))).collect();
    told.sort();
    told
}

async fn at_the_servers(fleet: &TestFleet) -> Vec<(String, String, String)> {
    let mut told = Vec::new();
    for server in &fleet.servers {
        let version = server.get("/version").await["gitVersion"].as_str().unwrap_or_default().to_owned();
        let nodes = server.list("/api/v1/nodes").await;
        let is_ready = |node: &&Value| {
            let conditions = node["status"]["conditions"].as_array();
            let mut conditions = conditions.into_iter().flatten();
            conditions.any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
        };
        let ready = nodes.iter().filter(is_ready).count();
        told.push((server.name.clone(), version, format!("{ready}/{}", nodes.len())));
    }
    told
}

pub(crate) async fn clusters_are_as_their_servers_say(fleet: &'static TestFleet) {
    agree("versions and nodes", async || told(fleet).await, async || at_the_servers(fleet).await).await;
    let answer = fleet.call("cluster_health", json!({"cluster": fleet.servers[0].name})).await;
    let row = answer["groups"][0]["rows"][0].as_array().cloned().unwrap_or_default();
    assert_eq!(answer["total"], 1, "{answer}");
    for (cell, said) in [(&row[4], "requested"), (&row[5], "Gi")] {
        assert!(cell.as_str().is_some_and(|cell| cell.contains(said)), "{cell} should say {said}");
    }
    let reasons = row[6].as_array().cloned().unwrap_or_default();
    assert!(reasons.iter().all(|reason| !reason.to_string().contains("API server")), "{reasons:?}");
}

/// Of each cluster how many percent of its processors and memory are requested, of how much, and how many workloads there are
/// that lack replicas, of how many; as it is told.
async fn capacity_told(fleet: &TestFleet) -> Vec<(String, String, String, String)> {
    let answer = fleet.call("cluster_health", json!({"maxBytes": LARGEST_ANSWER})).await;
    let rows = answer["groups"][0]["rows"].as_array().cloned().unwrap_or_default();
    // What is used moves with the metrics, and is compared nowhere.
    let capacity = |cell: &Value| {
        let cell = cell.as_str().unwrap_or_default();
        let (taken, whole) = cell.split_once(" of ").unwrap_or_default();
        format!("{} of {whole}", taken.split(", ").next().unwrap_or_default())
    };
    let failing = |reasons: &Value| {
        let mut reasons = reasons.as_array().into_iter().flatten().filter_map(Value::as_str);
        let told =
            reasons.find_map(|reason| reason.strip_prefix("workloads: ")?.split_once(" lack replicas"));
        told.map(|(counts, _)| counts.to_owned()).unwrap_or_default()
    };
    let told = |row: &Value| (text(&row[0]), capacity(&row[4]), capacity(&row[5]), failing(&row[6]));
    let mut told: Vec<_> = rows.iter().map(told).collect();
    told.sort();
    told
}

async fn capacity_at_the_servers(fleet: &TestFleet) -> Vec<(String, String, String, String)> {
    let mut told = Vec::new();
    for server in &fleet.servers {
        let (nodes, pods) = (server.list("/api/v1/nodes").await, server.list("/api/v1/pods").await);
        let is_placed = |pod: &&Value| {
            let phase = pod["status"]["phase"].as_str().unwrap_or_default();
            pod["spec"]["nodeName"].is_string() && !matches!(phase, "Succeeded" | "Failed")
        };
        let whole =
            |resource: &str| nodes.iter().map(|node| nano(&node["status"]["allocatable"][resource])).sum();
        let taken = |resource: &str| pods.iter().filter(is_placed).map(|pod| needed(pod, resource)).sum();
        let requested = |resource: &str, whole: i128, unit: &dyn Fn(i128) -> String| {
            let taken: i128 = taken(resource);
            format!("{}% requested of {}", taken * 100 / whole.max(1), unit(whole))
        };
        let processors = |nano: i128| {
            let milli = nano / 1_000_000;
            if milli % 1_000 == 0 {
                (milli / 1_000).to_string()
            } else {
                format!("{:.1}", milli as f64 / 1_000.0)
            }
        };
        let gibibytes = |nano: i128| format!("{:.1}Gi", (nano / 1_000_000_000) as f64 / f64::from(1 << 30));
        let (cpu, memory) =
            (requested("cpu", whole("cpu"), &processors), requested("memory", whole("memory"), &gibibytes));
        told.push((server.name.clone(), cpu, memory, failing(server).await));
    }
    told.sort();
    told
}

/// `2 of 40`; nothing where none lacks any. Those of the system are told apart.
async fn failing(server: &Server) -> String {
    let (mut failing, mut all, mut of_system) = (0, 0, 0);
    let condition = |object: &Value, name: &str, status: &str| {
        let conditions = object["status"]["conditions"].as_array();
        conditions.into_iter().flatten().any(|told| told["type"] == name && told["status"] == status)
    };
    let count =
        |object: &Value, pointer: &str| object.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
    for kind in ["deployments", "statefulsets", "daemonsets"] {
        for object in server.list(&format!("/apis/apps/v1/{kind}")).await {
            let lacks = match kind {
                "deployments" => {
                    condition(&object, "Available", "False")
                        || condition(&object, "Progressing", "False")
                        || condition(&object, "ReplicaFailure", "True")
                }
                "statefulsets" => {
                    let wanted = object["spec"]["replicas"].as_u64().unwrap_or(1);
                    let revisions = ["/status/currentRevision", "/status/updateRevision"];
                    let [current, update] = revisions.map(|pointer| object.pointer(pointer).cloned());
                    // A rollout may have one replaced at a time.
                    let rolls = current != update;
                    let available =
                        object["status"].get("availableReplicas").or(object["status"].get("readyReplicas"));
                    let available = available.and_then(Value::as_u64).unwrap_or_default();
                    wanted.saturating_sub(available) > u64::from(rolls)
                }
                _ => {
                    let wanted = count(&object, "/status/desiredNumberScheduled");
                    let rolls = count(&object, "/status/updatedNumberScheduled") < wanted;
                    wanted.saturating_sub(count(&object, "/status/numberAvailable")) > u64::from(rolls)
                }
            };
            all += 1;
            let is_of_system = object["metadata"]["namespace"] == "kube-system";
            failing += u32::from(lacks);
            of_system += u32::from(lacks && is_of_system);
        }
    }
    if failing > of_system { format!("{} of {all}", failing - of_system) } else { String::new() }
}

/// Of one resource, in billionths: the containers and sidecars together, or an init container with the sidecars before it.
fn needed(pod: &Value, resource: &str) -> i128 {
    let of = |container: &Value| nano(&container["resources"]["requests"][resource]);
    let (mut sidecars, mut most) = (0, 0);
    for init in pod["spec"]["initContainers"].as_array().into_iter().flatten() {
        let is_sidecar = init["restartPolicy"] == "Always";
        most = most.max(sidecars + of(init));
        sidecars += if is_sidecar { of(init) } else { 0 };
    }
    let containers: i128 = pod["spec"]["containers"].as_array().into_iter().flatten().map(of).sum();
    most.max(sidecars + containers) + nano(&pod["spec"]["overhead"][resource])
}

fn nano(quantity: &Value) -> i128 {
    quantity.as_str().and_then(parse_quantity).unwrap_or_default()
}

pub(crate) async fn room_and_workloads_are_what_the_servers_hold(fleet: &'static TestFleet) {
    let ours = async || capacity_told(fleet).await;
    agree("room and workloads", ours, async || capacity_at_the_servers(fleet).await).await;
}

/// A node that fails is a reason, and none any more once it is back.
#[tokio::test(flavor = "multi_thread")]
async fn simulated_a_node_that_is_not_ready_is_a_reason() {
    let config = SimConfig { pods: 20, nodes: 4, ..SimConfig::named("sim", 1) };
    let fleet = TestFleet::simulated(vec![config]).await.ready().await;
    let sim = &fleet.sims["sim"];
    let is_ready = |node: &Value| {
        let mut conditions = node["status"]["conditions"].as_array().into_iter().flatten();
        conditions.any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
    };
    let nodes = sim.objects(&Gvr::new("", "v1", "nodes"));
    let node = nodes.into_iter().find(is_ready).expect("a node that is ready");
    let name = node["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let mut failed = node.clone();
    failed["status"]["conditions"] =
        json!([{"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}]);
    let is_told = async || -> Vec<bool> {
        let answer = fleet.call("cluster_health", json!({})).await;
        let reasons = answer["groups"][0]["rows"][0][6].as_array().cloned().unwrap_or_default();
        let of_node = format!("{name} (NodeStatusUnknown)");
        vec![
            reasons
                .iter()
                .filter_map(Value::as_str)
                .any(|told| told.starts_with("nodes: ") && told.contains(&of_node)),
        ]
    };
    sim.apply(failed).expect("it is applied");
    agree("the node to be told of", is_told, async || vec![true]).await;
    sim.apply(node).expect("it is applied");
    agree("the node to be back", is_told, async || vec![false]).await;
    fleet.stop().await;
}
