//! What the printers of many kinds share: fields by JSON pointer, and the texts that stand for their absence.

use kubeplex_proto::quantity::parse_time_ms;
use serde_json::Value;

use super::Cell;

pub(super) const NONE: &str = "<none>";
pub(super) const UNSET: &str = "<unset>";
pub(super) const UNKNOWN: &str = "<unknown>";

pub(crate) fn name(object: &Value) -> Cell {
    text(object, "/metadata/name").into()
}

pub(crate) fn created(object: &Value) -> Cell {
    time(object, "/metadata/creationTimestamp")
}

/// The value at a JSON pointer that has nothing escaped: `/spec/ports/0/name`. That of `serde_json` allocates for each
/// part, and every object goes through dozens of these.
pub(crate) fn at<'a>(object: &'a Value, pointer: &str) -> Option<&'a Value> {
    pointer.split('/').skip(1).try_fold(object, |value, part| match value {
        Value::Object(map) => map.get(part),
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

/// The text at a pointer; empty where there is none.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    at(object, pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The text at a pointer, or what stands for nothing.
pub(crate) fn text_or<'a>(object: &'a Value, pointer: &str, absent: &'static str) -> &'a str {
    or(text(object, pointer), absent)
}

/// What stands for an empty text.
pub(crate) fn or<'a>(text: &'a str, absent: &'static str) -> &'a str {
    if text.is_empty() { absent } else { text }
}

/// The number at a pointer; 0 where there is none, as the API leaves zeros out.
pub(crate) fn number(object: &Value, pointer: &str) -> i64 {
    at(object, pointer).and_then(Value::as_i64).unwrap_or_default()
}

pub(crate) fn integer(object: &Value, pointer: &str) -> Cell {
    number(object, pointer).into()
}

/// The flag at a pointer.
pub(crate) fn flag(object: &Value, pointer: &str, absent: bool) -> bool {
    at(object, pointer).and_then(Value::as_bool).unwrap_or(absent)
}

/// The array at a pointer; empty where there is none.
pub(crate) fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    at(object, pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// How many entries the array or map at a pointer has.
pub(crate) fn count(object: &Value, pointer: &str) -> i64 {
    match at(object, pointer) {
        Some(Value::Array(items)) => items.len() as i64,
        Some(Value::Object(map)) => map.len() as i64,
        _ => 0,
    }
}

/// Whether anything is at a pointer.
pub(crate) fn has(object: &Value, pointer: &str) -> bool {
    at(object, pointer).is_some_and(|value| !value.is_null())
}

/// Whether the object is on its way out.
pub(crate) fn is_deleted(object: &Value) -> bool {
    has(object, "/metadata/deletionTimestamp")
}

/// The instant at a pointer; null where there is none.
pub(crate) fn time(object: &Value, pointer: &str) -> Cell {
    parse_time_ms(text(object, pointer)).map_or(Cell::Null, Cell::Time)
}

/// The quantity at a pointer, as the server spells it, which is canonical; `0` where there is none.
pub(crate) fn quantity<'a>(object: &'a Value, pointer: &str) -> &'a str {
    or(text(object, pointer), "0")
}

/// An annotation, whose key needs no escaping for the caller.
pub(crate) fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    at(object, "/metadata/annotations")?.get(key)?.as_str()
}

/// The texts of an array at a pointer, with commas between them.
pub(crate) fn joined(object: &Value, pointer: &str) -> String {
    join(list(object, pointer).iter().filter_map(Value::as_str))
}

pub(crate) fn join<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.collect::<Vec<_>>().join(",")
}

/// The first condition of a type.
pub(crate) fn condition<'a>(object: &'a Value, condition_type: &str) -> Option<&'a Value> {
    list(object, "/status/conditions").iter().find(|condition| condition["type"] == condition_type)
}

/// Whether the first condition of a type is True.
pub(crate) fn is_true(object: &Value, condition_type: &str) -> bool {
    condition(object, condition_type).is_some_and(|condition| condition["status"] == "True")
}

/// The names of the containers of a pod's spec.
pub(crate) fn containers(object: &Value, pod_spec: &str) -> Cell {
    each_container(object, pod_spec, "name")
}

/// The images of the containers of a pod's spec.
pub(crate) fn images(object: &Value, pod_spec: &str) -> Cell {
    each_container(object, pod_spec, "image")
}

fn each_container(object: &Value, pod_spec: &str, field: &str) -> Cell {
    let Some(spec) = at(object, pod_spec) else { return Cell::Text(String::new()) };
    join(list(spec, "/containers").iter().map(|container| container[field].as_str().unwrap_or_default()))
        .into()
}

/// A map of labels as `k=v,…` in order of the keys, or `<none>`.
pub(crate) fn labels(object: &Value, pointer: &str) -> String {
    let Some(Value::Object(map)) = at(object, pointer) else { return NONE.to_owned() };
    let mut pairs: Vec<_> =
        map.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    pairs.sort_unstable();
    or(&pairs.join(","), NONE).to_owned()
}

/// A label selector in kubectl's grammar, in order of the keys; empty where it has no requirement.
pub(crate) fn selector(object: &Value, pointer: &str) -> String {
    let Some(selector) = at(object, pointer) else { return String::new() };
    let mut requirements = Vec::new();
    if let Some(Value::Object(labels)) = selector.get("matchLabels") {
        requirements.extend(
            labels
                .iter()
                .map(|(key, value)| (key.as_str(), format!("{key}={}", value.as_str().unwrap_or_default()))),
        );
    }
    requirements.extend(list(selector, "/matchExpressions").iter().map(requirement));
    requirements.sort_by_key(|(key, _)| *key);
    requirements.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(",")
}

/// The same, with `<none>` for no requirement.
pub(crate) fn selector_or_none(object: &Value, pointer: &str) -> Cell {
    or(&selector(object, pointer), NONE).into()
}

fn requirement(expression: &Value) -> (&str, String) {
    let key = text(expression, "/key");
    let mut values: Vec<_> = list(expression, "/values").iter().filter_map(Value::as_str).collect();
    values.sort_unstable();
    let values = values.join(",");
    let text = match text(expression, "/operator") {
        "In" => format!("{key} in ({values})"),
        "NotIn" => format!("{key} notin ({values})"),
        "DoesNotExist" => format!("!{key}"),
        _ => key.to_owned(),
    };
    (key, text)
}

/// The first `most` texts with commas between them, and how many more there are.
pub(crate) fn abridged(texts: &[String], most: usize) -> String {
    let shown = texts[..texts.len().min(most)].join(",");
    match texts.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown} + {more} more..."),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_read_as_in_kubectl() {
        for (object, expected) in [
            (json!({}), ""),
            (json!({"s": {}}), ""),
            (json!({"s": {"matchLabels": {"b": "2", "a": "1"}}}), "a=1,b=2"),
            (
                json!({"s": {"matchLabels": {"m": "1"}, "matchExpressions": [
                    {"key": "z", "operator": "In", "values": ["y", "x"]},
                    {"key": "a", "operator": "Exists"},
                    {"key": "b", "operator": "DoesNotExist"},
                    {"key": "n", "operator": "NotIn", "values": ["v"]},
                ]}}),
                "a,!b,m=1,n notin (v),z in (x,y)",
            ),
        ] {
            assert_eq!(selector(&object, "/s"), expected);
        }
    }

    #[test]
    fn labels_are_in_order() {
        assert_eq!(labels(&json!({"l": {"b": "2", "a": ""}}), "/l"), "a=,b=2");
        assert_eq!(labels(&json!({"l": {}}), "/l"), "<none>");
    }

    #[test]
    fn long_lists_are_abridged() {
        let texts = |count: usize| (0..count).map(|i| i.to_string()).collect::<Vec<_>>();
        assert_eq!(abridged(&texts(3), 3), "0,1,2");
        assert_eq!(abridged(&texts(5), 3), "0,1,2 + 2 more...");
        assert_eq!(abridged(&[], 3), "");
    }
}
