//! The first look at arguments: what is far too large or deep is refused before anything is compiled or compared.

use std::io;

use serde_json::{Map, Value};

use crate::error::CallError;
use crate::limits::{MAX_ARGUMENT_BYTES, MAX_ARGUMENT_DEPTH, MAX_ARGUMENT_VALUES, MAX_MANIFEST_BYTES};

/// Characters of a value that a refusal shows.
const SHOWN: usize = 60;

/// Without recursion, so that depth costs memory in proportion and not the stack. The cursor is left to its own bound.
pub(super) fn check(arguments: &Map<String, Value>) -> Result<(), CallError> {
    let mut seen = 0;
    let mut open: Vec<(&str, &Value, usize)> =
        arguments.iter().map(|(name, value)| (name.as_str(), value, 1)).collect();
    while let Some((name, value, depth)) = open.pop() {
        seen += 1;
        if seen + open.len() > MAX_ARGUMENT_VALUES {
            return Err(CallError::invalid(format!(
                "the arguments hold more than {MAX_ARGUMENT_VALUES} values; name fewer, or take a glob or a selector"
            )));
        }
        if depth > MAX_ARGUMENT_DEPTH {
            return Err(CallError::invalid(format!(
                "{}: {} nests too deep: arrays and objects may nest {MAX_ARGUMENT_DEPTH} deep at most",
                short_name(name),
                short(&beginning(arguments.get(name).unwrap_or(value)), SHOWN)
            )));
        }
        match value {
            Value::String(text) if name != "continue" => check_length(name, text)?,
            Value::Array(items) => open.extend(items.iter().map(|item| (name, item, depth + 1))),
            Value::Object(map) => open.extend(map.values().map(|below| (name, below, depth + 1))),
            _ => {}
        }
    }
    Ok(())
}

fn check_length(name: &str, text: &str) -> Result<(), CallError> {
    let most = if name == "manifest" { MAX_MANIFEST_BYTES } else { MAX_ARGUMENT_BYTES };
    if text.len() <= most {
        return Ok(());
    }
    let name = short_name(name);
    Err(CallError::invalid(format!(
        "{name}: {} bytes of text are more than {most}, the most of an argument",
        text.len()
    )))
}

/// The beginning of a value as JSON. Each level writes at least a byte, so that what is written bounds how deep it goes.
fn beginning(value: &Value) -> String {
    let mut begun = Begun(Vec::new());
    // It fails where it is cut.
    let _ = serde_json::to_writer(&mut begun, value);
    String::from_utf8_lossy(&begun.0).into_owned()
}

/// Takes more bytes than are shown, and then no more.
struct Begun(Vec<u8>);

impl io::Write for Begun {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() > 4 * SHOWN {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A name comes from outside, too.
pub(super) fn short_name(name: &str) -> String {
    short(name, 40)
}

/// At most so many characters, with an ellipsis for the rest.
pub(super) fn short(text: &str, characters: usize) -> String {
    let text = crate::escape::one_line(text);
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}
