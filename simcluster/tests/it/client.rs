//! The real client library against the service, in process and over loopback.

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::{Api, Client};
use simcluster::{SimCluster, SimConfig};

use crate::harness::pod;

#[tokio::test]
async fn kube_lists_and_watches_pods() {
    let cluster = SimCluster::new(SimConfig { pods: 60, nodes: 4, ..SimConfig::named("client", 7) });
    let client = Client::new(cluster.service(), "default");
    let pods: Api<Pod> = Api::all(client.clone());
    let page = pods.list(&ListParams::default().limit(25)).await.unwrap();
    assert_eq!(page.items.len(), 25);
    let rest = pods
        .list(&ListParams { continue_token: page.metadata.continue_.clone(), ..ListParams::default() })
        .await
        .unwrap();
    assert_eq!(25 + rest.items.len(), cluster.count(&simcluster::Gvr::core("pods")));
    let nodes: Api<Node> = Api::all(client);
    assert_eq!(nodes.list(&ListParams::default()).await.unwrap().items.len(), 4);
    let version = rest.metadata.resource_version.unwrap();
    let mut events = pods.watch(&WatchParams::default().timeout(20), &version).await.unwrap().boxed();
    cluster.apply(pod("shop", "hello", "x")).unwrap();
    match events.try_next().await.unwrap() {
        Some(WatchEvent::Added(added)) => assert_eq!(added.metadata.name.as_deref(), Some("hello")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn kube_reaches_it_over_loopback_and_its_absence_is_noticed() {
    let cluster = SimCluster::new(SimConfig::empty("tcp"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: http::Uri = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let client = Client::try_from(kube::Config::new(url)).unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = cluster.serve(listener, async { drop(stopped.await) });
    let using = async {
        let pods: Api<Pod> = Api::all(client);
        let mut events = pods.watch(&WatchParams::default(), "0").await.unwrap().boxed();
        cluster.apply(pod("shop", "hello", "x")).unwrap();
        assert!(matches!(events.try_next().await.unwrap(), Some(WatchEvent::Added(_))));
        stop.send(()).unwrap();
        events
    };
    let (served, mut events) = tokio::join!(serving, using);
    served.unwrap();
    let end = tokio::time::timeout(std::time::Duration::from_secs(20), events.next()).await.unwrap();
    assert!(!matches!(end, Some(Ok(_))), "the watch is cut with its server");
}
