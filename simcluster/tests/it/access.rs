//! Tokens, rights, impersonation, reviews.

use axum::body::Body;
use http::Request;
use serde_json::json;
use simcluster::{Policy, Rule, SimCluster, SimConfig, Subject, User};

use crate::harness::{Answer, call};

fn cluster() -> SimCluster {
    let policy = Policy::enforced()
        .user("t-admin", User::new("admin", &["system:masters"]))
        .user("t-reader", User::new("reader", &["devs"]))
        .grant(Subject::User("reader".into()), Rule::new("get,list,watch", "pods").in_namespace("shop"))
        .grant(Subject::Group("auditors".into()), Rule::new("list", "nodes"));
    SimCluster::new(SimConfig { policy, ..SimConfig::empty("access") })
}

async fn ask(cluster: &SimCluster, uri: &str, headers: &[(&str, &str)]) -> Answer {
    let request =
        headers.iter().fold(Request::get(uri), |request, (name, value)| request.header(*name, *value));
    call(cluster, request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn rights_are_enforced_in_the_servers_words() {
    let cluster = cluster();
    let reader = ("authorization", "Bearer t-reader");
    assert_eq!(ask(&cluster, "/api/v1/namespaces/shop/pods", &[reader]).await.status, 200);
    let refused = ask(&cluster, "/api/v1/pods", &[reader]).await;
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.json()["message"],
        "pods is forbidden: User \"reader\" cannot list resource \"pods\" in API group \"\" at the cluster scope"
    );
    assert_eq!(ask(&cluster, "/api/v1/pods", &[("authorization", "Bearer wrong")]).await.status, 401);
    assert_eq!(ask(&cluster, "/apis", &[]).await.status, 403, "anonymous callers may not discover");
    assert_eq!(ask(&cluster, "/readyz", &[]).await.status, 200);
    assert_eq!(ask(&cluster, "/apis", &[reader]).await.status, 200);
}

#[tokio::test]
async fn impersonation_takes_the_right_and_gives_only_that_users_rights() {
    let cluster = cluster();
    let admin = ("authorization", "Bearer t-admin");
    let as_reader = ("impersonate-user", "reader");
    assert_eq!(ask(&cluster, "/api/v1/nodes", &[admin]).await.status, 200);
    assert_eq!(ask(&cluster, "/api/v1/nodes", &[admin, as_reader]).await.status, 403);
    assert_eq!(
        ask(&cluster, "/api/v1/nodes", &[admin, as_reader, ("impersonate-group", "auditors")]).await.status,
        200
    );
    let refused = ask(
        &cluster,
        "/api/v1/nodes",
        &[("authorization", "Bearer t-reader"), ("impersonate-user", "admin")],
    )
    .await;
    assert!(refused.json()["message"].as_str().unwrap().contains("cannot impersonate resource \"users\""));
}

#[tokio::test]
async fn reviews_answer_from_the_same_table() {
    let cluster = cluster();
    let review = |path: &str, token: &str, spec: serde_json::Value| {
        Request::post(format!("/apis/authorization.k8s.io/v1/{path}"))
            .header("authorization", format!("Bearer {token}"))
            .body(Body::from(json!({"spec": spec}).to_string()))
            .unwrap()
    };
    let list_pods = |namespace: &str| json!({"resourceAttributes": {"verb": "list", "resource": "pods", "namespace": namespace}});
    for (namespace, allowed) in [("shop", true), ("payments", false)] {
        let own = call(&cluster, review("selfsubjectaccessreviews", "t-reader", list_pods(namespace))).await;
        assert_eq!((own.status, &own.json()["status"]["allowed"]), (201, &json!(allowed)), "{namespace}");
        let mut spec = list_pods(namespace);
        spec["user"] = "reader".into();
        let other = call(&cluster, review("subjectaccessreviews", "t-admin", spec)).await;
        assert_eq!(other.json()["status"]["allowed"], json!(allowed), "{namespace}");
    }
    let refused = call(&cluster, review("subjectaccessreviews", "t-reader", list_pods("shop"))).await;
    assert_eq!(refused.status, 403);
    let rules = call(&cluster, review("selfsubjectrulesreviews", "t-reader", json!({"namespace": "shop"})))
        .await
        .json();
    assert_eq!(rules["status"]["resourceRules"][0]["resources"], json!(["pods"]));
}
