//! What one answer of each tool costs a model, over the six clusters of the demo.

use kubeplex_tests::fleet::TestFleet;
use serde_json::{Value, json};
use tiktoken_rs::o200k_base;

use crate::figure::Figure;

const PODS: u32 = 150;
const CLUSTERS: u16 = 6;

const LIMIT: &str = "the names of clusters, namespaces and objects are most of an answer; its budget of 7,500 bytes holds about 2,500 tokens";

/// A tool, how it is usually asked, and what that may cost.
const ANSWERS: &[(&str, &str, &str)] = &[
    ("clusters_list", "{}", ""),
    ("cluster_health", "{}", ""),
    ("fleet_search", r#"{"query":"checkout"}"#, ""),
    ("fleet_diff", r#"{"cluster":"prod-*","namespace":"payments","name":"deployment/payments-api"}"#, ""),
    ("problems_list", r#"{"cluster":"prod-*"}"#, "≤ 1500"),
    ("changes_list", r#"{"cluster":"prod-*","since":"24h"}"#, "≤ 2000"),
    ("api_resources_list", "{}", ""),
    ("resource_explain", r#"{"cluster":"prod-eu","kind":"deployments","path":"spec.strategy"}"#, ""),
    ("resources_list", r#"{"kind":"deployments"}"#, ""),
    ("resources_get", r#"{"cluster":"prod-eu","namespace":"shop","name":"deployment/checkout"}"#, ""),
    (
        "resources_describe",
        r#"{"cluster":"prod-us","namespace":"shop","name":"deployment/checkout"}"#,
        "≤ 1500",
    ),
    ("pods_list", "{}", ""),
    (
        "pods_log",
        r#"{"cluster":"prod-eu","namespace":"shop","name":"deployment/checkout","patterns":true}"#,
        "",
    ),
    ("top", "{}", ""),
    ("events_list", "{}", ""),
];

pub(crate) async fn run() -> anyhow::Result<()> {
    let fleet = TestFleet::simulated(kubeplex_cli::demo::configs(CLUSTERS, PODS)).await.ready().await;
    let encoding = o200k_base()?;
    let tokens = |value: &Value| encoding.encode_ordinary(&value.to_string()).len() as f64;
    for (tool, arguments, goal) in ANSWERS {
        let arguments: Value = serde_json::from_str(arguments)?;
        let answer = fleet.call(tool, arguments.clone()).await;
        let title = format!("{tool} {arguments}, six clusters of {PODS} pods");
        Figure::new(title, tokens(&answer), "tokens", LIMIT).goal(goal).print()?;
    }
    let tools: Vec<_> =
        kubeplex_gateway::tools::catalogue().tools().iter().map(|tool| tool.descriptor()).collect();
    Figure::new(
        format!("tools/list, {} tools", tools.len()),
        tokens(&json!({ "tools": tools })),
        "tokens",
        LIMIT,
    )
    .goal("≤ 4000")
    .print()?;
    fleet.stop().await;
    Ok(())
}
