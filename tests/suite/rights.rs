//! Agents that may read little or nothing: they settle, say what they may not, and hold nobody up.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kubeplex_tests::fleet::{Contents, TestCluster, TestFleet};
use kubeplex_tests::real;
use kubeplex_tests::rows::{self, Row};
use kubeplex_tests::server::{Server, key};
use serde_json::{Value, json};

use crate::ground;

/// All agents are of this one cluster; what they are called is whose rights they have.
const CLUSTER: &str = "us-1";

/// A call waits for what is not known yet; for what is forbidden it does not.
const AT_ONCE: Duration = Duration::from_secs(5);

async fn fleet_of(users: &[&str]) -> TestFleet {
    let mut clusters = Vec::new();
    for user in users {
        let server = Server::new(*user, ground::client(CLUSTER).await);
        let agent = ground::client(&format!("{CLUSTER}-{user}")).await;
        clusters.push(TestCluster { name: (*user).to_owned(), labels: BTreeMap::new(), agent, server });
    }
    TestFleet::linked(clusters, Contents::Seeded).await
}

async fn quickly(fleet: &TestFleet, tool: &str, question: Value) -> Value {
    let before = Instant::now();
    let exchange = fleet.exchange(tool, question.clone()).await;
    assert!(before.elapsed() < AT_ONCE, "{tool} {question} took {:?}", before.elapsed());
    exchange.structured().unwrap_or_else(|error| error).clone()
}

fn status_of(answer: &Value, cluster: &str) -> Value {
    let problems = answer["clusters"]["problems"].as_array().cloned().unwrap_or_default();
    let problem = problems.into_iter().find(|problem| problem["cluster"] == cluster);
    problem.map_or(Value::Null, |mut problem| problem["status"].take())
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_say_what_they_may_not_read() {
    if real::control_planes().is_none() {
        return real::skipped("agents_say_what_they_may_not_read");
    }
    let _quiet = ground::reading().await;
    // Ready also where nothing may be read: what is forbidden has settled.
    let fleet = fleet_of(&["reader", "shop", "nobody"]).await.ready().await;

    let answer = quickly(&fleet, "pods_list", json!({"limit": 1_000, "maxBytes": 1 << 20})).await;
    let pods = fleet.servers[0].list("/api/v1/pods").await;
    let mut pods: Vec<_> =
        pods.iter().map(key).map(|(namespace, name)| ("reader".to_owned(), namespace, name)).collect();
    pods.sort();
    assert_eq!(
        rows::of(&answer).iter().map(Row::key).collect::<Vec<_>>(),
        pods,
        "the reader's, and nobody else's"
    );
    assert_eq!(answer["partial"], true);
    for user in ["shop", "nobody"] {
        assert_eq!(status_of(&answer, user), "forbidden", "{}", answer["clusters"]);
    }
    assert_eq!(status_of(&answer, "reader"), Value::Null, "{}", answer["clusters"]);

    // Every kind but this one is the reader's to read.
    let secrets = quickly(&fleet, "resources_list", json!({"kind": "secrets", "cluster": "reader"})).await;
    assert_eq!(secrets["code"], "forbidden", "{secrets}");
    let error = quickly(&fleet, "pods_list", json!({"cluster": "nobody"})).await;
    assert_eq!((&error["code"], &error["cluster"]), (&json!("forbidden"), &json!("nobody")), "{error}");
    assert!(error["message"].as_str().is_some_and(|message| message.contains("pods")), "{error}");

    let clusters = rows::of(&quickly(&fleet, "clusters_list", json!({})).await);
    let links: Vec<_> = clusters.iter().map(|row| (row.name(), row.cell("link"))).collect();
    let connected = json!("connected");
    assert_eq!(links, ["nobody", "reader", "shop"].map(|user| (user, &connected)));
    fleet.stop().await;
}
