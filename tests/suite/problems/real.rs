//! What real controllers say of what they can't do.

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::server::Server;
use kubeplex_tests::wait;
use serde_json::json;

use super::until_found;
use crate::ground;

const NAMESPACE: &str = "kubeplex-problems";
const CLUSTER: &str = "eu-1";

#[test]
fn what_a_quota_forbids_is_named_on_real_clusters() {
    ground::real_alone("what_a_quota_forbids_is_named_on_real_clusters", forbidden_and_named);
}

async fn forbidden_and_named(fleet: &'static TestFleet) {
    let server = fleet.server(CLUSTER);
    make_namespace(server).await;
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"},
        "spec": {"hard": {"pods": "0"}}});
    server.create(&format!("/api/v1/namespaces/{NAMESPACE}/resourcequotas"), quota).await;
    let labels = json!({"app": "crowd"});
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "crowd"},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels},
                "spec": {"containers": [{"name": "main", "image": "registry.example.com/crowd:1"}]}}}});
    server.create(&format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments"), deployment).await;
    let question = json!({"namespace": NAMESPACE, "cluster": CLUSTER});
    until_found(fleet, &question, &["QuotaExceeded deployments/crowd kubeplex-problems"]).await;
    server.delete(&format!("/api/v1/namespaces/{NAMESPACE}")).await;
}

async fn make_namespace(server: &Server) {
    let path = format!("/api/v1/namespaces/{NAMESPACE}");
    // One of an earlier run may still be on its way out.
    wait::until("the namespace to be free", async || match server.try_get(&path).await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Ok(there) => {
            server.delete(&path).await;
            Err(there["status"].to_string())
        }
        Err(error) => Err(error.to_string()),
    })
    .await;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    server.create("/api/v1/namespaces", namespace).await;
}
