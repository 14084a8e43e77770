//! The one check that the tables of cases go through.

use kubeplex_proto::column::column_name;
use kubeplex_proto::kind::GroupResource;
use serde_json::{Map, Value, json};

use crate::columns::Columns;

/// Computes all cells of `kind`, as JSON by the name of their column, and compares those that `expected` names.
pub(super) fn check(kind: &str, object: &Value, expected: &Value) {
    let kind: GroupResource = kind.parse().unwrap();
    let columns = Columns::builtin(&kind).unwrap_or_else(|| panic!("{kind} has no columns"));
    let names = columns.defs().iter().map(|def| def.column.name.clone());
    let cells: Map<_, _> = names.zip(columns.all(object).into_iter().map(Value::from)).collect();
    for (name, expected) in expected.as_object().unwrap() {
        let cell = cells.get(name).unwrap_or_else(|| panic!("{kind} has no column {name}"));
        assert_eq!(cell, expected, "{name} of {kind} in {object}");
    }
}

/// The names of all columns, those of wide ones in brackets, as the server spells them.
pub(super) fn check_names(kind: &str, expected: &str) {
    let columns = Columns::builtin(&kind.parse().unwrap()).unwrap();
    let ours: Vec<_> = columns.defs().iter().map(|def| (def.column.name.clone(), def.wide)).collect();
    let expected: Vec<_> = expected
        .split(", ")
        .map(|name| (column_name(name.trim_matches(['[', ']'])), name.starts_with('[')))
        .collect();
    assert_eq!(ours, expected, "{kind}");
}

/// An object with this name, made at second 100 of 1970, and these fields.
pub(super) fn named(name: &str, fields: Value) -> Value {
    let mut object = json!({"metadata": {"name": name, "creationTimestamp": "1970-01-01T00:01:40Z"}});
    merge(&mut object, fields);
    object
}

pub(super) fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}
