//! How clusters are, beside what their servers say.

use kubeplex_tests::fleet::{LARGEST_ANSWER, TestFleet};
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
