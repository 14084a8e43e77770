//! Arguments that passed a schema, read by name and type.

use serde_json::{Map, Value};

/// Arguments that passed the tool's schema, synonyms normalised.
pub struct Arguments(Map<String, Value>);

impl Arguments {
    pub(super) fn new(valid: Map<String, Value>) -> Self {
        Self(valid)
    }

    /// A text that was given; never empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// Whether a switch was given, and is on.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// An integer that was given. JSON Schema calls 50.0 an integer, too.
    pub(crate) fn integer(&self, name: &str) -> Option<u64> {
        let value = self.0.get(name)?;
        value.as_u64().or_else(|| value.as_f64().map(|float| float as u64))
    }
}
