//! What changes at an API server shows through the gateway, and what is gone there is gone here.

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::rows::Row;
use kubeplex_tests::wait;
use serde_json::{Value, json};
use simcluster::SimConfig;

use crate::ground;

/// Everything here happens in it, and in one cluster.
const NAMESPACE: &str = "kubeplex-suite";
const CLUSTER: &str = "eu-1";

/// A fleet of its own: what happens in it is nobody else's business.
async fn simulated() -> TestFleet {
    let config = |name| SimConfig { pods: 20, nodes: 2, ..SimConfig::named(name, 7) };
    TestFleet::simulated(["eu-1", "us-1"].map(config).into()).await.ready().await
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_of_simulated_clusters_come_and_go() {
    let fleet = simulated().await;
    pods_come_and_go(&fleet).await;
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kinds_of_simulated_clusters_come_and_go() {
    let fleet = simulated().await;
    kinds_come_and_go(&fleet).await;
    fleet.stop().await;
}

#[test]
fn pods_of_real_clusters_come_and_go() {
    ground::real_alone("pods_of_real_clusters_come_and_go", async |fleet| {
        pods_come_and_go(fleet).await;
        a_namespace_takes_its_objects_along(fleet).await;
    });
}

#[test]
fn kinds_of_real_clusters_come_and_go() {
    ground::real_alone("kinds_of_real_clusters_come_and_go", kinds_come_and_go);
}

/// Waits until the rows of a question have these keys.
async fn until_rows_are(fleet: &TestFleet, tool: &str, question: Value, wanted: &[&str]) -> Vec<Row> {
    wait::until(&format!("{question} to show {wanted:?}"), async || {
        let rows = fleet.rows(tool, question.clone()).await;
        let keys: Vec<_> =
            rows.iter().map(|row| format!("{}/{}/{}", row.cluster, row.namespace, row.name())).collect();
        if keys == wanted { Ok(rows) } else { Err(keys) }
    })
    .await
}

async fn make_namespace(fleet: &TestFleet) {
    let server = fleet.server(CLUSTER);
    server.make_namespace(NAMESPACE, None).await;
    // Real servers refuse pods until a controller has made the account that they run as.
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": NAMESPACE}});
    let path = format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts");
    wait::until("the default service account", async || {
        match server.try_get(&format!("{path}/default")).await {
            Ok(_) => Ok(()),
            Err(error) if fleet.sims.is_empty() => Err(error.to_string()),
            Err(_) => {
                server.create(&path, account.clone()).await;
                Ok(())
            }
        }
    })
    .await;
}

async fn pods_come_and_go(fleet: &TestFleet) {
    make_namespace(fleet).await;
    let server = fleet.server(CLUSTER);
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods");
    let question = json!({"namespace": NAMESPACE, "fields": "name,metadata.labels.step"});
    until_rows_are(fleet, "pods_list", question.clone(), &[]).await;
    for name in ["b", "a"] {
        let containers = json!([{"name": "main", "image": "registry.kubeplex.dev/suite:1"}]);
        let metadata = json!({"name": name, "namespace": NAMESPACE, "labels": {"step": "one"}});
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers}});
        server.create(&path, pod).await;
    }
    let both = ["eu-1/kubeplex-suite/a", "eu-1/kubeplex-suite/b"];
    until_rows_are(fleet, "pods_list", question.clone(), &both).await;

    server.merge(&format!("{path}/a"), &json!({"metadata": {"labels": {"step": "two"}}})).await;
    let selected = json!({"namespace": NAMESPACE, "labelSelector": "step=two"});
    until_rows_are(fleet, "pods_list", selected, &both[..1]).await;

    server.delete(&format!("{path}/a")).await;
    until_rows_are(fleet, "pods_list", question.clone(), &both[1..]).await;
    let gone = json!({"kind": "pod", "namespace": NAMESPACE, "name": "a"});
    let error = fleet.refused("resources_get", gone).await;
    assert_eq!(error["code"], "not_found", "{error}");
}

/// Only a real cluster has the controller that empties namespaces.
async fn a_namespace_takes_its_objects_along(fleet: &TestFleet) {
    fleet.server(CLUSTER).delete(&format!("/api/v1/namespaces/{NAMESPACE}")).await;
    until_rows_are(fleet, "pods_list", json!({"namespace": NAMESPACE}), &[]).await;
    let question = json!({"kind": "sa", "namespace": NAMESPACE});
    until_rows_are(fleet, "resources_list", question, &[]).await;
    let question = json!({"kind": "ns", "fieldSelector": format!("metadata.name={NAMESPACE}")});
    until_rows_are(fleet, "resources_list", question, &[]).await;
}

async fn kinds_come_and_go(fleet: &TestFleet) {
    let server = fleet.server(CLUSTER);
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let definition = format!("{definitions}/sprockets.suite.kubeplex.dev");
    server.delete(&definition).await;
    let question = json!({"kind": "sprockets", "fields": "name,teeth"});
    until_unknown(fleet, &question).await;

    server.create(definitions, sprockets()).await;
    let sprocket = json!({
        "apiVersion": "suite.kubeplex.dev/v1", "kind": "Sprocket",
        "metadata": {"name": "main"}, "spec": {"teeth": 48},
    });
    wait::until("the server to serve the kind", async || {
        server.try_get("/apis/suite.kubeplex.dev/v1/sprockets").await
    })
    .await;
    server.create("/apis/suite.kubeplex.dev/v1/sprockets", sprocket).await;
    let rows = wait::until("the new kind to be listed", async || {
        let exchange = fleet.exchange("resources_list", question.clone()).await;
        let answer = exchange.structured().map_err(Clone::clone)?.clone();
        let rows = kubeplex_tests::rows::of(&answer);
        if rows.len() == 1 { Ok(rows) } else { Err(answer) }
    })
    .await;
    assert_eq!((rows[0].name(), rows[0].cell("teeth")), ("main", &json!(48)));

    server.delete(&definition).await;
    until_unknown(fleet, &question).await;
    // The rest is served as before.
    assert!(!fleet.rows("pods_list", json!({"cluster": CLUSTER})).await.is_empty());
}

/// Waits until no cluster has the kind.
async fn until_unknown(fleet: &TestFleet, question: &Value) {
    wait::until("the kind to be unknown", async || {
        let exchange = fleet.exchange("resources_list", question.clone()).await;
        match exchange.structured() {
            Err(error) if error["code"] == "not_found" => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

fn sprockets() -> Value {
    let names = json!({"kind": "Sprocket", "plural": "sprockets", "singular": "sprocket"});
    let column = json!({"name": "Teeth", "type": "integer", "jsonPath": ".spec.teeth"});
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "sprockets.suite.kubeplex.dev"},
        "spec": {"group": "suite.kubeplex.dev", "scope": "Cluster", "names": names, "versions": [{
            "name": "v1", "served": true, "storage": true, "schema": schema, "additionalPrinterColumns": [column],
        }]},
    })
}
