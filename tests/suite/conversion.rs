//! A kind whose objects a real API server can't convert: the webhook that its CRD names is not there.

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::rows;
use kubeplex_tests::server::Server;
use kubeplex_tests::wait;
use serde_json::{Value, json};

use crate::ground;

const GROUP: &str = "conversion.kubeplex.dev";
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// Everywhere but here the kind is as it should be.
const BROKEN: &str = "us-1";

#[test]
fn objects_that_real_clusters_can_not_convert_are_missing_there_alone() {
    ground::real_alone("objects_that_real_clusters_can_not_convert_are_missing_there_alone", async |fleet| {
        let definition = format!("{DEFINITIONS}/gauges.{GROUP}");
        for server in &fleet.servers {
            server.delete(&definition).await;
            make_kind(server).await;
        }
        // Before anybody has asked for the kind: what an agent has of it, it would go on showing.
        let broken = fleet.server(BROKEN);
        broken.merge(&definition, &json!({"spec": {"conversion": nobody()}})).await;
        let said = until_refused(broken).await;
        assert!(said.contains("conversion webhook"), "{said}");
        let told = |answer: &Value| problem(answer)["message"].to_string().contains("conversion webhook");
        let answer = until_gauges(fleet, told).await;
        assert_eq!(
            (&answer["partial"], &problem(&answer)["rowsShown"]),
            (&json!(true), &json!("none")),
            "{answer}"
        );
        let clusters: Vec<_> = rows::of(&answer).into_iter().map(|row| row.cluster).collect();
        let others: Vec<_> =
            fleet.servers.iter().map(|server| &server.name).filter(|name| *name != BROKEN).collect();
        assert_eq!(clusters.iter().collect::<Vec<_>>(), others, "{answer}");
        // What else the cluster has is none of the webhook's business.
        assert!(!fleet.rows("pods_list", json!({"cluster": BROKEN})).await.is_empty());

        let heal = json!({"spec": {"conversion": {"strategy": "None", "webhook": null}}});
        let whole =
            |answer: &Value| answer.get("partial").is_none() && rows::of(answer).len() == fleet.servers.len();
        broken.merge(&definition, &heal).await;
        until_gauges(fleet, whole).await;
        // Where it breaks once the kind is watched, the rows stay as they were, and the server's reason is told with them.
        broken.merge(&definition, &json!({"spec": {"conversion": nobody()}})).await;
        until_refused(broken).await;
        let answer = until_gauges(fleet, told).await;
        assert_eq!(problem(&answer)["rowsShown"], "old", "{answer}");
        assert_eq!(rows::of(&answer).len(), fleet.servers.len(), "{answer}");
        broken.merge(&definition, &heal).await;
        until_gauges(fleet, whole).await;
        for server in &fleet.servers {
            server.delete(&definition).await;
        }
    });
}

/// A kind with two versions, of which the newer is served first and the older is stored, and an object of it.
async fn make_kind(server: &Server) {
    let names = json!({"kind": "Gauge", "plural": "gauges", "singular": "gauge"});
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let version = |name: &str, storage: bool| json!({"name": name, "served": true, "storage": storage, "schema": schema});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("gauges.{GROUP}")},
        "spec": {"group": GROUP, "scope": "Cluster", "names": names, "versions": [version("v1", true), version("v2", false)]},
    });
    // One of an earlier run may still be on its way out.
    wait::until("the kind to be free", async || {
        match server.try_get(&format!("{DEFINITIONS}/gauges.{GROUP}")).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    server.create(DEFINITIONS, definition).await;
    let path = format!("/apis/{GROUP}/v1/gauges");
    wait::until("the server to serve the kind", async || server.try_get(&path).await.map(drop)).await;
    let gauge = json!({"apiVersion": format!("{GROUP}/v1"), "kind": "Gauge", "metadata": {"name": "main"}});
    server.create(&path, gauge).await;
}

/// A webhook at which nobody listens.
fn nobody() -> Value {
    let client = json!({"url": "https://127.0.0.1:1/convert"});
    json!({"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": client}})
}

/// What the server itself says, once it has noticed.
async fn until_refused(server: &Server) -> String {
    // A page comes from where objects are stored. What the server would answer from memory, it never has.
    let path = format!("/apis/{GROUP}/v2/gauges?limit=1");
    wait::until("the server to fail", async || match server.try_get(&path).await {
        Err(kube::Error::Api(status)) if status.code == 500 => Ok(status.message.clone()),
        other => Err(format!("{other:?}")),
    })
    .await
}

async fn until_gauges(fleet: &TestFleet, wanted: impl Fn(&Value) -> bool) -> Value {
    wait::until("the gauges", async || {
        let question = json!({"kind": format!("gauges.{GROUP}"), "timeoutSeconds": 5});
        let exchange = fleet.exchange("resources_list", question).await;
        let answer = exchange.structured().map_err(Clone::clone)?.clone();
        if wanted(&answer) { Ok(answer) } else { Err(answer) }
    })
    .await
}

/// What is said against the broken cluster.
fn problem(answer: &Value) -> Value {
    let problems = answer["clusters"]["problems"].as_array().cloned().unwrap_or_default();
    problems.into_iter().find(|problem| problem["cluster"] == BROKEN).unwrap_or_default()
}
