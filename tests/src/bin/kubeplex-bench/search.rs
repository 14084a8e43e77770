//! Words over all kinds of a hundred clusters of a thousand pods.

use serde_json::json;

use crate::asked::Asked;
use crate::fleet;

const CLUSTERS: usize = 100;
const PODS: usize = 1_000;
const CALLS: usize = 100;

const LIMIT: &str = "a hundred agents, each of which looks through the rows of all its kinds, share the cores of this machine with \
     the gateway that merges what they found";

pub(crate) async fn run() -> anyhow::Result<()> {
    let fleet = fleet::asked_anew(CLUSTERS, PODS).await;
    let questions = [
        ("a word", json!({"query": "cart"})),
        ("a word that nothing has", json!({"query": "xyzzy"})),
        ("an image", json!({"query": "image:cart"})),
        ("two words and a status", json!({"query": "shop cart status:Running"})),
        ("restarts and age", json!({"query": "restarts>1 age<30d"})),
        ("counted by kind", json!({"query": "cart", "groupBy": "kind"})),
    ];
    for (name, arguments) in questions {
        let found = fleet.call("fleet_search", arguments.clone()).await;
        let total = &found["total"];
        let title =
            format!("fleet_search, {CLUSTERS} clusters × {PODS} pods, {name}, {total} matches, first page");
        let asked =
            Asked { tool: "fleet_search", arguments, calls: CALLS, title, goal: "≤ 100", limit: LIMIT };
        asked.measure(&fleet).await?;
    }
    fleet.stop().await;
    Ok(())
}
