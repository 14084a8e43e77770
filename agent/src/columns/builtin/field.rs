//! What the printers of many kinds share: fields by pointer, and the texts that stand for their absence.

use kubeplex_proto::quantity::parse_time_ms;
use serde_json::Value;

use super::Cell;

pub(in crate::columns) fn name(object: &Value) -> Cell {
    text(object, "/metadata/name").into()
}

pub(in crate::columns) fn created(object: &Value) -> Cell {
    time(object, "/metadata/creationTimestamp")
}

/// The text at a JSON pointer; empty where there is none.
pub(super) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The instant at a JSON pointer; null where there is none.
pub(super) fn time(object: &Value, pointer: &str) -> Cell {
    parse_time_ms(text(object, pointer)).map_or(Cell::Null, Cell::Time)
}
