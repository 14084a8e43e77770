//! Callers who ask too often, and those who are served meanwhile.

use std::collections::BTreeMap;

use kubeplex_gateway::config::{GatewayConfig, TokenHash};
use kubeplex_gateway::limits::Limits;
use kubeplex_test_support::agent::Behaviour::{Flood, Pods};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use crate::client::Client;
use crate::world::World;

/// Of a gateway with two callers, whose tokens are their names, and no cluster.
pub(crate) fn with_callers(more: &str) -> GatewayConfig {
    let section = |name: &str| {
        let hash: String = TokenHash::of(name).0.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("[[caller]]\nuser = \"{name}\"\ntoken_sha256 = \"{hash}\"\n")
    };
    let listeners = "[gateway]\nlisten = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n";
    let text = format!("{listeners}{more}\n{}{}", section("anna"), section("ben"));
    GatewayConfig::from_toml(&text).unwrap()
}

fn list(client: &Client) -> RequestBuilder {
    client.request("tools/list", json!({}))
}

fn initialize(client: &Client) -> RequestBuilder {
    let params = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "tests", "version": "1"},
    });
    client.post(json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}).to_string())
}

/// Sends so many at once, and counts what they were answered with.
async fn flood(request: impl Fn() -> RequestBuilder, times: usize) -> BTreeMap<u16, usize> {
    let mut statuses = BTreeMap::new();
    for answer in futures::future::join_all((0..times).map(|_| request().send())).await {
        *statuses.entry(answer.unwrap().status().as_u16()).or_default() += 1;
    }
    statuses
}

fn retry_after(answer: &Response) -> u64 {
    answer.headers()["retry-after"].to_str().unwrap().parse().unwrap()
}

async fn counted(client: &Client, line: &str) -> bool {
    client.admin("/metrics").await.1.lines().any(|counted| counted == line)
}

#[tokio::test]
async fn a_flood_of_requests_is_turned_away_and_others_are_served() {
    let rates = "[rates]\nrequests_per_second = 1\nrequests_burst = 5";
    let world = World::empty(with_callers(rates)).await;
    let client = world.client();
    // What is not even JSON is turned away alike: nobody reads it.
    let noise = || client.post("no JSON").bearer_auth("anna");
    assert_eq!(flood(|| list(&client).bearer_auth("anna"), 5).await, BTreeMap::from([(200, 5)]));
    assert_eq!(flood(noise, 5).await, BTreeMap::from([(429, 5)]));
    assert_eq!(flood(|| list(&client).bearer_auth("ben"), 5).await, BTreeMap::from([(200, 5)]));
    let refused = list(&client).bearer_auth("anna").send().await.unwrap();
    assert_eq!((refused.status(), retry_after(&refused)), (StatusCode::TOO_MANY_REQUESTS, 1));
    let told: Value = refused.json().await.unwrap();
    assert_eq!(told["code"], "rate_limited");
    assert!(told["retryAfterMs"].as_u64().is_some_and(|wait| (1..=1_000).contains(&wait)), "{told}");
    assert!(counted(&client, "kubeplex_gateway_requests_throttled_total{reason=\"rate\"} 6").await);
}

#[tokio::test]
async fn a_cluster_that_answers_without_an_end_costs_its_own_part() {
    let limits = Limits { answer_bytes: 1 << 20, ..Limits::default() };
    let world = World::with(&[("a", Pods(1)), ("b", Flood)], limits).await;
    let result =
        world.client().call("resources_get", json!({"kind": "pods", "namespace": "shop", "name": "x"})).await;
    let answer = &result["structuredContent"];
    assert_eq!(answer["clusters"]["answered"], 1, "{answer}");
    let problem = &answer["clusters"]["problems"][0];
    assert_eq!(problem["cluster"], "b", "{answer}");
    assert!(problem["message"].as_str().unwrap().contains("longer than 1048576 bytes"), "{answer}");
}

#[tokio::test]
async fn a_flood_of_initialize_is_turned_away_and_others_get_their_sessions() {
    let limits = "[limits]\nsessions = 8\nsessions_per_caller = 3\n[rates]\ninitialize_per_second = 1\ninitialize_burst = 20";
    let world = World::empty(with_callers(limits)).await;
    let client = world.client();
    let statuses = flood(|| initialize(&client).bearer_auth("anna"), 40).await;
    assert_eq!(statuses.get(&200), Some(&3), "{statuses:?}");
    assert_eq!(statuses.get(&429), Some(&37), "{statuses:?}");
    assert!(counted(&client, "kubeplex_gateway_sessions 3").await);
    for reason in ["no_session", "too_often"] {
        let metrics = client.admin("/metrics").await.1;
        let line = format!("kubeplex_gateway_requests_denied_total{{reason=\"{reason}\"}} ");
        let count = metrics.lines().find_map(|counted| counted.strip_prefix(&line)).unwrap().to_owned();
        assert!(count.parse::<u64>().unwrap() >= 17, "{reason}: {count}");
    }
    let refused = initialize(&client).bearer_auth("anna").send().await.unwrap();
    assert!(retry_after(&refused) >= 1);
    assert_eq!(initialize(&client).bearer_auth("ben").send().await.unwrap().status(), 200);
    assert_eq!(list(&client).bearer_auth("anna").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn guesses_of_tokens_become_fewer_and_whoever_has_one_is_served() {
    let rates = "[rates]\nstrangers_per_second = 1\nstrangers_burst = 4";
    let world = World::empty(with_callers(rates)).await;
    let client = world.client();
    let statuses = flood(|| list(&client).bearer_auth("guess"), 12).await;
    assert!(statuses.get(&401).is_some_and(|guesses| (4..=6).contains(guesses)), "{statuses:?}");
    assert!(statuses.get(&429).is_some_and(|refused| *refused >= 6), "{statuses:?}");
    assert_eq!(flood(|| list(&client).bearer_auth("anna"), 4).await, BTreeMap::from([(200, 4)]));
}
