//! A kubeconfig whose contexts are simulated clusters on loopback.

use kube::config::Kubeconfig;
use serde_json::json;
use simcluster::{SimCluster, SimConfig};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::start;
use crate::{hints, trial};

/// The contexts, each a cluster of its own, for as long as the set of their servers is kept.
async fn clusters_of(contexts: &[&str]) -> (Kubeconfig, JoinSet<()>) {
    let (mut servers, mut entries) = (JoinSet::new(), Vec::new());
    for (seed, context) in (1..).zip(contexts) {
        let sim =
            SimCluster::new(SimConfig { pods: 20, nodes: seed as usize, ..SimConfig::named("any", seed) });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        servers.spawn(async move { sim.serve(listener, std::future::pending()).await.unwrap() });
        entries.push((context, server));
    }
    let cluster = |(name, server): &(&&str, String)| json!({"name": name, "cluster": {"server": server}});
    let context =
        |(name, _): &(&&str, String)| json!({"name": name, "context": {"cluster": name, "user": "me"}});
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "users": [{"name": "me", "user": {}}],
        "clusters": entries.iter().map(cluster).collect::<Vec<_>>(),
        "contexts": entries.iter().map(context).collect::<Vec<_>>(),
    });
    (serde_json::from_value(kubeconfig).unwrap(), servers)
}

#[tokio::test]
async fn contexts_whose_names_would_be_alike_are_clusters_of_their_own() {
    let (kubeconfig, _servers) = clusters_of(&["a b", "a-b"]).await;
    let stand = start(kubeconfig, &[], &trial::free_ports()).await.unwrap();
    trial::until_ready(&stand).await;
    let fields = r#"{"fields":"name,nodes,cluster.labels.context"}"#;
    let clusters = trial::ask(&stand, "clusters_list", fields).await;
    let rows: Vec<_> = clusters["groups"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|group| group["rows"].as_array().unwrap())
        .collect();
    assert_eq!(rows, [&json!(["a-b", "2/2", null]), &json!(["a-b-2", "1/1", "a b"])], "{clusters}");
    trial::answers(&stand, hints::FOR_STRANGERS).await;
    stand.drain().await;
}
