//! Text from clusters is data: what could steer a terminal or hide from a reader is written out.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// Which white space may stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lines {
    /// In a table a cell is one line.
    One,
    /// In an object a text may have many.
    Many,
}

/// For a cell of a table: no control character, no bidirectional or invisible one.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    escape(text, Lines::One)
}

/// Every text in a value, keys included; line ends and tabs stay.
pub(crate) fn escaped(value: Value) -> Value {
    match value {
        Value::String(text) => match escape(&text, Lines::Many) {
            Cow::Borrowed(_) => Value::String(text),
            Cow::Owned(escaped) => Value::String(escaped),
        },
        Value::Array(items) => Value::Array(items.into_iter().map(escaped).collect()),
        Value::Object(map) => {
            let entries = map.into_iter().map(|(key, value)| match escape(&key, Lines::Many) {
                Cow::Borrowed(_) => (key, escaped(value)),
                Cow::Owned(clean) => (clean, escaped(value)),
            });
            Value::Object(entries.collect::<Map<_, _>>())
        }
        plain => plain,
    }
}

fn escape(text: &str, lines: Lines) -> Cow<'_, str> {
    let steers = |c: char| steers_a_reader(c) && !(lines == Lines::Many && matches!(c, '\n' | '\t' | '\r'));
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' if steers(c) => escaped.push_str("\\n"),
            '\t' if steers(c) => escaped.push_str("\\t"),
            c if steers(c) => escaped.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

/// Controls (ANSI sequences begin with one), bidirectional marks, and characters that show nothing.
fn steers_a_reader(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_reader_is_written_out() {
        for (text, cell) in [
            ("plain-name", "plain-name"),
            ("café ✓", "café ✓"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("two\nlines\tand", "two\\nlines\\tand"),
            ("c1\u{9b}31m", "c1\\u{9b}31m"),
            ("tag\u{e0041}", "tag\\u{e0041}"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
        ] {
            assert_eq!(one_line(text), cell);
        }
    }

    #[test]
    fn objects_keep_their_lines_and_lose_their_controls_in_keys_too() {
        let object = serde_json::json!({"a\u{1b}": ["x\ny", {"b": "\u{2066}"}], "n": 1});
        assert_eq!(escaped(object), serde_json::json!({"a\\u{1b}": ["x\ny", {"b": "\\u{2066}"}], "n": 1}));
    }
}
