//! Both forms of discovery, against a service that is one function.

use std::sync::Arc;

use http::{Request, Response, StatusCode};
use kube::client::Body;
use parking_lot::Mutex;

use super::*;
use crate::api::ApiBudget;
use crate::clock::ClusterClock;
use crate::limits::Limits;

type Requests = Arc<Mutex<Vec<String>>>;

/// An API server that answers by path; what it was asked is noted, with the tag.
fn server(answer: fn(&str, Option<&str>) -> (u16, &'static str)) -> (Api, Requests) {
    let requests = Requests::default();
    let noted = Arc::clone(&requests);
    let service = tower::service_fn(move |request: Request<Body>| {
        let tag = request.headers().get("if-none-match").and_then(|tag| tag.to_str().ok());
        noted.lock().push(request.uri().path().to_owned());
        let (status, body) = answer(request.uri().path(), tag);
        let reply = Response::builder()
            .status(StatusCode::from_u16(status).unwrap())
            .header("etag", "\"t1\"")
            .body(Body::from(body.as_bytes().to_vec()))
            .unwrap();
        async move { Ok::<_, std::io::Error>(reply) }
    });
    let client = kube::Client::new(service, "default");
    (Api::new(client, ClusterClock::system(), ApiBudget::new(&Limits::default())), requests)
}

fn names(table: &KindTable) -> Vec<String> {
    table.kinds.iter().map(|kind| format!("{} {}", kind.id, kind.versions.join(","))).collect()
}

const CORE: &str = r#"{"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":""},"versions":[{"version":"v1","resources":[
    {"resource":"pods","responseKind":{"kind":"Pod"},"scope":"Namespaced","singularResource":"pod","verbs":["list","watch"],
     "shortNames":["po"],"subresources":[{"subresource":"log"}]},
    {"resource":"nodes","responseKind":{"kind":"Node"},"scope":"Cluster","verbs":["list","watch"]}]}]}]}"#;
const GROUPS: &str = r#"{"kind":"APIGroupDiscoveryList","items":[
    {"metadata":{"name":"autoscaling"},"versions":[
        {"version":"v2","freshness":"Current","resources":[{"resource":"horizontalpodautoscalers","scope":"Namespaced"}]},
        {"version":"v1","freshness":"Current","resources":[{"resource":"horizontalpodautoscalers","scope":"Namespaced"}]}]},
    {"metadata":{"name":"metrics.k8s.io"},"versions":[{"version":"v1beta1","freshness":"Stale"}]}]}"#;

#[tokio::test]
async fn aggregated_discovery_is_two_requests_and_none_of_them_twice() {
    let (api, requests) = server(|path, tag| match (path, tag) {
        (_, Some("\"t1\"")) => (304, ""),
        ("/api", _) => (200, CORE),
        _ => (200, GROUPS),
    });
    let mut discovery = Discovery::default();
    let table = discovery.refresh(&api).await.unwrap();
    assert_eq!(names(&table), ["pods v1", "nodes v1", "horizontalpodautoscalers.autoscaling v2,v1"]);
    assert_eq!(table.kinds[0].short_names, ["po"]);
    assert_eq!(table.kinds[2].version, "v2");
    assert_eq!(table.failed_groups.len(), 1);
    assert_eq!(table.failed_groups[0].0, "metrics.k8s.io");
    assert_eq!(discovery.refresh(&api).await.unwrap(), table);
    assert_eq!(requests.lock().len(), 4);
}

#[tokio::test]
async fn the_older_form_is_followed_and_a_failing_group_fails_alone() {
    let (api, _) = server(|path, _| match path {
        "/api" => (200, r#"{"kind":"APIVersions","versions":["v1"]}"#),
        "/api/v1" => (
            200,
            r#"{"resources":[{"name":"pods","kind":"Pod","namespaced":true,"verbs":["list"]},{"name":"pods/log","kind":"Pod"}]}"#,
        ),
        "/apis" => (
            200,
            r#"{"kind":"APIGroupList","groups":[
                {"name":"batch","versions":[{"version":"v1beta1"},{"version":"v1"}],"preferredVersion":{"version":"v1"}},
                {"name":"metrics.k8s.io","versions":[{"version":"v1beta1"}]}]}"#,
        ),
        "/apis/batch/v1" => (200, r#"{"resources":[{"name":"jobs"},{"name":"cronjobs"}]}"#),
        "/apis/batch/v1beta1" => (200, r#"{"resources":[{"name":"cronjobs"}]}"#),
        _ => (503, r#"{"message":"service unavailable"}"#),
    });
    let table = Discovery::default().refresh(&api).await.unwrap();
    assert_eq!(names(&table), ["pods v1", "jobs.batch v1", "cronjobs.batch v1,v1beta1"]);
    assert_eq!(table.failed_groups.len(), 1);
    assert!(table.failed_groups[0].1.contains("service unavailable"), "{:?}", table.failed_groups);
}

#[tokio::test]
async fn null_is_an_empty_list() {
    let (api, _) = server(|path, _| match path {
        "/api" => (200, r#"{"kind":"APIVersions","versions":["v1"]}"#),
        "/api/v1" => {
            (200, r#"{"resources":[{"name":"pods","verbs":null,"shortNames":null,"categories":null}]}"#)
        }
        "/apis" => (
            200,
            r#"{"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"a"},"versions":null},
                {"metadata":{"name":"b"},"versions":[{"version":"v1","resources":null},
                    {"version":"v2","resources":[{"resource":"bs","verbs":null,"shortNames":null,"categories":null}]}]}]}"#,
        ),
        _ => (404, ""),
    });
    let table = Discovery::default().refresh(&api).await.unwrap();
    assert_eq!(names(&table), ["pods v1", "bs.b v2"]);
    assert_eq!(table.failed_groups, []);
}

#[tokio::test]
async fn a_failing_root_keeps_what_was_known() {
    let (api, _) = server(|_, _| (500, "oops"));
    assert!(matches!(Discovery::default().refresh(&api).await, Err(ApiError::Server { status: 500, .. })));
}

#[tokio::test]
async fn garbage_is_an_error() {
    for body in ["<html>", "{}", r#"{"kind":"APIGroupDiscoveryList","items":7}"#] {
        let found = aggregated::parse(&Bytes::from(body)).map(|found| found.is_err());
        assert!(found.unwrap_or(true), "{body}");
    }
}
