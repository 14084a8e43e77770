//! The generated content: of the size asked, reproducible, as large and as broken as it says.

use serde_json::Value;
use simcluster::{Gvr, SimClock, SimCluster, SimConfig, Troubles};

use crate::harness::{get, get_as};

fn config(pods: usize) -> SimConfig {
    let clock = SimClock::starting_at("2026-11-23T10:00:00Z".parse().unwrap());
    SimConfig { pods, nodes: 6, clock, ..SimConfig::named("company", 42) }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_makes_the_same_cluster() {
    let (one, other) = (SimCluster::new(config(120)), SimCluster::new(config(120)));
    for plural in ["pods", "nodes", "secrets", "events"] {
        let uri = format!("/api/v1/{plural}");
        assert_eq!(get(&one, &uri).await.bytes, get(&other, &uri).await.bytes, "{plural}");
    }
    let different = SimCluster::new(SimConfig { seed: 43, ..config(120) });
    assert_ne!(get(&one, "/api/v1/pods").await.bytes, get(&different, "/api/v1/pods").await.bytes);
}

#[tokio::test(start_paused = true)]
async fn pods_are_as_large_as_real_ones_and_cheap_to_hold() {
    let cluster = SimCluster::new(config(400));
    let mut sizes: Vec<usize> =
        cluster.objects(&Gvr::core("pods")).iter().map(|pod| pod.to_string().len()).collect();
    assert!(sizes.len().abs_diff(400) < 50, "{} pods", sizes.len());
    sizes.sort_unstable();
    let median = sizes[sizes.len() / 2];
    assert!((8_000..16_000).contains(&median), "median {median} bytes");
    let (_, text, own) = cluster.sizes();
    assert!(own * 2 < text, "{own} bytes held for {text} bytes of JSON");
}

#[tokio::test(start_paused = true)]
async fn it_is_broken_in_the_known_ways() {
    let cluster = SimCluster::new(config(200));
    let table = get_as(&cluster, "/api/v1/pods", "application/json;as=Table;v=v1;g=meta.k8s.io").await.json();
    let rows: Vec<(String, String)> = table["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let cell = |index: usize| row["cells"][index].as_str().unwrap().to_owned();
            (cell(0), cell(2))
        })
        .collect();
    for (workload, status) in [
        ("fraud-detector", "CrashLoopBackOff"),
        ("indexer", "CrashLoopBackOff"),
        ("recommendations", "Pending"),
        ("checkout", "ImagePullBackOff"),
        ("nightly-settlement", "Error"),
        ("reindex", "Completed"),
        ("cart", "Running"),
    ] {
        assert!(
            rows.iter().any(|(name, found)| name.starts_with(workload) && found == status),
            "{workload} {status}"
        );
    }
    let nodes = cluster.objects(&Gvr::core("nodes"));
    let silent = nodes.iter().filter(|node| node["status"]["conditions"][3]["status"] == "Unknown").count();
    assert_eq!((nodes.len(), silent), (6, 1));
    assert!(nodes[0]["metadata"]["name"].as_str().unwrap().ends_with(".eu-central-1.compute.internal"));
    let healthy = SimCluster::new(SimConfig { troubles: Troubles::None, ..config(200) });
    let pods = healthy.objects(&Gvr::core("pods"));
    let waiting = |pod: &Value| pod.pointer("/status/containerStatuses/0/state/waiting").is_some();
    assert!(!pods.iter().any(waiting));
}

#[tokio::test(start_paused = true)]
async fn every_pod_belongs_to_something_that_exists() {
    let cluster = SimCluster::new(config(150));
    let owners =
        [("apps", "replicasets"), ("apps", "statefulsets"), ("apps", "daemonsets"), ("batch", "jobs")];
    let objects = owners.iter().flat_map(|(group, plural)| cluster.objects(&Gvr::new(group, "v1", plural)));
    let uids: Vec<Value> = objects.map(|object| object["metadata"]["uid"].clone()).collect();
    for pod in cluster.objects(&Gvr::core("pods")) {
        assert!(uids.contains(&pod["metadata"]["ownerReferences"][0]["uid"]), "{}", pod["metadata"]["name"]);
    }
}
