//! Requests that nobody should send, and limits that hold.

use kubeplex_gateway::limits::{Limits, LocalUser, Rate, Rates};
use kubeplex_test_support::agent::Behaviour::{Hang, Pods};
use reqwest::StatusCode;
use serde_json::json;

use crate::client::{NEWER, message};
use crate::world::World;

#[tokio::test]
async fn hosts_and_origins_that_are_not_ours_are_refused() {
    let world = World::of(&[]).await;
    let client = world.client();
    let status = async |name: &str, value: &str| {
        client.request("tools/list", json!({})).header(name, value).send().await.unwrap().status()
    };
    for (name, value, expected) in [
        ("host", "evil.example.com", 403),
        ("host", "127.0.0.1.evil.example.com:7575", 403),
        ("host", "localhost:9999", 200),
        ("origin", "http://evil.example.com", 403),
        ("origin", "null", 403),
        ("origin", "http://localhost.evil.example.com", 403),
        ("origin", "http://localhost:3000", 200),
        ("origin", "http://127.0.0.1", 200),
    ] {
        assert_eq!(status(name, value).await, expected, "{name}: {value}");
    }
}

#[tokio::test]
async fn oversized_and_bottomless_requests_are_refused_and_the_next_one_is_served() {
    let limits = Limits { request_bytes: 10_000, ..Limits::default() };
    let world = World::with(&[("a", Pods(1))], limits).await;
    let client = world.client();
    let large = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{{"x":"{}"}}}}"#,
        "y".repeat(20_000)
    );
    let deep = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}1{}}}"#,
        "[".repeat(2_000),
        "]".repeat(2_000)
    );
    for (body, expected) in [
        (large, StatusCode::PAYLOAD_TOO_LARGE),
        (deep, StatusCode::BAD_REQUEST),
        (r#"{"jsonrpc":"2.0","id":1,"method":"#.to_owned(), StatusCode::BAD_REQUEST),
    ] {
        let response = client.post(body).header("mcp-protocol-version", NEWER).send().await.unwrap();
        assert_eq!(response.status(), expected);
    }
    assert_eq!(client.pods(json!({})).await["total"], 1);
}

#[tokio::test]
async fn a_gateway_that_is_full_says_when_to_come_back() {
    let limits = Limits { calls_in_flight: 1, ..Limits::default() };
    let world = World::with(&[("a", Hang)], limits).await;
    let client = world.client();
    let first = client.call("pods_list", json!({"timeoutSeconds": 3}));
    let second = async {
        world.agents[0].until_asked().await;
        client.call("pods_list", json!({})).await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(second["structuredContent"]["code"], "unavailable", "{second}");
    assert!(second["structuredContent"]["retryAfterMs"].as_u64().is_some_and(|wait| wait > 0));
    assert_eq!(first["structuredContent"]["code"], "timeout", "{first}");
}

#[tokio::test]
async fn a_caller_above_its_rate_is_told_to_wait() {
    let local_user = LocalUser::Limited;
    let rates = Rates { cached: Rate::new(1, 2), local_user, ..Rates::default() };
    let limits = Limits { rates, ..Limits::default() };
    let world = World::with(&[("a", Pods(1))], limits).await;
    let client = world.client();
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(client.call("pods_list", json!({})).await["structuredContent"]["code"].clone());
    }
    assert_eq!(codes.iter().filter(|code| code.is_null()).count(), 2, "{codes:?}");
    assert_eq!(codes[3], "rate_limited");
}

#[tokio::test]
async fn a_full_bulkhead_holds_one_cluster_back_and_no_other() {
    let limits = Limits { legs_per_cluster: 2, ..Limits::default() };
    let world = World::with(&[("a", Pods(1)), ("b", Hang)], limits).await;
    let client = world.client();
    let calls = (0..8).map(|_| client.pods(json!({"timeoutSeconds": 2})));
    for answer in futures::future::join_all(calls).await {
        assert_eq!(answer["clusters"]["answered"], 1, "{answer}");
        assert_eq!(answer["partial"], true);
    }
    assert!(
        world.agents[1].asked() <= 4,
        "{} legs to a cluster that has room for two",
        world.agents[1].asked()
    );
}

#[tokio::test]
async fn sessions_are_limited_and_the_stateless_era_goes_on() {
    let limits = Limits { sessions: 2, ..Limits::default() };
    let world = World::with(&[("a", Pods(1))], limits).await;
    let client = world.client();
    let first = client.initialize().await;
    let _second = client.initialize().await;
    let initialize = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "tests", "version": "1"},
    }});
    let refused = client.post(initialize.to_string()).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key("retry-after"));
    assert!(message(refused).await["error"]["message"].as_str().unwrap().contains("all 2 sessions"));
    assert_eq!(client.pods(json!({})).await["total"], 1);
    client.delete(&first.id).await;
    client.initialize().await;
}
