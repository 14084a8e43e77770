//! Kinds explained, compared with what the API servers say of them.

use kubeplex_tests::fleet::TestFleet;
use serde_json::{Value, json};

use crate::ground::WITH_CANARIES;

mod simulated {
    #[test]
    fn fields_are_those_of_the_servers_document() {
        crate::ground::simulated(super::fields_are_those_of_the_servers_document);
    }

    #[test]
    fn a_kind_of_one_cluster_is_explained_by_that_one() {
        crate::ground::simulated(super::a_kind_of_one_cluster_is_explained_by_that_one);
    }
}

mod real {
    #[test]
    fn fields_are_those_of_the_servers_document() {
        let test = "fields_are_those_of_the_servers_document";
        crate::ground::real(test, super::fields_are_those_of_the_servers_document);
    }

    #[test]
    fn a_kind_of_one_cluster_is_explained_by_that_one() {
        let test = "a_kind_of_one_cluster_is_explained_by_that_one";
        crate::ground::real(test, super::a_kind_of_one_cluster_is_explained_by_that_one);
    }
}

/// The names of the rows, without what is said by a mark behind them.
fn names(answer: &Value) -> Vec<String> {
    let rows = answer["rows"].as_array().expect("rows");
    let name =
        |row: &Value| row[0].as_str().unwrap_or_default().trim_end_matches(['*', '\u{2026}']).to_owned();
    rows.iter().map(name).collect()
}

async fn fields_are_those_of_the_servers_document(fleet: &'static TestFleet) {
    let answer = fleet.call("resource_explain", json!({"kind": "deploy", "path": "spec"})).await;
    let server = fleet.server(answer["cluster"].as_str().expect("a cluster"));
    let index = server.get("/openapi/v3").await;
    let path = index["paths"]["apis/apps/v1"]["serverRelativeURL"].as_str().expect("where the document is");
    let document = server.get(path).await;
    let spec = &document["components"]["schemas"]["io.k8s.api.apps.v1.DeploymentSpec"];
    let mut theirs: Vec<String> = spec["properties"].as_object().expect("fields").keys().cloned().collect();
    theirs.sort();
    assert_eq!(names(&answer), theirs, "{answer}");
    assert_eq!(answer["type"], "DeploymentSpec");
    let rows = answer["rows"].to_string();
    assert!(rows.contains("selector*") && rows.contains("template*"), "what is required is marked: {rows}");
    let deep = json!({"kind": "deploy", "path": "spec.template.spec.containers[*].resources"});
    let answer = fleet.call("resource_explain", deep).await;
    assert!(names(&answer).iter().any(|name| name == "limits"), "{answer}");
    let error = fleet.refused("resource_explain", json!({"kind": "deploy", "path": "spec.replcias"})).await;
    assert_eq!(
        (&error["code"], &error["hint"]),
        (&json!("invalid_argument"), &json!("did you mean replicas?"))
    );
}

async fn a_kind_of_one_cluster_is_explained_by_that_one(fleet: &'static TestFleet) {
    let answer = fleet.call("resource_explain", json!({"kind": "canaries"})).await;
    assert_eq!(answer["cluster"], WITH_CANARIES, "{answer}");
    let names = names(&answer);
    assert!(
        ["apiVersion", "kind", "metadata"].iter().all(|usual| names.iter().any(|name| name == usual)),
        "{answer}"
    );
}
