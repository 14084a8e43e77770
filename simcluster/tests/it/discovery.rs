//! Version, health, discovery, CRDs that come and go, withdrawn versions, aggregated APIs that fail.

use serde_json::json;
use simcluster::{Gvr, MetricsApi};

use crate::harness::{Lines, empty, get, get_as, pod};

const AGGREGATED: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

#[tokio::test]
async fn version_and_health() {
    let cluster = empty();
    assert_eq!(get(&cluster, "/version").await.json()["gitVersion"], cluster.config().kubernetes_version);
    for path in ["/healthz", "/livez", "/readyz"] {
        let answer = get(&cluster, path).await;
        assert_eq!((answer.status, &*answer.bytes), (200, &b"ok"[..]));
    }
    let answer = get(&cluster, "/version").await;
    assert!(!answer.header("audit-id").is_empty());
    assert!(answer.header("date").ends_with("GMT"));
}

#[tokio::test]
async fn aggregated_discovery_names_every_kind_and_has_an_etag() {
    let cluster = empty();
    let answer = get_as(&cluster, "/apis", AGGREGATED).await;
    assert_eq!(
        answer.header("content-type"),
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    );
    let document = answer.json();
    let apps = document["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|group| group["metadata"]["name"] == "apps")
        .unwrap();
    let resources = apps["versions"][0]["resources"].as_array().unwrap();
    let deployments = resources.iter().find(|resource| resource["resource"] == "deployments").unwrap();
    assert_eq!(deployments["shortNames"], json!(["deploy"]));
    assert_eq!(deployments["categories"], json!(["all"]));
    assert_eq!(deployments["scope"], "Namespaced");
    let request = http::Request::get("/apis")
        .header("accept", AGGREGATED)
        .header("if-none-match", answer.header("etag"))
        .body(axum::body::Body::empty())
        .unwrap();
    let unchanged = crate::harness::call(&cluster, request).await;
    assert_eq!((unchanged.status, unchanged.header("content-type")), (304, ""));
}

#[tokio::test]
async fn legacy_discovery_says_the_same() {
    let cluster = empty();
    let groups = get(&cluster, "/apis").await.json();
    assert_eq!(groups["kind"], "APIGroupList");
    let core = get(&cluster, "/api/v1").await.json();
    let pods =
        core["resources"].as_array().unwrap().iter().find(|resource| resource["name"] == "pods").unwrap();
    assert_eq!((&pods["shortNames"], &pods["namespaced"]), (&json!(["po"]), &json!(true)));
    let missing = get(&cluster, "/apis/nope/v1").await;
    assert_eq!((missing.status, &*missing.bytes), (404, &b"404 page not found\n"[..]));
}

fn crd() -> serde_json::Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}]}]}})
}

#[tokio::test]
async fn a_crd_makes_its_endpoints_and_takes_them_away() {
    let cluster = empty();
    assert_eq!(get(&cluster, "/apis/example.com/v1/widgets").await.status, 404);
    cluster.apply(crd()).unwrap();
    let widget = json!({"apiVersion": "example.com/v1", "kind": "Widget",
        "metadata": {"namespace": "default", "name": "w"}, "spec": {"size": 3}});
    cluster.apply(widget).unwrap();
    let list = get(&cluster, "/apis/example.com/v1/widgets").await.json();
    assert_eq!(list["items"][0]["kind"], "Widget", "lists of custom kinds name the kind of each item");
    let table =
        get_as(&cluster, "/apis/example.com/v1/widgets", "application/json;as=Table;v=v1;g=meta.k8s.io")
            .await
            .json();
    assert_eq!(table["rows"][0]["cells"], json!(["w", 3]));
    let mut watch = Lines::open(&cluster, "/apis/example.com/v1/widgets?watch=1").await;
    assert_eq!(watch.short().await, "ADDED w");
    cluster
        .delete(
            &Gvr::new("apiextensions.k8s.io", "v1", "customresourcedefinitions"),
            "",
            "widgets.example.com",
        )
        .unwrap();
    assert_eq!(watch.short().await, "DELETED w");
    assert_eq!(watch.short().await, "END");
    assert_eq!(get(&cluster, "/apis/example.com/v1/widgets").await.status, 404);
}

#[tokio::test]
async fn a_withdrawn_version_is_gone_and_its_watches_end() {
    let cluster = empty();
    let mut watch = Lines::open(&cluster, "/apis/policy/v1/poddisruptionbudgets?watch=1").await;
    cluster.withdraw_version("policy", "v1");
    assert_eq!(watch.short().await, "END");
    assert_eq!(get(&cluster, "/apis/policy/v1/poddisruptionbudgets").await.status, 404);
    cluster.restore_version("policy", "v1");
    assert_eq!(get(&cluster, "/apis/policy/v1/poddisruptionbudgets").await.status, 200);
}

#[tokio::test]
async fn a_definition_that_changes_ends_the_watches_of_its_kind_and_no_others() {
    let cluster = empty();
    cluster.apply(crd()).unwrap();
    let mut watch = Lines::open(&cluster, "/apis/example.com/v1/widgets?watch=1").await;
    let mut changed = crd();
    changed["metadata"]["labels"] = json!({"changed": "no"});
    cluster.apply(changed.clone()).unwrap();
    cluster
        .apply(json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"namespace": "default", "name": "w"}}))
        .unwrap();
    assert_eq!(watch.short().await, "ADDED w", "it says the same as before");
    changed["spec"]["names"]["shortNames"] = json!(["wd"]);
    cluster.apply(changed).unwrap();
    assert_eq!(watch.short().await, "END");
    let mut again = Lines::open(&cluster, "/apis/example.com/v1/widgets?watch=1").await;
    assert_eq!(again.short().await, "ADDED w");
    cluster.end_watches_of(&Gvr::new("example.com", "v1", "widgets"));
    assert_eq!(again.short().await, "END");
}

#[tokio::test]
async fn a_failing_aggregated_api_is_stale_and_answers_503() {
    let cluster = empty();
    assert_eq!(get(&cluster, "/apis/metrics.k8s.io/v1beta1/pods").await.status, 200);
    cluster.set_metrics_api(MetricsApi::Failing);
    assert_eq!(get(&cluster, "/apis/metrics.k8s.io/v1beta1/pods").await.status, 503);
    let document = get_as(&cluster, "/apis", AGGREGATED).await.json();
    let groups = document["items"].as_array().unwrap();
    let metrics = groups.iter().find(|group| group["metadata"]["name"] == "metrics.k8s.io").unwrap();
    assert_eq!(metrics["versions"][0]["freshness"], "Stale");
    cluster.set_metrics_api(MetricsApi::Absent);
    assert_eq!(get(&cluster, "/apis/metrics.k8s.io/v1beta1/pods").await.status, 404);
}

#[tokio::test]
async fn usage_is_told_of_what_runs_sidecars_among_them() {
    let cluster = empty();
    let mut running = pod("a", "p1", "x");
    running["spec"] = json!({"containers": [{"name": "main"}],
        "initContainers": [{"name": "prepare"}, {"name": "proxy", "restartPolicy": "Always"}]});
    running["status"] = json!({"phase": "Running"});
    cluster.apply(running).unwrap();
    let told = get(&cluster, "/apis/metrics.k8s.io/v1beta1/namespaces/a/pods/p1").await.json();
    let names: Vec<&str> =
        told["containers"].as_array().unwrap().iter().map(|told| told["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["main", "proxy"]);
}
