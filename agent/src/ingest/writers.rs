//! Who wrote an object, by its `managedFields`.
//!
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>: each entry lists the fields that its
//! manager wrote last, in the form FieldsV1.

use kubeplex_proto::quantity::parse_time_ms;
use serde_json::Value;

use crate::cache::{Area, Areas, LastWriter, Writer};

/// All of them, in their order.
pub(super) fn writers(managed_fields: &Value) -> Vec<Writer> {
    managed_fields.as_array().into_iter().flatten().map(writer).collect()
}

/// Of those who left a time the most recent who wrote more than a status; of several at one time, the last. Where all are of the status, the
/// most recent of them.
pub(super) fn last(writers: &[Writer]) -> Option<LastWriter> {
    let timed = writers.iter().filter(|writer| writer.is_timed);
    let last = timed.max_by_key(|writer| (!writer.is_of_status, writer.wrote.time_ms))?;
    Some(last.wrote.clone())
}

fn writer(entry: &Value) -> Writer {
    let time_ms = entry["time"].as_str().and_then(parse_time_ms);
    let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
    let wrote = LastWriter {
        manager: text("manager"),
        operation: text("operation"),
        api_version: text("apiVersion"),
        time_ms: time_ms.unwrap_or_default(),
    };
    Writer {
        wrote,
        is_timed: time_ms.is_some(),
        is_of_status: entry["subresource"] == "status",
        areas: areas(&entry["fieldsV1"]),
    }
}

/// Anywhere, where the entry does not say.
fn areas(fields: &Value) -> Areas {
    let Some(fields) = fields.as_object() else { return Areas::ALL };
    let mut areas = Areas::default();
    for (name, below) in fields {
        match name.as_str() {
            "f:status" => areas.add(Area::Status),
            "f:metadata" => areas.add(Area::Metadata),
            "f:data" | "f:binaryData" | "f:stringData" => areas.add(Area::Data),
            "f:spec" => of_spec(below, &mut areas),
            _ => areas.add(Area::Rest),
        }
    }
    areas
}

fn of_spec(spec: &Value, areas: &mut Areas) {
    for name in spec.as_object().into_iter().flat_map(|spec| spec.keys()) {
        areas.add(if name == "f:replicas" { Area::Replicas } else { Area::Rest });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(manager: &str, at: &str, subresource: &str, fields: Value) -> Value {
        json!({"manager": manager, "operation": "Update", "apiVersion": "apps/v1", "subresource": subresource,
            "time": format!("2026-11-23T18:{at}Z"), "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    fn last_of(entries: Value) -> Option<String> {
        last(&writers(&entries)).map(|writer| writer.manager)
    }

    #[test]
    fn who_wrote_a_status_is_the_last_writer_only_where_nobody_else_is() {
        let status = || entry("controller", "30:00", "status", json!({"f:status": {}}));
        let spec = |manager: &str, at: &str| entry(manager, at, "", json!({"f:spec": {}}));
        let last = |entries: Value| last_of(entries).unwrap_or_default();
        assert_eq!(last(json!([spec("helm", "10:00"), spec("kubectl", "20:00"), status()])), "kubectl");
        assert_eq!(last(json!([status(), spec("helm", "10:00")])), "helm");
        assert_eq!(last(json!([spec("a", "10:00"), spec("b", "10:00")])), "b", "of one time the last");
        assert_eq!(last(json!([status()])), "controller");
        assert_eq!(last(json!([{"manager": "untimed"}])), "");
    }

    #[test]
    fn what_a_writer_wrote_is_known_by_its_fields() {
        use Area::{Data, Metadata, Replicas, Rest, Status};
        for (fields, held) in [
            (json!({"f:status": {"f:x": {}}}), &[Status][..]),
            (json!({"f:metadata": {"f:annotations": {}}, "f:status": {}}), &[Status, Metadata]),
            (json!({"f:spec": {"f:replicas": {}}}), &[Replicas]),
            (json!({"f:spec": {"f:replicas": {}, "f:template": {}}}), &[Replicas, Rest]),
            (json!({"f:binaryData": {}}), &[Data]),
            (json!({"f:rules": {}}), &[Rest]),
            (Value::Null, &[Status, Metadata, Data, Replicas, Rest]),
        ] {
            let entries = writers(&json!([entry("m", "10:00", "", fields.clone())]));
            let found: Vec<_> = [Status, Metadata, Data, Replicas, Rest]
                .into_iter()
                .filter(|area| entries[0].areas.hold(*area))
                .collect();
            assert_eq!(found, held, "{fields}");
        }
    }
}
