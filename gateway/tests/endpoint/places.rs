//! Places at a cluster: who holds one, for how long, and what a queue for them says about the cluster.

use std::time::{Duration, Instant};

use futures::future::join_all;
use kubeplex_gateway::limits::Limits;
use kubeplex_test_support::agent::Behaviour::{Hang, Pods, Slow};
use serde_json::{Value, json};

use crate::world::World;

/// Callers that queue for a cluster get to it too late to be answered, though it answers everybody in the time that they
/// had at first.
#[tokio::test]
async fn a_queue_before_a_healthy_cluster_opens_no_breaker() {
    let limits = Limits { legs_per_cluster: 8, ..Limits::default() };
    let world = World::with(&[("slow", Slow(3, Duration::from_millis(4_500)))], limits).await;
    let caller = async |begins: u32| {
        // One after the other, so that some find a place when too little of their time is left.
        tokio::time::sleep(Duration::from_millis(100) * begins).await;
        world.client().call("pods_list", json!({"timeoutSeconds": 8})).await["structuredContent"].to_string()
    };
    let answers = join_all((0..40).map(caller)).await;
    let saying = |what: &str| answers.iter().filter(|answer| answer.contains(what)).count();
    assert!(saying("\"rows\"") >= 8, "{answers:?}");
    assert!(saying("no answer within") > 3, "nobody came too late: {answers:?}");
    assert!(saying("busy") > 3, "nobody was turned away: {answers:?}");
    assert_eq!(saying("latest requests timed out"), 0, "{answers:?}");
    world.agents[0].behave(Pods(3));
    let next = world.client().pods(json!({})).await;
    assert_eq!(next["clusters"]["answered"], 1, "{next}");
}

/// Calls that wait for a hanging cluster have the rows of the others long since; they keep nobody from asking these.
#[tokio::test]
async fn a_hanging_cluster_uses_up_no_places_of_others() {
    let clusters = ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8"];
    let limits = Limits { legs_per_cluster: 4, ..Limits::default() };
    let all: Vec<_> = clusters.iter().map(|name| (*name, Pods(600))).chain([("c9", Hang)]).collect();
    let world = World::with(&all, limits).await;
    let ask = async |clusters: &str, timeout_s: u64| -> Value {
        let arguments = json!({
            "limit": 500, "maxBytes": 1 << 20, "timeoutSeconds": timeout_s, "sortBy": "name", "cluster": clusters,
        });
        world.client().pods(arguments).await
    };
    let everywhere = clusters.iter().copied().chain(["c9"]).collect::<Vec<_>>().join(",");
    let flood = join_all((0..12).map(|_| ask(&everywhere, 60)));
    let others = async {
        world.agents[9].at_work(4).await;
        let began = Instant::now();
        let healthy = clusters.join(",");
        for answer in join_all((0..8).map(|_| ask(&healthy, 20))).await {
            assert_eq!(
                (&answer["shown"], &answer["clusters"]["answered"]),
                (&json!(500), &json!(9)),
                "{answer}"
            );
        }
        began.elapsed()
    };
    // The flood is still waiting when the others are served, and is given up then.
    let took = tokio::select! {
        answers = flood => panic!("c9 does not answer: {answers:?}"),
        took = others => took,
    };
    assert!(took < Duration::from_secs(10), "half of their time went into a queue: {took:?}");
}
