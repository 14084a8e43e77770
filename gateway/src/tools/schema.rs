//! The arguments that tools share. They stand by name and type; what they mean is in the server's instructions, once.

use serde_json::{Map, Value, json};

use crate::limits::{MAX_LIMIT, MAX_MAX_BYTES, MAX_TIMEOUT_S, MIN_MAX_BYTES};

/// Arguments in the order in which they are listed.
pub(super) type Arguments = Vec<(&'static str, Value)>;

/// A strict schema of these arguments.
pub(super) fn strict(arguments: impl IntoIterator<Item = Arguments>, required: &[&str]) -> Value {
    let properties: Map<String, Value> =
        arguments.into_iter().flatten().map(|(name, schema)| (name.to_owned(), schema)).collect();
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema["additionalProperties"] = json!(false);
    schema
}

/// Which clusters: of every tool.
pub(super) fn clusters(cluster: Value) -> Arguments {
    vec![("cluster", cluster), ("clusterSelector", text())]
}

/// Which objects, by what they carry.
pub(super) fn selectors() -> Arguments {
    vec![("labelSelector", text()), ("fieldSelector", text())]
}

/// What to show of them, in which order, and page by page: of every tool that lists.
pub(super) fn listing(group_by: Value, cursor: Value) -> Arguments {
    let mut arguments =
        vec![("fields", text()), ("sortBy", text()), ("groupBy", group_by), limit(), ("continue", cursor)];
    arguments.extend([max_bytes(), freshness(), min_coverage(), timeout(), output()]);
    arguments
}

/// Which time: a duration before now, or a moment.
pub(super) fn times() -> Arguments {
    vec![("since", text()), ("until", text())]
}

/// What a call may cost: of every tool.
pub(super) fn bounds() -> Arguments {
    vec![max_bytes(), timeout()]
}

pub(super) fn text() -> Value {
    json!({ "type": "string" })
}

pub(super) fn switch() -> Value {
    json!({ "type": "boolean" })
}

/// One of the few arguments whose name does not say enough.
pub(super) fn phrased(phrase: &str) -> Value {
    json!({ "type": "string", "description": phrase })
}

fn limit() -> (&'static str, Value) {
    ("limit", json!({ "type": "integer", "minimum": 1, "maximum": MAX_LIMIT }))
}

/// Whether what agents hold is enough, or the API servers are to be asked.
pub(super) fn freshness() -> (&'static str, Value) {
    ("freshness", json!({ "enum": ["cache", "live"] }))
}

fn min_coverage() -> (&'static str, Value) {
    ("minCoverage", json!({ "type": "integer", "minimum": 1, "maximum": 100 }))
}

fn max_bytes() -> (&'static str, Value) {
    ("maxBytes", json!({ "type": "integer", "minimum": MIN_MAX_BYTES, "maximum": MAX_MAX_BYTES }))
}

fn timeout() -> (&'static str, Value) {
    ("timeoutSeconds", json!({ "type": "integer", "minimum": 1, "maximum": MAX_TIMEOUT_S }))
}

fn output() -> (&'static str, Value) {
    ("output", json!({ "enum": ["table", "json"] }))
}
