//! Create, replace, patch, delete through HTTP.

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};
use simcluster::SimCluster;

use crate::harness::{Answer, call, empty, get};

async fn send(cluster: &SimCluster, method: Method, uri: &str, content_type: &str, body: &Value) -> Answer {
    let request = Request::builder().method(method).uri(uri).header("content-type", content_type);
    call(cluster, request.body(Body::from(body.to_string())).unwrap()).await
}

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const JSON: &str = "application/json";

#[tokio::test]
async fn the_life_of_an_object() {
    let cluster = empty();
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "uid": "mine"}, "data": {"a": "1"}});
    let created = send(&cluster, Method::POST, MAPS, JSON, &map).await;
    assert_eq!(created.status, 201);
    let stored = created.json();
    assert_ne!(stored["metadata"]["uid"], "mine", "the server chooses uids");
    assert_eq!(send(&cluster, Method::POST, MAPS, JSON, &map).await.json()["reason"], "AlreadyExists");
    let uri = format!("{MAPS}/m");
    let patched =
        send(&cluster, Method::PATCH, &uri, "application/merge-patch+json", &json!({"data": {"b": "2"}}))
            .await;
    assert_eq!(patched.json()["data"], json!({"a": "1", "b": "2"}));
    let conflict = send(&cluster, Method::PUT, &uri, JSON, &stored).await;
    assert_eq!((conflict.status, &conflict.json()["reason"]), (409, &json!("Conflict")));
    let deleted = send(&cluster, Method::DELETE, &uri, JSON, &json!({})).await;
    assert_eq!(deleted.json()["status"], "Success");
    assert_eq!(get(&cluster, &uri).await.status, 404);
}

#[tokio::test]
async fn generations_follow_the_spec_and_status_is_apart() {
    let cluster = empty();
    let uri = "/apis/apps/v1/namespaces/default/deployments";
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"replicas": 1}});
    send(&cluster, Method::POST, uri, JSON, &deployment).await;
    let uri = format!("{uri}/d");
    let merge = "application/merge-patch+json";
    let both = json!({"spec": {"replicas": 2}, "status": {"replicas": 2}});
    let main = send(&cluster, Method::PATCH, &uri, merge, &both).await.json();
    assert_eq!((&main["metadata"]["generation"], main.get("status")), (&json!(2), None));
    let status = send(&cluster, Method::PATCH, &format!("{uri}/status"), merge, &both).await.json();
    assert_eq!((&status["metadata"]["generation"], &status["status"]["replicas"]), (&json!(2), &json!(2)));
    let dry =
        send(&cluster, Method::PATCH, &format!("{uri}?dryRun=All"), merge, &json!({"spec": {"replicas": 9}}))
            .await
            .json();
    assert_eq!(dry["spec"]["replicas"], 9);
    assert_eq!(get(&cluster, &uri).await.json()["spec"]["replicas"], 2);
    let scaled =
        send(&cluster, Method::PATCH, &format!("{uri}/scale"), merge, &json!({"spec": {"replicas": 5}}))
            .await;
    assert_eq!(scaled.status, 200);
    assert_eq!(get(&cluster, &format!("{uri}/scale")).await.json()["spec"]["replicas"], 5);
}

#[tokio::test]
async fn finalizers_hold_an_object() {
    let cluster = empty();
    let map = json!({"metadata": {"name": "m", "finalizers": ["example.com/hold"]}});
    send(&cluster, Method::POST, MAPS, JSON, &map).await;
    let uri = format!("{MAPS}/m");
    let held = send(&cluster, Method::DELETE, &uri, JSON, &json!({})).await.json();
    assert!(held["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(get(&cluster, &uri).await.status, 200);
    send(
        &cluster,
        Method::PATCH,
        &uri,
        "application/merge-patch+json",
        &json!({"metadata": {"finalizers": null}}),
    )
    .await;
    assert_eq!(get(&cluster, &uri).await.status, 404);
}

#[tokio::test]
async fn refusals() {
    let cluster = empty();
    let cases = [
        (Method::POST, "/api/v1/namespaces/nowhere/configmaps", json!({"metadata": {"name": "m"}}), 404),
        (Method::POST, MAPS, json!({"metadata": {}}), 422),
        (Method::POST, MAPS, json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "m"}}), 400),
        (Method::POST, "/api/v1/configmaps", json!({"metadata": {"name": "m"}}), 404),
        (Method::PUT, "/api/v1/namespaces/default/configmaps/m", json!({"metadata": {"name": "m"}}), 404),
        (Method::POST, "/api/v1/componentstatuses", json!({"metadata": {"name": "m"}}), 405),
    ];
    for (method, uri, body, status) in cases {
        let answer = send(&cluster, method, uri, JSON, &body).await;
        assert_eq!(answer.status, status, "{uri} {body}: {}", String::from_utf8_lossy(&answer.bytes));
    }
}
