//! Comparing: the same objects in several clusters, one of them another, against each other and against what was written.

mod filled_in;

use std::sync::LazyLock;

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::wait;
use serde_json::{Value, json};
use simcluster::SimConfig;

use crate::ground;

/// All namespaces that there are on either ground.
static ALL: LazyLock<Value> = LazyLock::new(|| json!({"namespace": "d*,k*,p*,s*", "maxBytes": 1 << 20}));

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const PATH: &str = "/apis/apps/v1/namespaces/default/deployments";

async fn compares(fleet: &TestFleet) {
    differences_have_their_paths_and_clusters(fleet).await;
    a_namespace_is_compared_with_all_its_kinds(fleet).await;
    a_kind_that_nobody_watches_is_told_and_compared_by_its_name(fleet).await;
    what_can_not_be_compared_is_refused(fleet).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_simulated_clusters_are_compared() {
    let config = |name| SimConfig { pods: 20, nodes: 2, ..SimConfig::named(name, 7) };
    let fleet = TestFleet::simulated(["ap-1", "eu-1", "us-1"].map(config).into()).await.ready().await;
    compares(&fleet).await;
    fleet.stop().await;
}

#[test]
fn objects_of_real_clusters_are_compared() {
    ground::real_alone("objects_of_real_clusters_are_compared", async |fleet| compares(fleet).await);
}

/// Only a real server fills in all that servers fill in.
#[test]
fn what_real_servers_fill_in_is_no_difference() {
    ground::real_alone("what_real_servers_fill_in_is_no_difference", async |fleet| {
        filled_in::is_no_difference(fleet).await;
    });
}

/// As somebody writes one; everything else is filled in by the API server.
fn written(name: &str, image: &str) -> Value {
    let container = json!({"name": "main", "image": image, "ports": [{"containerPort": 80}],
        "env": [{"name": "MODE", "value": "fast"}], "readinessProbe": {"httpGet": {"port": 80}}});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "default"},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": {
            "metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}},
    })
}

/// All clusters but the last have the deployment, the first with an image of its own.
async fn plant(fleet: &TestFleet, name: &str) {
    let last = fleet.servers.len() - 1;
    for (at, server) in fleet.servers.iter().enumerate() {
        server.delete(&format!("{PATH}/{name}")).await;
        if at < last {
            let image = if at == 0 { "cart:2" } else { "cart:1" };
            server.create(PATH, written(name, image)).await;
        }
    }
}

async fn differences_have_their_paths_and_clusters(fleet: &TestFleet) {
    let names: Vec<String> = fleet.servers.iter().map(|server| server.name.clone()).collect();
    let [first, second, third] = names.as_slice() else {
        return ground::compared(fleet, false, "there are not three clusters");
    };
    let name = "compared";
    plant(fleet, name).await;
    let question = json!({"name": format!("deployment/{name}"), "namespace": "default", "baseline": second});
    let expected = json!({
        "object": format!("deployments.apps default/{name}"), "agree": [second],
        "differ": [{"path": "spec.template.spec.containers[name=main].image",
            "values": [{"value": "cart:1", "clusters": [second]}, {"value": "cart:2", "clusters": [first]}]}],
        "missing": [third],
    });
    wait::until("what differs to be told", async || {
        let answer = fleet.exchange("fleet_diff", question.clone()).await;
        let answer = answer.structured().cloned().unwrap_or_else(|error| error.clone());
        let told = ["object", "agree", "differ", "missing"].iter().all(|key| answer[key] == expected[key]);
        if told { Ok(()) } else { Err(answer) }
    })
    .await;

    // What the API server filled in is no difference from what was written.
    let manifest = written(name, "cart:1").to_string();
    let answer = fleet.call("fleet_diff", json!({"manifest": manifest, "cluster": second})).await;
    assert_eq!(answer["agree"], json!([second, "manifest"]), "{answer}");
    assert!(answer.get("differ").is_none(), "{answer}");
    let ignored = fleet
        .call(
            "fleet_diff",
            json!({"name": format!("deployment/{name}"), "namespace": "default",
            "ignore": "spec.template.spec.containers[*].image", "cluster": format!("{first},{second}")}),
        )
        .await;
    assert_eq!(ignored["agree"], json!([first, second]), "{ignored}");
    assert!(ignored.get("differ").is_none(), "{ignored}");

    for server in &fleet.servers {
        server.delete(&format!("{PATH}/{name}")).await;
    }
    wait::until("the deployment to be gone", async || {
        let answer = fleet.exchange("fleet_diff", question.clone()).await;
        if answer.structured().is_err() { Ok(()) } else { Err(name) }
    })
    .await;
}

async fn a_namespace_is_compared_with_all_its_kinds(fleet: &TestFleet) {
    let answer = fleet.call("fleet_diff", ALL.clone()).await;
    let (total, equal) =
        (answer["total"].as_u64().unwrap_or_default(), answer["equal"].as_u64().unwrap_or_default());
    let shown = answer["objects"].as_array().map_or(0, Vec::len) as u64;
    assert_eq!(total, equal + shown + answer["moreObjects"].as_u64().unwrap_or_default(), "{answer}");
    let objects = answer["objects"].to_string();
    for kept in ["pods ", "events ", "replicasets.apps ", "endpointslices", "kube-root-ca.crt"] {
        assert!(!objects.contains(kept), "{kept} is nobody's intent");
    }
    ground::compared(fleet, total > 0, "nothing was compared");
}

/// An agent begins to watch a custom kind when somebody asks for it.
async fn a_kind_that_nobody_watches_is_told_and_compared_by_its_name(fleet: &TestFleet) {
    const KIND: &str = "unnoticed.suite.kubeplex.dev";
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": KIND},
        "spec": {"group": "suite.kubeplex.dev", "scope": "Namespaced",
            "names": {"kind": "Unnoticed", "plural": "unnoticed", "singular": "unnoticed", "listKind": "UnnoticedList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}]},
    });
    for server in &fleet.servers {
        server.delete(&format!("{DEFINITIONS}/{KIND}")).await;
        server.create(DEFINITIONS, definition.clone()).await;
    }
    let said = |answer: &Value| {
        let entries = answer["kinds"].as_array().into_iter().flatten();
        let of_it = entries.filter(|entry| entry["kinds"].to_string().contains(KIND));
        of_it.map(|entry| format!("{} {}", entry["are"], entry["clusters"])).collect::<Vec<_>>()
    };
    let mut names: Vec<&str> = fleet.servers.iter().map(|server| server.name.as_str()).collect();
    names.sort_unstable();
    let told = format!("\"notWatched\" {}", json!(names));
    wait::until("a new kind to be told as not watched", async || {
        let answer = fleet.call("fleet_diff", ALL.clone()).await;
        if said(&answer) == [told.as_str()] { Ok(()) } else { Err(answer) }
    })
    .await;
    let by_name = fleet.refused("fleet_diff", json!({"kind": KIND, "namespace": "default"})).await;
    assert_eq!(by_name["code"], "not_found");
    wait::until("a kind that was asked for to be compared", async || {
        let answer = fleet.call("fleet_diff", ALL.clone()).await;
        if said(&answer).is_empty() { Ok(()) } else { Err(answer) }
    })
    .await;
    for server in &fleet.servers {
        server.delete(&format!("{DEFINITIONS}/{KIND}")).await;
    }
}

async fn what_can_not_be_compared_is_refused(fleet: &TestFleet) {
    for (arguments, said) in [
        (json!({}), "nothing to compare"),
        (json!({"name": "deployment/x", "baseline": "nowhere"}), "baseline: there is no cluster \"nowhere\""),
        (
            json!({"name": "deployment/there-is-no-such-thing"}),
            "deployments.apps \"there-is-no-such-thing\" is ",
        ),
    ] {
        let error = fleet.refused("fleet_diff", arguments).await;
        assert!(error["message"].as_str().unwrap_or_default().contains(said), "{error}");
    }
}
