//! The two questions that people ask first, of clusters with a past that nobody recorded, within what models can bear.

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::rows;
use kubeplex_tests::server::text;
use serde_json::{Value, json};
use simcluster::{Scenario, SimConfig, Troubles};

use super::line;

const MOST_TOKENS: usize = 2_000;

const PRODUCTION: [&str; 3] = ["prod-ap", "prod-eu", "prod-us"];

fn tokens(value: &Value) -> usize {
    tiktoken_rs::o200k_base().expect("the vocabulary").encode_ordinary(&value.to_string()).len()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_today_and_what_moved_before_it_broke_take_one_call_each() {
    let config = |name: &str| SimConfig {
        scenario: Scenario::ShopDay,
        troubles: Troubles::None,
        pods: 60,
        nodes: 3,
        ..SimConfig::named(name, 7)
    };
    let fleet = TestFleet::simulated(PRODUCTION.map(config).into()).await.ready().await;

    let today = fleet.call("changes_list", json!({"cluster": "prod-*", "since": "12h"})).await;
    println!("what changed today: {} tokens", tokens(&today));
    assert!(tokens(&today) <= MOST_TOKENS, "{} tokens: {today}", tokens(&today));
    let told = rows::of(&today);
    let checkout = |rows: &[rows::Row]| {
        rows.iter().any(|row| {
            let line = line(row);
            line.starts_with("Deployment/checkout: containers[") && line.ends_with("→ 1.9.0")
        })
    };
    assert!(checkout(&told), "{today}");
    assert!(
        told.iter().all(|row| text(row.cell("note")).starts_with("inferred")),
        "nobody recorded: {today}"
    );
    assert!(
        !told.iter().any(|row| line(row).starts_with("Namespace/")),
        "they are as old as their cluster: {today}"
    );
    assert!(text(&today["gaps"][0]["reason"]).starts_with("not recorded"), "{today}");

    let question = json!({"cluster": "prod-us", "namespace": "shop", "name": "deployment/checkout",
        "around": "130m", "window": "10m"});
    let moved = fleet.call("changes_list", question).await;
    println!("what moved before it broke: {} tokens", tokens(&moved));
    assert!(tokens(&moved) <= MOST_TOKENS && checkout(&rows::of(&moved)), "{moved}");
    fleet.stop().await;
}
