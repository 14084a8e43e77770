//! What real controllers say of what they can't do.

use kubeplex_tests::fleet::TestFleet;
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
    server.make_namespace(NAMESPACE, None).await;
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
