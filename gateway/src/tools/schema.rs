//! The arguments that tools share. They stand by name and type; what they mean is in the server's instructions, once.

use serde_json::{Map, Value, json};

use crate::request::bounds::{MAX_LIMIT, MAX_MAX_BYTES, MAX_TIMEOUT_S, MIN_MAX_BYTES};

/// A strict schema of these arguments.
pub(super) fn strict(arguments: &[(&'static str, Value)], required: &[&str]) -> Value {
    let properties: Map<String, Value> =
        arguments.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema["additionalProperties"] = json!(false);
    schema
}

pub(super) fn text() -> Value {
    json!({ "type": "string" })
}

/// One of the few arguments whose name does not say enough.
pub(super) fn phrased(phrase: &str) -> Value {
    json!({ "type": "string", "description": phrase })
}

pub(super) fn limit() -> (&'static str, Value) {
    ("limit", json!({ "type": "integer", "minimum": 1, "maximum": MAX_LIMIT }))
}

pub(super) fn max_bytes() -> (&'static str, Value) {
    ("maxBytes", json!({ "type": "integer", "minimum": MIN_MAX_BYTES, "maximum": MAX_MAX_BYTES }))
}

pub(super) fn timeout() -> (&'static str, Value) {
    ("timeoutSeconds", json!({ "type": "integer", "minimum": 1, "maximum": MAX_TIMEOUT_S }))
}

pub(super) fn output() -> (&'static str, Value) {
    ("output", json!({ "enum": ["table", "json"] }))
}
