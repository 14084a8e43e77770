//! One caller asks ten clusters of a thousand pods.

use kubeplex_tests::fleet::TestFleet;
use serde_json::json;
use simcluster::SimConfig;

use crate::asked::Asked;

const CALLS: usize = 300;

const LEGS: &str =
    "ten agents are asked over their links and their rows merged, all on the cores of this machine";
const SCAN: &str =
    "a path outside the rows makes the agents decompress and parse every object, ten thousand of them";

/// Ten simulated clusters of about a thousand pods, agents linked as over a network, everything synced.
pub(crate) async fn ten_clusters() -> TestFleet {
    clusters(10, 1_000).await
}

pub(crate) async fn clusters(count: usize, pods: usize) -> TestFleet {
    let config = |index: usize| SimConfig {
        pods,
        nodes: pods / 30 + 3,
        ..SimConfig::named(&format!("cluster-{index:03}"), index as u64 + 1)
    };
    TestFleet::simulated((0..count).map(config).collect()).await.ready().await
}

pub(crate) async fn run() -> anyhow::Result<()> {
    let fleet = ten_clusters().await;
    let questions = [
        ("first page, usual order", json!({})),
        ("sorted by restarts over all clusters", json!({"sortBy": "-restarts"})),
        ("one namespace, 200 rows", json!({"namespace": "shop", "limit": 200, "maxBytes": 1_000_000})),
        ("field selector on a path outside the rows", json!({"fieldSelector": "spec.schedulerName=none"})),
    ];
    for (name, arguments) in questions {
        let (calls, limit) = if name.contains("outside") { (CALLS / 10, SCAN) } else { (CALLS, LEGS) };
        fleet.call("pods_list", arguments.clone()).await;
        let title = format!("pods_list, 10 clusters × 1,000 pods, {name}");
        Asked { tool: "pods_list", arguments, calls, title, goal: "", limit }.measure(&fleet).await?;
    }
    fleet.stop().await;
    Ok(())
}
