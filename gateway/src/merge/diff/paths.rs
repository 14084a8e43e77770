//! By which paths values differ.

use std::collections::BTreeSet;

use kubeplex_proto::compare::listed;
use serde_json::Value;

use super::Side;

/// A path, and the values there; the first is what the others are compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    pub path: String,
    /// `null` where there is nothing.
    pub values: Vec<(Value, Vec<Side>)>,
}

/// The paths by which the first and the others differ, each as deep as all of them have it.
pub(super) fn compare(groups: &[(Vec<Side>, &Value)]) -> Vec<Difference> {
    let mut found = Vec::new();
    if groups.len() > 1 {
        let values: Vec<Option<&Value>> = groups.iter().map(|(_, value)| Some(*value)).collect();
        walk("", &values, groups, &mut found);
    }
    found
}

fn walk(path: &str, values: &[Option<&Value>], groups: &[(Vec<Side>, &Value)], found: &mut Vec<Difference>) {
    if values.windows(2).all(|pair| pair[0] == pair[1]) {
        return;
    }
    let maps: Option<Vec<_>> = values.iter().map(|value| value.and_then(Value::as_object)).collect();
    if let Some(maps) = maps {
        let keys: BTreeSet<&String> = maps.iter().flat_map(|map| map.keys()).collect();
        for key in keys {
            let below: Vec<_> = maps.iter().map(|map| map.get(key)).collect();
            walk(&joined(path, key), &below, groups, found);
        }
        return;
    }
    let mut distinct: Vec<(Option<&Value>, Vec<Side>)> = Vec::new();
    for (value, (sides, _)) in values.iter().zip(groups) {
        match distinct.iter_mut().find(|(known, _)| known == value) {
            Some((_, known)) => known.extend(sides.iter().cloned()),
            None => distinct.push((*value, sides.clone())),
        }
    }
    let values = distinct.into_iter().map(|(value, sides)| (value.map(listed).unwrap_or_default(), sides));
    found.push(Difference { path: path.to_owned(), values: values.collect() });
}

fn joined(path: &str, key: &str) -> String {
    let is_plain =
        !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    match (path.is_empty(), is_plain) {
        (true, true) => key.to_owned(),
        (false, true) => format!("{path}.{key}"),
        _ if key.starts_with('[') && key.ends_with(']') => format!("{path}{key}"),
        _ => format!("{path}['{}']", key.replace('\'', "\\'")),
    }
}
