//! Example files as manuals: what stands in them as a comment can be uncommented, and every key can be named.

use std::collections::BTreeSet;

use serde_json::Value;

/// The example with every key: a comment that is a key and its value becomes one, and so does the head of a section.
pub fn uncommented(example: &str) -> String {
    let line = |line: &str| match line.strip_prefix("# ") {
        Some(text) if is_setting(text) || is_head(text) => format!("{text}\n"),
        _ => format!("{line}\n"),
    };
    example.lines().map(line).collect()
}

fn is_setting(text: &str) -> bool {
    text.split_once(" = ").is_some_and(|(key, _)| {
        !key.is_empty()
            && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    })
}

fn is_head(text: &str) -> bool {
    let name = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or_default();
    let name = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'.' | b'_'))
}

/// `section.key` of everything that a file holds. An object below a key is one value, as labels are.
pub fn keys(file: &Value) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for (name, below) in file.as_object().into_iter().flatten() {
        let sections = match below {
            Value::Array(items) if items.iter().any(Value::is_object) => items.iter().collect(),
            below => vec![below],
        };
        for section in sections {
            match section.as_object() {
                None => drop(keys.insert(name.clone())),
                Some(section) => keys.extend(section.keys().map(|key| format!("{name}.{key}"))),
            }
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{keys, uncommented};

    #[test]
    fn only_settings_are_uncommented() {
        let example = "# What this is.\n# size = 3\n[a]\n#  far = 1\n# The size = what fits.\nb = 2\n# [[c]]\n# [see below]";
        let wanted = "# What this is.\nsize = 3\n[a]\n#  far = 1\n# The size = what fits.\nb = 2\n[[c]]\n# [see below]\n";
        assert_eq!(uncommented(example), wanted);
    }

    #[test]
    fn keys_are_named_with_their_section() {
        let file = json!({"top": 1, "a": {"b": 1, "labels": {"x": 1}}, "cluster": [{"c": 1}, {"d": [1]}]});
        let keys: Vec<_> = keys(&file).into_iter().collect();
        assert_eq!(keys, ["a.b", "a.labels", "cluster.c", "cluster.d", "top"]);
    }
}
