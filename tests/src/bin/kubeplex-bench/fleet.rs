//! One caller asks ten clusters of a thousand pods, through a gateway that keeps no answers.

use std::time::{Duration, Instant};

use kubeplex_gateway::limits::Limits;
use kubeplex_tests::fleet::TestFleet;
use serde_json::{Value, json};
use simcluster::SimConfig;

use crate::asked::Asked;

const CALLS: usize = 300;

/// All is judged when nothing has been added to the problems for so long.
const SETTLED: Duration = Duration::from_secs(3);

const LEGS: &str =
    "ten agents are asked over their links and their rows merged, all on the cores of this machine";
const SCAN: &str =
    "a path outside the rows makes the agents decompress and parse every object, ten thousand of them";

/// Simulated clusters, agents linked as over a network, everything synced.
pub(crate) async fn clusters(count: usize, pods: usize) -> TestFleet {
    TestFleet::simulated(configs(count, pods)).await.ready().await
}

/// The same behind a gateway that keeps no answers: every call asks all agents. They have judged what they hold: until then
/// they have other work than answers.
pub(crate) async fn asked_anew(count: usize, pods: usize) -> TestFleet {
    let fleet = TestFleet::simulated_under(keeping_nothing(), configs(count, pods)).await.ready().await;
    let (mut last, mut since) = (Value::Null, Instant::now());
    while since.elapsed() < SETTLED {
        let total = problems(&fleet).await;
        if total != last {
            (last, since) = (total, Instant::now());
        }
    }
    fleet
}

/// How many problems there are.
pub(crate) async fn problems(fleet: &TestFleet) -> Value {
    fleet.call("problems_list", json!({"limit": 1})).await["total"].clone()
}

pub(crate) fn keeping_nothing() -> Limits {
    Limits { result_cache_bytes: 0, ..Limits::default() }
}

fn configs(count: usize, pods: usize) -> Vec<SimConfig> {
    let config = |index: usize| SimConfig {
        pods,
        nodes: pods / 30 + 3,
        ..SimConfig::named(&format!("cluster-{index:03}"), index as u64 + 1)
    };
    (0..count).map(config).collect()
}

pub(crate) async fn run() -> anyhow::Result<()> {
    let fleet = asked_anew(10, 1_000).await;
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
