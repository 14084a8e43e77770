//! What a caller gets when all is well, and when some of it is not.

use kubeplex_gateway::limits::Limits;
use kubeplex_proto::status::AgentErrorCode;
use kubeplex_test_support::agent::Behaviour::{self, Hang, Pods, Refuse, Stall, StallLater, Stepwise};
use serde_json::{Value, json};

use crate::world::World;

/// Every row as (cluster, name).
fn rows(answer: &Value) -> Vec<(String, String)> {
    let groups = answer["groups"].as_array().unwrap();
    let of_group = |group: &Value| {
        let cluster = group["cluster"].as_str().unwrap().to_owned();
        let rows = group["rows"].as_array().unwrap().clone();
        rows.into_iter()
            .map(move |row| (cluster.clone(), row[0].as_str().unwrap().to_owned()))
            .collect::<Vec<_>>()
    };
    groups.iter().flat_map(of_group).collect()
}

fn problem<'a>(answer: &'a Value, cluster: &str) -> &'a Value {
    let problems =
        answer["clusters"]["problems"].as_array().unwrap_or_else(|| panic!("no problems: {answer}"));
    problems
        .iter()
        .find(|problem| problem["cluster"] == cluster)
        .unwrap_or_else(|| panic!("no {cluster}: {answer}"))
}

#[tokio::test]
async fn the_rows_of_all_clusters_are_one_ordered_list() {
    let world = World::of(&[("c", Pods(3)), ("a", Pods(2)), ("b", Pods(0))]).await;
    let answer = world.client().pods(json!({})).await;
    let names: Vec<_> = rows(&answer).into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["a-00000", "a-00001", "c-00000", "c-00001", "c-00002"]);
    assert_eq!(answer["total"], 5);
    assert_eq!((&answer["clusters"]["expected"], &answer["clusters"]["answered"]), (&json!(3), &json!(3)));
    assert!(answer["partial"].is_null(), "{answer}");
}

#[tokio::test]
async fn pages_cover_every_row_once() {
    let world = World::of(&[("a", Pods(150)), ("b", Pods(70)), ("c", Pods(1))]).await;
    let client = world.client();
    let mut seen = Vec::new();
    let mut arguments = json!({"limit": 40, "maxBytes": 100_000});
    loop {
        let answer = client.pods(arguments.clone()).await;
        seen.extend(rows(&answer));
        match answer["continue"].as_str() {
            Some(cursor) => arguments["continue"] = json!(cursor),
            None => break,
        }
        assert!(seen.len() <= 221, "more rows than there are");
    }
    let mut unique = seen.clone();
    unique.sort();
    unique.dedup();
    assert_eq!((seen.len(), unique.len()), (221, 221));
    assert_eq!(seen, unique, "and in order");
}

#[tokio::test]
async fn a_hanging_cluster_costs_its_rows_and_nothing_else() {
    let world = World::of(&[("a", Pods(2)), ("b", Hang)]).await;
    let answer = world.client().pods(json!({"timeoutSeconds": 1})).await;
    assert_eq!(rows(&answer).len(), 2);
    assert_eq!(answer["partial"], true);
    assert_eq!(problem(&answer, "b")["status"], "timeout");
    assert_eq!(world.agents[1].given_up(), 1, "the agent's work was cancelled");
}

#[tokio::test]
async fn a_hanging_cluster_takes_no_time_from_the_rows_of_others() {
    let world = World::of(&[("a", Stepwise(300)), ("b", Hang)]).await;
    for _ in 0..4 {
        let arguments = json!({"limit": 300, "maxBytes": 1_000_000, "timeoutSeconds": 2});
        let answer = world.client().pods(arguments).await;
        assert_eq!((&answer["shown"], &answer["clusters"]["answered"]), (&json!(300), &json!(1)));
    }
    assert_eq!(world.agents[0].asked(), 4, "waiting for another cluster is nothing against this one");
}

#[tokio::test]
async fn a_cluster_that_stalls_in_its_answer_leaves_the_others_time_for_the_rest_of_the_page() {
    let world = World::of(&[("a", Stall(100)), ("b", Pods(100)), ("c", Pods(100))]).await;
    // The page is expected to be a's alone, so that b is asked for few rows until it is seen that a sends no more.
    let answer = world.client().pods(json!({"limit": 90, "maxBytes": 100_000, "timeoutSeconds": 2})).await;
    assert_eq!((&answer["shown"], &answer["clusters"]["answered"]), (&json!(90), &json!(2)), "{answer}");
    assert_eq!(answer["total"], 200, "of those that answered");
    let stalled = problem(&answer, "a");
    assert_eq!((&stalled["status"], &stalled["rowsShown"]), (&json!("timeout"), &json!("partial")));
    let of_b = rows(&answer).iter().filter(|(cluster, _)| cluster == "b").count();
    assert_eq!((of_b, world.agents[1].asked()), (26, 2));
}

#[tokio::test]
async fn a_cluster_that_stalls_when_it_is_asked_again_leaves_the_others_time_for_their_turn() {
    let clusters =
        [("a", StallLater(100)), ("b", Pods(100)), ("c", Pods(100)), ("d", Pods(100)), ("e", Pods(100))];
    let world = World::of(&clusters).await;
    // All names of a come before those of b; each was asked for its share of the page and some more.
    let arguments = json!({"sortBy": "name", "limit": 100, "maxBytes": 100_000, "timeoutSeconds": 2});
    let answer = world.client().pods(arguments).await;
    assert_eq!((&answer["shown"], &answer["clusters"]["answered"]), (&json!(100), &json!(4)), "{answer}");
    assert_eq!(problem(&answer, "a")["status"], "timeout");
    assert_eq!((world.agents[0].given_up(), world.agents[1].asked()), (1, 2));
}

#[tokio::test]
async fn answers_that_are_too_long_together_cost_the_rows_of_the_last() {
    let limits = Limits { answer_bytes: 30_000, ..Limits::default() };
    let clusters = [("a", Pods(200)), ("b", Pods(200)), ("c", Pods(200)), ("d", Pods(0))];
    let world = World::with(&clusters, limits).await;
    let answer = world.client().pods(json!({"limit": 1000, "maxBytes": 1_000_000})).await;
    assert_eq!(answer["partial"], true);
    let problems = answer["clusters"]["problems"].as_array().unwrap();
    assert!(!problems.is_empty() && answer["shown"].as_u64() >= Some(200), "one has room: {answer}");
    for problem in problems {
        assert_eq!(problem["status"], "error");
        assert!(
            problem["message"].as_str().unwrap().contains("30000 bytes; ask for fewer rows"),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn few_legs_at_a_time_still_read_every_cluster_to_the_end_of_the_page() {
    let limits = Limits { legs_per_call: 2, ..Limits::default() };
    let clusters = [("a", Pods(150)), ("b", Hang), ("c", Pods(150)), ("d", Pods(150)), ("e", Pods(150))];
    let world = World::with(&clusters, limits).await;
    // By name over all clusters: the merge needs rows of every one before it can show the last.
    let arguments = json!({"sortBy": "-name", "limit": 600, "maxBytes": 1_000_000, "timeoutSeconds": 2});
    let answer = world.client().pods(arguments).await;
    assert_eq!((&answer["shown"], &answer["total"]), (&json!(600), &json!(600)), "{}", answer["clusters"]);
    assert_eq!(answer["clusters"]["answered"], 4);
    assert_eq!(problem(&answer, "b")["status"], "timeout");
}

#[tokio::test]
async fn every_kind_of_failure_is_data() {
    let broken: [(&str, Behaviour, &str); 7] = [
        ("break-off", Behaviour::BreakOff, "error"),
        ("endless-line", Behaviour::EndlessLine, "error"),
        ("forbidden", Refuse(AgentErrorCode::Forbidden), "forbidden"),
        ("garbage", Behaviour::Garbage, "error"),
        ("internal", Refuse(AgentErrorCode::Internal), "error"),
        ("panic", Behaviour::Panic, "error"),
        ("stall", Stall(200), "timeout"),
    ];
    let mut clusters = vec![("a", Pods(2))];
    clusters.extend(broken.map(|(name, behaviour, _)| (name, behaviour)));
    let world = World::of(&clusters).await;
    let answer = world.client().pods(json!({"timeoutSeconds": 2, "maxBytes": 100_000, "limit": 1000})).await;
    assert_eq!(answer["clusters"]["expected"], 8);
    assert!(rows(&answer).iter().any(|(cluster, _)| cluster == "a"));
    for (cluster, _, status) in broken {
        assert_eq!(problem(&answer, cluster)["status"], status, "{cluster}: {answer}");
    }
}

#[tokio::test]
async fn an_object_that_is_the_same_everywhere_comes_once() {
    let clusters = [("a", Pods(1)), ("b", Pods(1)), ("c", Hang), ("d", Behaviour::Garbage)];
    let world = World::of(&clusters).await;
    let arguments = json!({"kind": "pods", "name": "cart", "namespace": "shop", "timeoutSeconds": 1});
    let result = world.client().call("resources_get", arguments).await;
    let answer = &result["structuredContent"];
    assert_eq!(answer["objects"].as_array().map(Vec::len), Some(1), "{result}");
    assert_eq!(answer["objects"][0]["clusters"], json!(["a", "b"]));
    assert_eq!(answer["objects"][0]["object"]["spec"]["nodeName"], "n1");
    assert_eq!(problem(answer, "c")["status"], "timeout");
    assert_eq!(problem(answer, "d")["status"], "error");
    assert_eq!(world.agents[2].given_up(), 1);
}

#[tokio::test]
async fn a_cluster_without_a_link_is_not_waited_for() {
    let world = World::of(&[("a", Pods(1))]).await;
    world.gateway.registry().expect(kubeplex_proto::ids::ClusterId::new("gone").unwrap(), [].into());
    let answer = world.client().pods(json!({})).await;
    assert_eq!(answer["clusters"]["expected"], 2);
    assert_eq!(problem(&answer, "gone")["status"], "disconnected");
    assert_eq!(rows(&answer).len(), 1);
}

#[tokio::test]
async fn a_call_fails_only_when_all_clusters_did() {
    let world = World::of(&[("a", Refuse(AgentErrorCode::Internal)), ("b", Behaviour::Garbage)]).await;
    let result = world.client().call("pods_list", json!({})).await;
    assert_eq!(result["isError"], true);
    assert_eq!(result["structuredContent"]["code"], "unavailable", "{result}");
    assert_eq!(result["content"][0]["text"], result["structuredContent"].to_string());
}

#[tokio::test]
async fn a_cluster_that_keeps_timing_out_is_not_asked_for_a_while() {
    let world = World::of(&[("a", Pods(1)), ("b", Hang)]).await;
    for _ in 0..5 {
        let answer = world.client().pods(json!({"timeoutSeconds": 1})).await;
        assert_eq!(problem(&answer, "b")["status"], "timeout");
    }
    assert_eq!(world.agents[1].asked(), 3, "the breaker opens after three");
    assert_eq!(world.agents[0].asked(), 5);
}

#[tokio::test]
async fn a_trace_names_stages_and_legs_when_asked_for() {
    let world = World::of(&[("a", Pods(1)), ("b", Behaviour::Garbage)]).await;
    let client = world.client();
    let plain = client.call("pods_list", json!({})).await;
    assert!(plain["_meta"]["kubeplex/trace"].is_null(), "{plain}");
    let params = json!({"name": "pods_list", "arguments": {}, "_meta": {"kubeplex/trace": true}});
    let answer = client.ask("tools/call", params).await;
    let trace = &answer["result"]["_meta"]["kubeplex/trace"];
    let stages: Vec<_> =
        trace["stages"].as_array().unwrap().iter().map(|stage| stage["stage"].clone()).collect();
    assert_eq!(stages, ["identify", "resolve", "authorize", "admit", "fanout", "merge", "render"]);
    assert_eq!(trace["legs"][0]["cluster"], "a");
    assert_eq!((&trace["legs"][0]["status"], &trace["legs"][0]["rows"]), (&json!("ok"), &json!(1)));
    assert_eq!(trace["legs"][1]["status"], "error");
}

#[tokio::test]
async fn a_thousand_calls_at_once_are_all_answered() {
    let world = World::of(&[("a", Pods(20)), ("b", Pods(20)), ("c", Pods(20))]).await;
    let client = world.client();
    let calls = (0..1000).map(|_| client.pods(json!({"limit": 10, "timeoutSeconds": 60})));
    for answer in futures::future::join_all(calls).await {
        assert!(answer["partial"].is_null(), "{answer}");
        assert_eq!(answer["shown"], 10);
    }
    assert_eq!(world.gateway.pipeline().calls_in_flight(), 0);
}
