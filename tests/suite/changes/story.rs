//! A release, as people ask for it: one row for all clusters, with what it mounts, and nothing of what only followed.

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::server::{Server, text};
use kubeplex_tests::wait;
use serde_json::{Value, json};
use simcluster::SimConfig;

use super::{line, told};
use crate::ground;

const NAMESPACE: &str = "kubeplex-changes";
const CLUSTERS: [&str; 2] = ["eu-1", "us-1"];

#[tokio::test(flavor = "multi_thread")]
async fn a_release_in_simulated_clusters_is_told_as_it_was() {
    let config = |name| SimConfig { pods: 20, nodes: 2, ..SimConfig::named(name, 7) };
    let fleet = TestFleet::simulated(CLUSTERS.map(config).into()).await.ready().await;
    a_release_is_told_as_it_was(&fleet).await;
    fleet.stop().await;
}

#[test]
fn a_release_in_real_clusters_is_told_as_it_was() {
    ground::real_alone("a_release_in_real_clusters_is_told_as_it_was", a_release_is_told_as_it_was);
}

fn path(rest: &str) -> String {
    match rest.split_once('/') {
        Some(("deployments", name)) => format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{name}")
            .trim_end_matches('/')
            .to_owned(),
        _ => format!("/api/v1/namespaces/{NAMESPACE}/{rest}").trim_end_matches('/').to_owned(),
    }
}

fn deployment() -> Value {
    let container = json!({"name": "app", "image": "registry.kubeplex.dev/checkout:1.8.1",
        "envFrom": [{"configMapRef": {"name": "flags"}}]});
    let template = json!({"metadata": {"labels": {"app": "checkout"}}, "spec": {"containers": [container]}});
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "checkout", "namespace": NAMESPACE},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "checkout"}}, "template": template}})
}

fn config_map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": NAMESPACE},
        "data": {"a": "old", "b": "same"}})
}

/// The cluster does what controllers do, where none run by themselves.
fn settle(fleet: &TestFleet, cluster: &str) {
    if let Some(sim) = fleet.sims.get(cluster) {
        while sim.workloads().settle() > 0 {}
    }
}

async fn release(fleet: &TestFleet, cluster: &str, server: &Server) {
    server.create(&path("configmaps/"), config_map("flags")).await;
    server.create(&path("configmaps/"), config_map("unrelated")).await;
    server.create(&path("deployments/"), deployment()).await;
    settle(fleet, cluster);
    // One after the other for who reads them: a watch may leave out what nobody saw in between, if it is slow.
    until_told(fleet, cluster, "Deployment/checkout: created").await;
    let image = json!({"spec": {"template": {"spec": {"containers": [{"name": "app",
        "image": "registry.kubeplex.dev/checkout:1.8.2", "envFrom": [{"configMapRef": {"name": "flags"}}]}]}}}});
    server.merge(&path("deployments/checkout"), &image).await;
    settle(fleet, cluster);
    until_told(fleet, cluster, &format!("Deployment/checkout: {IMAGE}")).await;
    server.merge(&path("deployments/checkout"), &json!({"spec": {"replicas": 3}})).await;
    settle(fleet, cluster);
    server.merge(&path("configmaps/flags"), &json!({"data": {"a": "other"}})).await;
    server.merge(&path("configmaps/unrelated"), &json!({"metadata": {"labels": {"team": "shop"}}})).await;
    until_told(fleet, cluster, "ConfigMap/unrelated: metadata.labels.team: set to shop").await;
    server.delete(&path("configmaps/unrelated")).await;
    until_told(fleet, cluster, "ConfigMap/unrelated: deleted").await;
}

const IMAGE: &str = "containers[app].image: registry.kubeplex.dev/checkout:1.8.1 → 1.8.2";

async fn until_told(fleet: &TestFleet, cluster: &str, wanted: &str) {
    wait::until(&format!("{cluster} to tell of {wanted}"), async || {
        let (rows, _) = told(fleet, json!({"cluster": cluster, "namespace": NAMESPACE})).await;
        let lines: Vec<String> = rows.iter().map(line).collect();
        if lines.iter().any(|line| line == wanted) { Ok(()) } else { Err(lines) }
    })
    .await;
}

/// What controllers of a real cluster put into every namespace.
fn is_furniture(line: &str) -> bool {
    ["ConfigMap/kube-root-ca.crt", "ServiceAccount/default", "Namespace/"]
        .iter()
        .any(|own| line.starts_with(own))
}

async fn a_release_is_told_as_it_was(fleet: &TestFleet) {
    for cluster in CLUSTERS {
        let server = fleet.server(cluster);
        server.make_namespace(NAMESPACE, None).await;
        release(fleet, cluster, server).await;
    }
    everything_once_and_nothing_else(fleet).await;
    an_object_with_what_it_is_related_to(fleet).await;
    times_and_groups(fleet).await;
    for cluster in CLUSTERS {
        fleet.server(cluster).delete(&format!("/api/v1/namespaces/{NAMESPACE}")).await;
    }
}

async fn everything_once_and_nothing_else(fleet: &TestFleet) {
    let (rows, answer) = told(fleet, json!({"cluster": "eu-1,us-1", "namespace": NAMESPACE})).await;
    let mut sorted: Vec<String> = rows.iter().map(line).filter(|line| !is_furniture(line)).collect();
    sorted.sort();
    let data = |line: &String| line.starts_with("ConfigMap/flags: data.a: 3 bytes (");
    assert!(sorted.iter().any(data), "{sorted:?}");
    let mut expected = vec![
        "ConfigMap/flags: created".to_owned(),
        "ConfigMap/unrelated: created".to_owned(),
        "ConfigMap/unrelated: deleted".to_owned(),
        "ConfigMap/unrelated: metadata.labels.team: set to shop".to_owned(),
        "Deployment/checkout: created".to_owned(),
        format!("Deployment/checkout: {IMAGE}"),
        "Deployment/checkout: replicas: 2 → 3".to_owned(),
    ];
    // Hashes of values are each agent's own, so this is a row for each cluster.
    expected.extend(sorted.iter().filter(|line| data(line)).cloned());
    expected.sort();
    assert_eq!(sorted, expected, "{answer}");
    assert_eq!(sorted.iter().filter(|line| data(line)).count(), 2, "{sorted:?}");
    let in_both = rows.iter().filter(|row| row.cluster == "eu-1, us-1").count();
    assert!(in_both >= expected.len() - 2, "{rows:?}");
    let rollout = rows.iter().find(|row| line(row).ends_with(IMAGE)).expect("the rollout");
    let folded = text(rollout.cell("folded"));
    assert!(folded.contains("replicasets +2"), "one in each cluster: {folded}");
    assert!(text(rollout.cell("time")).parse::<jiff::Timestamp>().is_ok());
    assert!(answer.get("gaps").is_none() || answer["gaps"][0]["reason"].is_string(), "{answer}");
}

async fn an_object_with_what_it_is_related_to(fleet: &TestFleet) {
    let question = json!({"cluster": "eu-1", "namespace": NAMESPACE, "name": "deployment/checkout"});
    let (rows, _) = told(fleet, question).await;
    let of = |relation: &str| {
        let rows =
            rows.iter().filter(|row| row.cells.get("relation").map(text).unwrap_or_default() == relation);
        rows.map(line).collect::<Vec<_>>()
    };
    let mounted = of("mounted");
    assert!(mounted.iter().any(|line| line.starts_with("ConfigMap/flags: data.a:")), "{rows:?}");
    assert!(!rows.iter().any(|row| line(row).starts_with("ConfigMap/unrelated")), "{rows:?}");
    assert!(of("").iter().any(|line| line.ends_with(IMAGE)), "{rows:?}");
}

async fn times_and_groups(fleet: &TestFleet) {
    let (rows, _) = told(fleet, json!({"cluster": "eu-1", "namespace": NAMESPACE})).await;
    let times: Vec<String> = rows.iter().map(|row| text(row.cell("time"))).collect();
    assert!(times.windows(2).all(|pair| pair[0] >= pair[1]), "{times:?}");
    let image = rows.iter().find(|row| line(row).ends_with(IMAGE)).expect("the rollout");
    let around =
        json!({"cluster": "eu-1", "namespace": NAMESPACE, "around": image.cell("time"), "window": "1m"});
    let (near, _) = told(fleet, around).await;
    assert!(near.iter().any(|row| line(row).ends_with(IMAGE)), "{near:?}");
    let before = json!({"cluster": "eu-1", "namespace": NAMESPACE, "since": "30d", "until": "1d"});
    assert_eq!(told(fleet, before).await.0.len(), 0);
    let question = json!({"cluster": "eu-1,us-1", "namespace": NAMESPACE, "groupBy": "kind", "since": "20m"});
    let groups = fleet.call("changes_list", question).await;
    assert!(groups.to_string().contains("deployments.apps"), "{groups}");
    let refused = fleet.refused("changes_list", json!({"around": "5m", "since": "1h"})).await;
    assert_eq!(refused["code"], "invalid_argument", "{refused}");
}
