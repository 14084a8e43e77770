//! Tables of custom kinds, from their printer columns.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::age::since;
use super::cell::{Column, name};
use crate::catalog::PrinterColumn;

/// The name, then what the CRD says.
pub(super) fn definitions(columns: &[PrinterColumn]) -> Value {
    let own = columns.iter().map(|column| {
        json!({
            "name": column.name, "type": column.column_type, "format": column.format,
            "description": column.description, "priority": column.priority,
        })
    });
    std::iter::once(Column::name().definition()).chain(own).collect()
}

pub(super) fn cells(columns: &[PrinterColumn], object: &Value, now: Timestamp) -> Vec<Value> {
    let own = columns.iter().map(|column| match find(object, &column.json_path) {
        None | Some(Value::Null) => Value::Null,
        Some(value) => cell(&column.column_type, value, now),
    });
    std::iter::once(name(object)).chain(own).collect()
}

/// A value of another type than the column's is shown as nothing, except in text columns, which print anything.
fn cell(column_type: &str, value: &Value, now: Timestamp) -> Value {
    match (column_type, value) {
        ("string", Value::String(text)) => text.as_str().into(),
        ("string", other) => other.to_string().into(),
        ("integer", Value::Number(number)) => {
            number.as_i64().or_else(|| number.as_f64().map(|float| float as i64)).into()
        }
        ("number", Value::Number(number)) => number.as_f64().into(),
        ("boolean", Value::Bool(value)) => (*value).into(),
        ("date", Value::String(text)) => since(text, now).into(),
        _ => Value::Null,
    }
}

/// The first result of a simple JSONPath: `.a.b`, `['a']`, `["a/b"]`, `[0]`, `[*]`, `[-1]`, `[?(@.type=="Ready")]`, `\.` in names.
fn find<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let path = path.trim().trim_start_matches('$');
    if path.is_empty() {
        return Some(value);
    }
    if let Some(rest) = path.strip_prefix('[') {
        let close = closing_bracket(rest)?;
        let (inside, rest) = (rest[..close].trim(), &rest[close + 1..]);
        return step_in_brackets(value, inside, rest);
    }
    let (key, rest) = field_name(path.strip_prefix('.').unwrap_or(path));
    find(value.get(key.as_str())?, rest)
}

fn step_in_brackets<'a>(value: &'a Value, inside: &str, rest: &str) -> Option<&'a Value> {
    if let Some(key) = unquoted(inside) {
        return find(value.get(key)?, rest);
    }
    let elements = value.as_array()?;
    if inside == "*" {
        return elements.iter().find_map(|element| find(element, rest));
    }
    if let Some(filter) = inside.strip_prefix("?(").and_then(|filter| filter.strip_suffix(')')) {
        return elements
            .iter()
            .filter(|element| holds(element, filter))
            .find_map(|element| find(element, rest));
    }
    let index: i64 = inside.parse().ok()?;
    let length = i64::try_from(elements.len()).ok()?;
    let index = if index < 0 { index + length } else { index };
    find(elements.get(usize::try_from(index).ok()?)?, rest)
}

/// `@.type=="Ready"`, `@.port!=80`, or `@.field` for being there.
fn holds(element: &Value, filter: &str) -> bool {
    let split =
        |operator: &'static str| filter.split_once(operator).map(|(path, literal)| (operator, path, literal));
    let Some((operator, path, literal)) = split("==").or_else(|| split("!=")) else {
        return find(element, filter.trim().trim_start_matches('@')).is_some();
    };
    let found = find(element, path.trim().trim_start_matches('@'));
    let literal = literal.trim();
    let equal = match (found, unquoted(literal)) {
        (Some(Value::String(text)), Some(wanted)) => text == wanted,
        (Some(other), None) => serde_json::from_str(literal).is_ok_and(|literal: Value| *other == literal),
        _ => false,
    };
    equal == (operator == "==")
}

fn closing_bracket(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0, None);
    for (at, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return Some(at),
            (None, ']') => depth -= 1,
            _ => {}
        }
    }
    None
}

fn unquoted(text: &str) -> Option<&str> {
    let quotes = ['\'', '"'];
    quotes.iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote))
}

/// The name up to the next `.` or `[` that no backslash precedes.
fn field_name(path: &str) -> (String, &str) {
    let (mut name, mut escaped) = (String::new(), false);
    for (at, character) in path.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => {
                escaped = true;
                continue;
            }
            '.' | '[' => return (name, &path[at..]),
            _ => {}
        }
        name.push(character);
    }
    (name, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_what_crds_point_at() {
        let object = json!({
            "spec": {"size": 3, "hosts": ["a", "b"], "a.b": "dotted"},
            "metadata": {"labels": {"x/y": "z"}},
            "status": {"conditions": [{"type": "Synced", "status": "False"}, {"type": "Ready", "status": "True"}]},
        });
        let cases = [
            (".spec.size", Some(json!(3))),
            (".spec.hosts[0]", Some(json!("a"))),
            (".spec.hosts[-1]", Some(json!("b"))),
            (".spec.hosts[*]", Some(json!("a"))),
            (".spec.hosts[7]", None),
            (".spec.a\\.b", Some(json!("dotted"))),
            (".metadata.labels['x/y']", Some(json!("z"))),
            (".metadata.labels.x/y", Some(json!("z"))),
            (".status.conditions[?(@.type==\"Ready\")].status", Some(json!("True"))),
            (".status.conditions[?(@.type=='Synced')].status", Some(json!("False"))),
            (".status.conditions[?(@.type!=\"Synced\")].type", Some(json!("Ready"))),
            (".status.missing[0].x", None),
        ];
        for (path, expected) in cases {
            assert_eq!(find(&object, path), expected.as_ref(), "{path}");
        }
    }

    #[test]
    fn cells_follow_the_columns_type() {
        let now = "2026-11-23T10:00:00Z".parse().unwrap();
        let cases = [
            ("string", json!("x"), json!("x")),
            ("string", json!(3), json!("3")),
            ("integer", json!(3.7), json!(3)),
            ("integer", json!("3"), Value::Null),
            ("number", json!(2), json!(2.0)),
            ("boolean", json!(true), json!(true)),
            ("date", json!("2026-11-23T09:58:00Z"), json!("2m")),
            ("date", json!(""), json!("<unknown>")),
        ];
        for (column_type, value, expected) in cases {
            assert_eq!(cell(column_type, &value, now), expected, "{column_type} {value}");
        }
    }
}
