//! Workloads that move: rollouts come to their end, whoever asked for them.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use simcluster::{Gvr, SimClock, SimCluster, SimConfig, Troubles};

use crate::harness::call;

fn cluster() -> SimCluster {
    let clock = SimClock::starting_at("2026-11-23T10:00:00Z".parse().unwrap());
    SimCluster::new(SimConfig {
        pods: 80,
        nodes: 3,
        clock,
        troubles: Troubles::None,
        ..SimConfig::named("motion", 5)
    })
}

fn pods_of(cluster: &SimCluster, workload: &str) -> Vec<Value> {
    let mut pods = cluster.objects(&Gvr::core("pods"));
    pods.retain(|pod| pod["metadata"]["labels"]["app.kubernetes.io/name"] == workload);
    pods
}

fn settle(cluster: &SimCluster) {
    let steps = (0..200).take_while(|_| cluster.workloads().settle() > 0).count();
    assert!(steps < 200, "the controllers come to rest");
}

async fn patch(cluster: &SimCluster, patch: Value) {
    let request = Request::patch("/apis/apps/v1/namespaces/shop/deployments/cart")
        .header("content-type", "application/merge-patch+json")
        .body(Body::from(patch.to_string()))
        .unwrap();
    assert_eq!(call(cluster, request).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_comes_about() {
    let cluster = cluster();
    settle(&cluster);
    patch(&cluster, json!({"spec": {"replicas": 9}})).await;
    settle(&cluster);
    assert_eq!(pods_of(&cluster, "cart").len(), 9);
    let deployment = cluster.object(&Gvr::new("apps", "v1", "deployments"), "shop", "cart").unwrap();
    assert_eq!(deployment["status"]["readyReplicas"], 9);
    let before: Vec<Value> =
        pods_of(&cluster, "cart").iter().map(|pod| pod["metadata"]["uid"].clone()).collect();
    patch(&cluster, json!({"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}})).await;
    settle(&cluster);
    let after = pods_of(&cluster, "cart");
    assert_eq!(after.len(), 9);
    assert!(
        after
            .iter()
            .all(|pod| !before.contains(&pod["metadata"]["uid"]) && pod["status"]["phase"] == "Running")
    );
    let slices = cluster.objects(&Gvr::new("discovery.k8s.io", "v1", "endpointslices"));
    let slice = slices
        .iter()
        .find(|slice| slice["metadata"]["labels"]["kubernetes.io/service-name"] == "cart")
        .unwrap();
    assert_eq!(slice["endpoints"].as_array().unwrap().len(), 9);
    cluster.delete(&Gvr::new("apps", "v1", "deployments"), "shop", "cart").unwrap();
    settle(&cluster);
    assert!(pods_of(&cluster, "cart").is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_moves_alike_and_something_moves() {
    let (one, other) = (cluster(), cluster());
    let moved: u64 = (0..60).map(|_| one.workloads().tick()).sum();
    assert!(moved >= 60, "{moved} writes in 60 ticks");
    for _ in 0..60 {
        other.workloads().tick();
    }
    assert_eq!(one.revision(), other.revision());
    assert_eq!(one.objects(&Gvr::core("pods")), other.objects(&Gvr::core("pods")));
}
