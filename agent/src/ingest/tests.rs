use std::sync::Arc;

use kubeplex_proto::column::{CellFormat, Column};
use kubeplex_proto::kind::{GroupResource, Scope};
use serde_json::json;

use super::*;
use crate::columns::{ColumnDef, Columns};
use crate::redact::DigestKey;

mod hostile;

fn shape(group: &str, resource: &str, kind: &str) -> KindShape {
    let id = GroupResource::new(group, resource);
    KindShape {
        columns: Arc::new(Columns::builtin(&id).unwrap_or_else(Columns::generic)),
        id,
        api_version: if group.is_empty() { "v1".to_owned() } else { format!("{group}/v1") },
        kind: kind.to_owned(),
        scope: Scope::Namespaced,
        digest_key: DigestKey::new([7; 32]),
    }
}

fn json_of(prepared: &Prepared) -> Value {
    serde_json::from_slice(&prepared.json).unwrap()
}

fn pod() -> Value {
    json!({
        "metadata": {
            "name": "cart-0", "namespace": "shop", "uid": "u1", "resourceVersion": "42",
            "creationTimestamp": "2026-11-23T18:24:39Z",
            "labels": {"tier": "web", "app": "cart"},
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\"canary\":1}"},
            "managedFields": [
                {"manager": "kubelet", "operation": "Update", "apiVersion": "v1", "time": "2026-11-23T18:30:00Z", "fieldsV1": {"f:canary": {}}},
                {"manager": "kubectl", "operation": "Apply", "apiVersion": "v1", "time": "2026-11-23T18:24:39Z"},
                {"manager": "untimed", "operation": "Update", "apiVersion": "v1"},
            ],
        },
        "spec": {"nodeName": "n1", "containers": [{"name": "web", "image": "cart:1", "env": [{"name": "API_TOKEN", "value": "canary"}]}]},
        "status": {"phase": "Running"},
    })
}

#[test]
fn a_pod_is_stripped_redacted_and_described() {
    let prepared = prepare(&shape("", "pods", "Pod"), pod().to_string().as_bytes()).unwrap();
    assert_eq!((prepared.namespace(), prepared.name(), prepared.uid()), (Some("shop"), "cart-0", "u1"));
    assert_eq!((prepared.resource_version(), prepared.created_ms), ("42", Some(1_795_458_279_000)));
    assert_eq!(prepared.labels[0], ("app".to_owned(), "cart".to_owned()));
    let writer = prepared.last_writer.as_ref().unwrap();
    assert_eq!((writer.manager.as_str(), writer.operation.as_str()), ("kubelet", "Update"));
    let behind_columns = [Cell::from("n1"), Cell::from("Running"), Cell::from("cart:1")];
    assert_eq!(prepared.cells[prepared.cells.len() - 3..], behind_columns);
    let text = String::from_utf8(prepared.json.clone()).unwrap();
    assert!(text.starts_with(r#"{"kind":"Pod","apiVersion":"v1","metadata":{"#), "{text}");
    for gone in ["canary", "managedFields", "last-applied", "annotations"] {
        assert!(!text.contains(gone), "{gone} in {text}");
    }
}

#[test]
fn values_of_config_maps_become_digests() {
    let object = json!({"metadata": {"name": "c"}, "data": {"a": "canary", "b": "canary"}, "binaryData": {"c": "Y2FuYXJ5"}});
    let kept = json_of(&prepare_value(&shape("", "configmaps", "ConfigMap"), object).unwrap());
    assert_eq!(kept["data"]["a"], kept["data"]["b"]);
    assert_eq!(kept["data"]["a"]["bytes"], 6);
    assert!(!kept.to_string().contains("canary") && !kept.to_string().contains("Y2FuYXJ5"));
}

#[test]
fn data_of_secrets_is_gone() {
    let object = json!({"metadata": {"name": "s"}, "data": {"a": "Y2FuYXJ5"}, "type": "Opaque"});
    let kept = json_of(&prepare_value(&shape("", "secrets", "Secret"), object).unwrap());
    assert_eq!(kept["data"], json!({"a": "[redacted]"}));
}

#[test]
fn what_an_object_says_of_itself_is_kept() {
    let object = json!({"apiVersion": "apps/v1beta1", "kind": "Deployment", "metadata": {"name": "d", "annotations": {"a": "b"}}});
    let kept = json_of(&prepare_value(&shape("apps", "deployments", "Deployment"), object.clone()).unwrap());
    assert_eq!(kept, object);
}

#[test]
fn what_is_no_object_is_an_error() {
    let shape = shape("", "pods", "Pod");
    let deep = "[".repeat(100_000);
    for raw in [
        "",
        "{",
        "null",
        "[]",
        "7",
        "{}",
        r#"{"metadata":7}"#,
        r#"{"metadata":{}}"#,
        r#"{"metadata":{"name":7}}"#,
        &deep,
    ] {
        assert!(prepare(&shape, raw.as_bytes()).is_err(), "{}", &raw[..raw.len().min(40)]);
    }
    let long = json!({"metadata": {"name": "x".repeat(70_000)}}).to_string();
    assert!(matches!(prepare(&shape, long.as_bytes()), Err(IngestError::NameTooLong(70_000))));
}

#[test]
fn odd_types_in_odd_places_are_survived() {
    let object = json!({
        "metadata": {
            "name": "odd", "namespace": 7, "uid": [], "labels": {"n": 1, "app": "cart"}, "annotations": "x",
            "managedFields": {"a": 1}, "creationTimestamp": null,
        },
        "spec": "text", "status": [],
    });
    let prepared = prepare_value(&shape("", "pods", "Pod"), object).unwrap();
    assert_eq!((prepared.namespace(), prepared.uid(), prepared.created_ms), (None, "", None));
    assert_eq!(prepared.labels, [("app".to_owned(), "cart".to_owned())]);
}

#[test]
fn cells_of_the_server_show_no_more_than_the_object() {
    let def = |name: &str| ColumnDef {
        column: Column { name: name.to_owned(), format: CellFormat::Plain },
        wide: false,
    };
    let columns = ["name", "password", "login", "code", "ports", "size", "ready"].map(def);
    let shape = KindShape {
        columns: Arc::new(Columns::served(&columns)),
        ..shape("example.com", "databases", "Database")
    };
    let object = json!({
        "metadata": {"name": "orders", "namespace": "shop"},
        "spec": {"password": "hunter2", "pin": 4711, "ports": [1], "size": 3},
    });
    let cells = vec![
        "orders".into(),
        "hunter2".into(),
        "root:hunter2".into(),
        Cell::Integer(4711),
        Cell::Json(Box::new(json!([1]))),
        Cell::Integer(3),
        Cell::Boolean(true),
    ];
    let prepared = prepare_shown(&shape, object, cells).unwrap();
    let expected: [Cell; 7] = [
        "orders".into(),
        "[redacted]".into(),
        "root:[redacted]".into(),
        "[redacted]".into(),
        Cell::Json(Box::new(json!([1]))),
        Cell::Integer(3),
        Cell::Boolean(true),
    ];
    assert_eq!(prepared.cells, expected);
    assert_eq!(json_of(&prepared)["spec"]["password"], "[redacted]");
}
