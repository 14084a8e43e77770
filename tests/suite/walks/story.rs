//! What happens on real API servers before they are asked: a shop is set up, and then changed by those who change such
//! things. Controllers, scheduler and quotas are real; only the nodes are played.

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::server::{Server, text};
use kubeplex_tests::wait;
use serde_json::{Value, json};

const NAMESPACE: &str = "storefront";
const RELEASER: &str = "argocd-controller";
/// Where the release goes, where there is a quota, and where somebody edits by hand.
const RELEASED: [&str; 2] = ["eu-1", "us-1"];
const WITH_QUOTA: &str = "eu-1";
const EDITED: &str = "ap-1";

/// Four replicas of 250m are all that this allows.
const QUOTA: &str = "1";

pub(super) async fn happens(fleet: &TestFleet) {
    for server in &fleet.servers {
        server.make_namespace(NAMESPACE, Some("platform-defaults")).await;
        server.create(&path("", "services", RELEASER), service()).await;
        server.create(&path("apps", "deployments", RELEASER), deployment()).await;
    }
    for server in &fleet.servers {
        until_available(server, 4).await;
        until_told(fleet, &server.name, "Deployment/checkout: created").await;
    }
    let quota = fleet.server(WITH_QUOTA);
    quota.create(&path("", "resourcequotas", "platform-defaults"), quota_object()).await;
    until_counted(quota).await;
    for name in RELEASED {
        fleet.server(name).merge(&path("apps", "deployments/checkout", RELEASER), &release()).await;
    }
    let edited = fleet.server(EDITED);
    edited.merge(&path("apps", "deployments/checkout", "kubectl-edit"), &debug()).await;
    until_told(fleet, EDITED, "info → debug").await;
    let fewer = json!({"spec": {"replicas": 3}});
    edited.merge(&path("apps", "deployments/checkout", "kubectl-scale"), &fewer).await;
    until_told(fleet, EDITED, "4 → 3").await;
    until_available(fleet.server("us-1"), 4).await;
    until_available(edited, 3).await;
    until_available(quota, 2).await;
    for name in RELEASED {
        until_told(fleet, name, "1.8.1 → 1.8.2").await;
    }
    until_answered(
        fleet,
        "problems_list",
        &json!({"cluster": WITH_QUOTA, "namespace": NAMESPACE}),
        "QuotaExceeded",
    )
    .await;
}

pub(super) async fn is_over(fleet: &TestFleet) {
    for server in &fleet.servers {
        server.delete(&format!("/api/v1/namespaces/{NAMESPACE}")).await;
    }
}

/// Where somebody creates objects of a kind, or changes one.
fn path(group: &str, resource: &str, manager: &str) -> String {
    let version = if group.is_empty() { "/api/v1".to_owned() } else { format!("/apis/{group}/v1") };
    format!("{version}/namespaces/{NAMESPACE}/{resource}?fieldManager={manager}")
}

fn deployment() -> Value {
    let container = container("1.8.1", "250m", "info");
    let labels = json!({"app": "checkout"});
    // Half of it may be away at a time, and none may be too many.
    let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2, "maxSurge": 0}});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "checkout", "labels": labels},
        "spec": {"replicas": 4, "selector": {"matchLabels": labels}, "strategy": strategy,
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}}}})
}

fn container(version: &str, cpu: &str, log_level: &str) -> Value {
    json!({"name": "checkout", "image": format!("registry.example.com/shop/checkout:{version}"),
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [{"name": "LOG_LEVEL", "value": log_level}],
        "resources": {"requests": {"cpu": cpu, "memory": "128Mi"}}})
}

fn template(container: Value) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [container]}}}})
}

fn release() -> Value {
    template(container("1.8.2", "600m", "info"))
}

fn debug() -> Value {
    template(container("1.8.1", "250m", "debug"))
}

fn service() -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "checkout"},
        "spec": {"selector": {"app": "checkout"}, "ports": [{"port": 80, "targetPort": "http"}]}})
}

fn quota_object() -> Value {
    json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "team"},
        "spec": {"hard": {"requests.cpu": QUOTA}}})
}

/// A quota counts for nothing before its controller has counted.
async fn until_counted(server: &Server) {
    let path = format!("/api/v1/namespaces/{NAMESPACE}/resourcequotas/team");
    wait::until("the quota to be counted", async || {
        let status = server.get(&path).await["status"].clone();
        if text(&status["used"]["requests.cpu"]) == QUOTA { Ok(()) } else { Err(status) }
    })
    .await;
}

/// And nothing else is under way.
async fn until_available(server: &Server, replicas: u64) {
    let path = format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/checkout");
    wait::until(&format!("{replicas} replicas to be available in {}", server.name), async || {
        let status = server.get(&path).await["status"].clone();
        let is = |count: &str| status[count].as_u64().unwrap_or_default() == replicas;
        if is("availableReplicas") && is("replicas") { Ok(()) } else { Err(status) }
    })
    .await;
}

/// The cluster's agent has seen it: later changes are rows of their own.
async fn until_told(fleet: &TestFleet, cluster: &str, change: &str) {
    let question = json!({"cluster": cluster, "namespace": NAMESPACE});
    let (object, told) = change.split_once(": ").unwrap_or(("Deployment/checkout", change));
    wait::until(&format!("{cluster} to tell of {change}"), async || {
        let answer = fleet.call("changes_list", question.clone()).await.to_string();
        if answer.contains(object) && answer.contains(told) { Ok(()) } else { Err(answer) }
    })
    .await;
}

async fn until_answered(fleet: &TestFleet, tool: &str, question: &Value, wanted: &str) {
    wait::until(&format!("{tool} to say {wanted}"), async || {
        let answer = fleet.call(tool, question.clone()).await.to_string();
        if answer.contains(wanted) { Ok(()) } else { Err(answer) }
    })
    .await;
}
