//! A kubeconfig whose contexts are simulated clusters on loopback.

use kube::config::Kubeconfig;
use serde_json::{Value, json};
use simcluster::{SimCluster, SimConfig};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{Door, start};
use crate::arguments::Contexts;
use crate::hints::Hints;
use crate::stand::Stand;
use crate::trial;

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

/// The rows of `clusters_list` with these columns.
async fn clusters(stand: &Stand, fields: &str) -> Vec<Value> {
    let answer = trial::ask(stand, "clusters_list", &json!({"fields": fields}).to_string()).await;
    let groups = answer["groups"].as_array().cloned().unwrap_or_default();
    groups.iter().flat_map(|group| group["rows"].as_array().cloned().unwrap_or_default()).collect()
}

#[tokio::test]
async fn contexts_whose_names_would_be_alike_are_clusters_of_their_own() {
    let (kubeconfig, _servers) = clusters_of(&["a b", "a-b"]).await;
    let stand = start(kubeconfig, &Contexts::default(), &trial::free_ports(), Door::Open).await.unwrap();
    trial::until_ready(&stand).await;
    let clusters = clusters(&stand, "name,nodes,cluster.labels.context").await;
    assert_eq!(clusters, [json!(["a-b", "2/2", null]), json!(["a-b-2", "1/1", "a b"])]);
    trial::answers(&stand, &Hints::FOR_STRANGERS).await;
    stand.drain().await;
}

/// The first context of a cluster is the one it is read as, whichever agent was first.
#[tokio::test]
async fn users_of_one_cluster_are_one_cluster_once_it_is_known_to_be_the_same() {
    let (mut kubeconfig, _servers) = clusters_of(&["kubernetes-admin@prod", "stage"]).await;
    let other =
        json!({"name": "me@prod", "context": {"cluster": "kubernetes-admin@prod", "user": "another"}});
    kubeconfig.contexts.insert(0, serde_json::from_value(other).unwrap());
    let stand = start(kubeconfig, &Contexts::default(), &trial::free_ports(), Door::Open).await.unwrap();
    let fields = "name,cluster.labels.context,cluster.labels.contexts,cluster.labels.version";
    let mut changes = stand.gateway.registry().changes();
    let united = async {
        loop {
            let clusters = clusters(&stand, fields).await;
            let is_known = |row: &Value| row[3].is_string();
            if clusters.len() == 2 && clusters.iter().all(is_known) {
                break clusters;
            }
            changes.changed().await.unwrap();
        }
    };
    let rows = tokio::time::timeout(std::time::Duration::from_secs(60), united).await.unwrap();
    let version = rows[0][3].clone();
    assert_eq!(rows[0], json!(["me@prod", "me@prod", "me@prod, kubernetes-admin@prod", version]));
    assert_eq!(rows[1], json!(["stage", null, null, version]));
    trial::until_ready(&stand).await;
    let total = async |arguments: Value| {
        let answer = trial::ask(&stand, "pods_list", &arguments.to_string()).await;
        answer["total"].as_u64().unwrap()
    };
    let (all, stage) = (total(json!({})).await, total(json!({"cluster": "stage"})).await);
    for alias in ["prod", "kubernetes-admin@prod", "me@prod", "*@prod,prod"] {
        assert_eq!(total(json!({"cluster": alias})).await, all - stage, "{alias}");
    }
    stand.drain().await;
}
