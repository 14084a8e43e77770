//! Parts that tables are made of.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::CREATION_DESCRIPTION;
use super::age::since;
use crate::json::{items, text};

/// The columns of a kind, and the function from an object to its cells.
#[derive(Clone, Copy)]
pub(crate) struct View {
    pub(crate) columns: &'static [Column],
    pub(crate) cells: fn(&Value, Timestamp) -> Vec<Value>,
}

/// One column definition.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    name: &'static str,
    column_type: &'static str,
    format: &'static str,
    description: &'static str,
    priority: i64,
}

impl Column {
    pub(crate) const fn text(name: &'static str) -> Self {
        Self { name, column_type: "string", format: "", description: "", priority: 0 }
    }

    pub(crate) const fn integer(name: &'static str) -> Self {
        Self { column_type: "integer", ..Self::text(name) }
    }

    pub(crate) const fn boolean(name: &'static str) -> Self {
        Self { column_type: "boolean", ..Self::text(name) }
    }

    pub(crate) const fn date(name: &'static str) -> Self {
        Self { column_type: "date", ..Self::text(name) }
    }

    /// The column that every kind has first.
    pub(crate) const fn name() -> Self {
        let description = "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";
        Self { format: "name", description, ..Self::text("Name") }
    }

    pub(crate) const fn age() -> Self {
        Self { description: CREATION_DESCRIPTION, ..Self::text("Age") }
    }

    /// Shown only in wide output.
    pub(crate) const fn wide(self) -> Self {
        Self { priority: 1, ..self }
    }

    pub(crate) const fn described(self, description: &'static str) -> Self {
        Self { description, ..self }
    }

    pub(crate) const fn formatted(self, format: &'static str) -> Self {
        Self { format, ..self }
    }

    pub(crate) fn definition(&self) -> Value {
        json!({
            "name": self.name, "type": self.column_type, "format": self.format,
            "description": self.description, "priority": self.priority,
        })
    }
}

/// The name of the object.
pub(crate) fn name(object: &Value) -> Value {
    text(object, "/metadata/name").into()
}

/// The age of the object.
pub(crate) fn age(object: &Value, now: Timestamp) -> Value {
    since(text(object, "/metadata/creationTimestamp"), now).into()
}

/// The creation time as it is written.
pub(crate) fn created(object: &Value) -> Value {
    text(object, "/metadata/creationTimestamp").into()
}

/// The texts of an array with commas between.
pub(crate) fn joined(object: &Value, pointer: &str) -> String {
    items(object, pointer).iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
}

/// `<none>` for the empty text.
pub(crate) fn or_none(text: &str) -> Value {
    if text.is_empty() { "<none>".into() } else { text.into() }
}

/// Names and images of the containers at a pointer, joined by commas.
pub(crate) fn containers(object: &Value, pointer: &str) -> [Value; 2] {
    let join = |field: &str| {
        items(object, pointer)
            .iter()
            .map(|container| text(container, field))
            .collect::<Vec<_>>()
            .join(",")
            .into()
    };
    [join("/name"), join("/image")]
}

/// A map of labels as `a=b,c=d`, sorted; `<none>` where it is empty.
pub(crate) fn labels(object: &Value, pointer: &str) -> Value {
    let map = object.pointer(pointer).and_then(Value::as_object);
    let mut pairs: Vec<String> = map
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or("")))
        .collect();
    pairs.sort();
    or_none(&pairs.join(","))
}

/// A label selector as the server writes it: `a=b,c in (d,e)`; `<none>` where it selects nothing by name.
pub(crate) fn selector(object: &Value, pointer: &str) -> Value {
    let map = object.pointer(&format!("{pointer}/matchLabels")).and_then(Value::as_object);
    let mut terms: Vec<String> = map
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or("")))
        .collect();
    terms.extend(items(object, &format!("{pointer}/matchExpressions")).iter().map(expression));
    terms.sort();
    or_none(&terms.join(","))
}

fn expression(expression: &Value) -> String {
    let key = text(expression, "/key");
    let mut values: Vec<&str> = items(expression, "/values").iter().filter_map(Value::as_str).collect();
    values.sort_unstable();
    let values = values.join(",");
    match text(expression, "/operator") {
        "In" => format!("{key} in ({values})"),
        "NotIn" => format!("{key} notin ({values})"),
        "Exists" => key.to_owned(),
        _ => format!("!{key}"),
    }
}
