//! Usage as metrics-server measures it on real control planes, one of which has no metrics API.

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::rows::{self, plain};
use kubeplex_tests::wait;
use serde_json::json;

use super::{
    check_absent, nodes_are_beside_what_they_have, pages_and_sums_follow, problem,
    usage_is_what_the_servers_measure,
};
use crate::ground;

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
const ROLE: &str = "kubeplex-top";

/// Whom the gateway takes for the caller where it knows no others.
const LOCAL_USER: &str = "local";

/// The real clusters with a metrics API, and the one without.
const MEASURED: [&str; 2] = ["eu-1", "us-1"];
const UNMEASURED: &str = "ap-1";

/// What the caller of this suite may read of clusters, as long as the test lasts.
async fn grant(fleet: &TestFleet) {
    let name = json!({"name": ROLE});
    let rules =
        json!([{"apiGroups": ["metrics.k8s.io"], "resources": ["pods", "nodes"], "verbs": ["get", "list"]}]);
    let group = "rbac.authorization.k8s.io";
    let role = json!({"metadata": name, "rules": rules});
    let binding = json!({
        "metadata": name, "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": ROLE},
        "subjects": [{"apiGroup": group, "kind": "User", "name": LOCAL_USER}],
    });
    for server in &fleet.servers {
        server.create(&format!("{RBAC}/clusterroles"), role.clone()).await;
        server.create(&format!("{RBAC}/clusterrolebindings"), binding.clone()).await;
    }
}

async fn take_back(fleet: &TestFleet) {
    for server in &fleet.servers {
        server.delete(&format!("{RBAC}/clusterroles/{ROLE}")).await;
        server.delete(&format!("{RBAC}/clusterrolebindings/{ROLE}")).await;
    }
}

#[test]
fn usage_is_what_the_servers_measure_beside_a_cluster_without() {
    ground::real_alone("usage_is_what_the_servers_measure_beside_a_cluster_without", async |fleet| {
        take_back(fleet).await;
        let answer = fleet.call("top", json!({})).await;
        for cluster in MEASURED {
            assert_eq!(problem(&answer, cluster)["status"], "forbidden", "{answer}");
        }
        assert_eq!((&answer["partial"], &answer["total"]), (&json!(true), &json!(0)), "{answer}");
        grant(fleet).await;
        wait::until("the right to be believed", async || {
            let answer = fleet.call("top", json!({"limit": 1})).await;
            if answer.get("partial").is_none() { Ok(()) } else { Err(answer["clusters"].to_string()) }
        })
        .await;
        usage_is_what_the_servers_measure(fleet, &MEASURED).await;
        pages_and_sums_follow(fleet, &MEASURED.join(",")).await;
        nodes_are_beside_what_they_have(fleet, MEASURED[0]).await;
        let answer = fleet.call("top", json!({"labelSelector": "app=web"})).await;
        check_absent(&answer, UNMEASURED);
        let rows = rows::of(&answer);
        assert!(rows.len() > 5, "{answer}");
        for row in &rows {
            let cells = ["memory", "cpuRequest", "cpuLimit", "memoryRequest", "memoryLimit"];
            assert_eq!(
                cells.map(|column| plain(row.cell(column))),
                ["180Mi", "100m", "1000m", "128Mi", "256Mi"]
            );
        }
        take_back(fleet).await;
    });
}
