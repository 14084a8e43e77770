//! Health, metrics, and the end in two steps.

use std::time::Duration;

use kubeplex_gateway::limits::Limits;
use kubeplex_test_support::agent::Behaviour::{Hang, Pods};
use serde_json::{Value, json};

use crate::world::{World, expected, loopback};

#[tokio::test]
async fn readiness_compares_and_does_not_require() {
    let world = World::empty(loopback().with_cluster(expected("never-seen"))).await;
    let client = world.client();
    assert_eq!(client.admin("/healthz").await.0, 200);
    let (status, body) = client.admin("/readyz").await;
    assert_eq!(status, 200);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["ready"], true);
    assert_eq!((&body["links"]["expected"], &body["links"]["never"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn what_happened_is_counted() {
    let world = World::of(&[("a", Pods(1))]).await;
    let client = world.client();
    client.pods(json!({})).await;
    client.call("pods_list", json!({"limit": -1})).await;
    client.post(format!("{}1{}", "[".repeat(100), "]".repeat(100))).send().await.unwrap();
    let (_, metrics) = client.admin("/metrics").await;
    for line in [
        r#"kubeplex_gateway_calls_total{tool="pods_list",result="ok"} 1"#,
        r#"kubeplex_gateway_calls_total{tool="pods_list",result="invalid_argument"} 1"#,
        r#"kubeplex_gateway_legs_total{cluster="a",status="ok"} 1"#,
        r#"kubeplex_gateway_breaker_open{cluster="a"} 0"#,
        r#"kubeplex_gateway_requests_denied_total{reason="too_deep"} 1"#,
        r#"kubeplex_gateway_clusters{link="connected"} 1"#,
        "kubeplex_gateway_clusters_expected 1",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

#[tokio::test]
async fn running_calls_finish_and_then_everything_ends() {
    let world = World::of(&[("a", Pods(1)), ("b", Hang)]).await;
    let client = world.client();
    let session = client.initialize().await;
    let running = client.pods(json!({"timeoutSeconds": 2}));
    let stopping = async {
        world.agents[1].until_asked().await;
        world.stop.cancel();
        world.tracker.close();
    };
    let (answer, ()) = tokio::join!(running, stopping);
    assert_eq!(answer["clusters"]["answered"], 1, "a call that ran was answered: {answer}");
    drop(session);
    tokio::time::timeout(Duration::from_secs(30), world.tracker.wait()).await.expect("every task ends");
}

#[tokio::test]
async fn a_call_that_outlasts_the_drain_is_cut() {
    let limits = Limits { drain: Duration::from_millis(200), ..Limits::default() };
    let world = World::with(&[("b", Hang)], limits).await;
    let client = world.client();
    let running = client
        .request("tools/call", json!({"name": "pods_list", "arguments": {"timeoutSeconds": 120}}))
        .send();
    let stopping = async {
        world.agents[0].until_asked().await;
        world.stop.cancel();
        world.tracker.close();
        tokio::time::timeout(Duration::from_secs(30), world.tracker.wait()).await.expect("every task ends");
    };
    let (answer, ()) = tokio::join!(running, stopping);
    assert!(answer.is_err() || answer.is_ok_and(|response| !response.status().is_success()));
}
