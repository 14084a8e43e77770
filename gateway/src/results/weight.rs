//! What kept things take in memory, about.

use serde_json::Value;

/// Bytes, with what allocations and tables cost beside their contents.
pub(super) trait Weighs {
    fn weight(&self) -> usize;
}

/// What an allocation takes beside what was asked for, and a place in a map or a list that has grown.
const ALLOCATION: usize = 32;

pub(super) fn of_text(text: &str) -> usize {
    text.len() + ALLOCATION
}

pub(super) fn of_value(value: &Value) -> usize {
    let contents = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => of_text(text),
        Value::Array(values) => values.iter().map(of_value).sum::<usize>() + ALLOCATION,
        Value::Object(entries) => {
            let entry = |(key, value): (&String, &Value)| of_text(key) + of_value(value) + ALLOCATION;
            entries.iter().map(entry).sum::<usize>() + ALLOCATION
        }
    };
    size_of::<Value>() + contents
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_holds_more_weighs_more_than_its_json() {
        for value in [json!(null), json!(["a", 1]), json!({"rows": [["cart-7d9f", "Running", 0, "3d"]]})] {
            assert!(of_value(&value) > value.to_string().len(), "{value}");
        }
        assert!(of_value(&json!(["x".repeat(1_000)])) > of_value(&json!(["x"])) + 900);
    }
}
