//! JSON as a person would lay it out: what fits on a line stays on it.

use serde_json::Value;

const WIDTH: usize = 110;

pub(super) fn laid_out(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value, 0, 0);
    text
}

/// `taken` is what stands on the line already.
fn write(text: &mut String, value: &Value, depth: usize, taken: usize) {
    let flat = spaced(value);
    if depth > 0 && taken + flat.chars().count() < WIDTH {
        text.push_str(&flat);
        return;
    }
    let inner = "  ".repeat(depth + 1);
    match value {
        Value::Object(map) => {
            text.push_str("{\n");
            for (at, (key, below)) in map.iter().enumerate() {
                let lead = format!("{inner}\"{key}\": ");
                text.push_str(&lead);
                write(text, below, depth + 1, lead.chars().count());
                text.push_str(if at + 1 < map.len() { ",\n" } else { "\n" });
            }
            text.push_str(&"  ".repeat(depth));
            text.push('}');
        }
        Value::Array(items) => {
            text.push_str("[\n");
            for (at, below) in items.iter().enumerate() {
                text.push_str(&inner);
                write(text, below, depth + 1, inner.len());
                text.push_str(if at + 1 < items.len() { ",\n" } else { "\n" });
            }
            text.push_str(&"  ".repeat(depth));
            text.push(']');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

/// On one line, with a space after each colon and comma.
fn spaced(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let parts: Vec<_> =
                map.iter().map(|(key, below)| format!("\"{key}\": {}", spaced(below))).collect();
            format!("{{{}}}", parts.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", ")),
        scalar => scalar.to_string(),
    }
}
