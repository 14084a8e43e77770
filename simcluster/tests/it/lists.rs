//! LIST: selection, paging, resource versions, forms, errors.

use serde_json::json;
use simcluster::{Fault, FaultAction, Gvr, SimCluster, Verb};

use crate::harness::{empty, get, get_as, pod};

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

fn five_pods() -> SimCluster {
    let cluster = empty();
    for (namespace, name, app) in [
        ("a", "p1", "cart"),
        ("a", "p2", "search"),
        ("a-b", "p3", "cart"),
        ("b", "p4", "cart"),
        ("b", "p5", "web"),
    ] {
        cluster.apply(pod(namespace, name, app)).unwrap();
    }
    cluster
}

#[tokio::test]
async fn selects() {
    let cluster = five_pods();
    let cases: [(&str, &[&str]); 9] = [
        // As in etcd, `a-b/…` comes before `a/…`.
        ("/api/v1/pods", &["p3", "p1", "p2", "p4", "p5"]),
        ("/api/v1/namespaces/a/pods", &["p1", "p2"]),
        ("/api/v1/namespaces/none/pods", &[]),
        ("/api/v1/pods?labelSelector=app%3Dcart", &["p3", "p1", "p4"]),
        ("/api/v1/pods?labelSelector=app+in+(cart,web),app!%3Dcart", &["p5"]),
        ("/api/v1/pods?fieldSelector=metadata.namespace%3Db", &["p4", "p5"]),
        ("/api/v1/pods?fieldSelector=metadata.name%3Dp2", &["p2"]),
        ("/api/v1/pods?fieldSelector=spec.nodeName%3Dn1,status.phase!%3DRunning", &[]),
        ("/api/v1/namespaces/b/pods?labelSelector=app%3Dcart&limit=1", &["p4"]),
    ];
    for (uri, expected) in cases {
        assert_eq!(get(&cluster, uri).await.names(), expected, "{uri}");
    }
}

#[tokio::test]
async fn refuses_in_the_servers_words() {
    let cluster = five_pods();
    let cases = [
        ("/api/v1/pods?fieldSelector=spec.foo%3Dx", 400, "field label not supported: spec.foo"),
        ("/api/v1/pods?labelSelector=%3Dx", 400, "unable to parse requirement"),
        ("/api/v1/pods?limit=x", 400, "invalid syntax"),
        ("/api/v1/pods?continue=junk", 400, "continue key is not valid"),
        ("/api/v1/pods?resourceVersion=99999999", 504, "Too large resource version"),
        ("/api/v1/pods?resourceVersionMatch=Exact", 422, "forbidden unless resourceVersion is provided"),
        ("/api/v1/pods?resourceVersion=1&resourceVersionMatch=Exact", 410, "too old"),
        ("/api/v1/namespaces/a/pods/nope", 404, "pods \"nope\" not found"),
    ];
    for (uri, status, message) in cases {
        let answer = get(&cluster, uri).await;
        let body = answer.json();
        assert_eq!((answer.status, &body["kind"]), (status, &json!("Status")), "{uri}");
        assert!(body["message"].as_str().unwrap().contains(message), "{uri}: {body}");
    }
    assert_eq!(get_as(&cluster, "/api/v1/pods", "text/html").await.status, 406);
}

#[tokio::test]
async fn pages_show_one_revision() {
    let cluster = five_pods();
    let first = get(&cluster, "/api/v1/pods?limit=2").await;
    let page = first.json();
    assert_eq!(page["metadata"]["remainingItemCount"], 3);
    let token = page["metadata"]["continue"].as_str().unwrap().to_owned();
    cluster.delete(&Gvr::core("pods"), "b", "p5").unwrap();
    cluster.apply(pod("a", "p2b", "new")).unwrap();
    let second = get(&cluster, &format!("/api/v1/pods?limit=2&continue={token}")).await;
    assert_eq!(
        (first.names(), second.names()),
        (vec!["p3".into(), "p1".into()], vec!["p2".into(), "p4".into()])
    );
    assert_eq!(second.json()["metadata"]["resourceVersion"], page["metadata"]["resourceVersion"]);
    let token = second.json()["metadata"]["continue"].as_str().unwrap().to_owned();
    let third = get(&cluster, &format!("/api/v1/pods?limit=2&continue={token}")).await;
    assert_eq!(third.names(), ["p5"]);
    assert!(third.json()["metadata"].get("continue").is_none());
}

#[tokio::test]
async fn an_expired_token_offers_to_go_on_inconsistently() {
    let cluster = five_pods();
    let page = get(&cluster, "/api/v1/pods?limit=2").await.json();
    let token = page["metadata"]["continue"].as_str().unwrap();
    cluster.apply(pod("a", "p2b", "new")).unwrap();
    cluster.compact();
    let expired = get(&cluster, &format!("/api/v1/pods?limit=2&continue={token}")).await;
    let body = expired.json();
    assert_eq!((expired.status, &body["reason"]), (410, &json!("Expired")));
    let token = body["metadata"]["continue"].as_str().unwrap();
    let rest = get(&cluster, &format!("/api/v1/pods?continue={token}")).await;
    assert_eq!(rest.names(), ["p2", "p2b", "p4", "p5"]);
}

#[tokio::test]
async fn any_version_is_not_paged() {
    let cluster = five_pods();
    assert_eq!(get(&cluster, "/api/v1/pods?limit=2&resourceVersion=0").await.names().len(), 5);
}

#[tokio::test]
async fn exact_versions_show_the_past() {
    let cluster = five_pods();
    let then = cluster.revision();
    cluster.delete(&Gvr::core("pods"), "a", "p1").unwrap();
    let uri = format!("/api/v1/namespaces/a/pods?resourceVersion={then}&resourceVersionMatch=Exact");
    assert_eq!(get(&cluster, &uri).await.names(), ["p1", "p2"]);
    assert_eq!(get(&cluster, "/api/v1/namespaces/a/pods").await.names(), ["p2"]);
}

#[tokio::test]
async fn forms() {
    let cluster = five_pods();
    let metadata =
        get_as(&cluster, "/api/v1/pods", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io")
            .await
            .json();
    assert_eq!(metadata["kind"], "PartialObjectMetadataList");
    assert_eq!(metadata["items"][0]["metadata"]["name"], "p3");
    assert!(metadata["items"][0].get("spec").is_none());
    let plain = get(&cluster, "/api/v1/pods").await.json();
    assert!(plain["items"][0].get("kind").is_none(), "items of built-in lists do not name their kind");
    for (include, kind) in
        [("None", json!(null)), ("Metadata", json!("PartialObjectMetadata")), ("Object", json!("Pod"))]
    {
        let table = get_as(&cluster, &format!("/api/v1/pods?includeObject={include}"), TABLE).await.json();
        assert_eq!(table["kind"], "Table");
        assert_eq!(table["rows"][0]["object"]["kind"], kind, "{include}");
    }
}

#[tokio::test]
async fn a_410_at_a_chosen_page() {
    let cluster = five_pods();
    cluster.faults().add(Fault::new(FaultAction::Expired).verb(Verb::List).resource("pods").page(2).times(1));
    let page = get(&cluster, "/api/v1/pods?limit=2").await;
    assert_eq!(page.status, 200);
    let token = page.json()["metadata"]["continue"].as_str().unwrap().to_owned();
    let uri = format!("/api/v1/pods?limit=2&continue={token}");
    assert_eq!(get(&cluster, &uri).await.status, 410);
    assert_eq!(get(&cluster, &uri).await.status, 200, "the fault was for one time");
}
