//! What is wrong in a hundred clusters of a thousand pods, each with a few faults.

use serde_json::json;

use crate::asked::Asked;
use crate::fleet;

const CLUSTERS: usize = 100;
const PODS: usize = 1_000;
const CALLS: usize = 100;

const LIMIT: &str = "verdicts are kept, so a call costs what a hundred agents on the cores of this machine write down of theirs, and the \
     gateway folds";

pub(crate) async fn run() -> anyhow::Result<()> {
    let fleet = fleet::asked_anew(CLUSTERS, PODS).await;
    let total = fleet::problems(&fleet).await;
    let questions = [
        ("all", json!({})),
        ("critical ones of one namespace", json!({"severity": "critical", "namespace": "shop"})),
        ("counted by cause", json!({"groupBy": "cause"})),
    ];
    for (name, arguments) in questions {
        let title = format!("problems_list, {CLUSTERS} clusters × {PODS} pods, {total} problems, {name}");
        let asked =
            Asked { tool: "problems_list", arguments, calls: CALLS, title, goal: "≤ 250", limit: LIMIT };
        asked.measure(&fleet).await?;
    }
    fleet.stop().await;
    Ok(())
}
