//! A tool's input schema, compiled once, and what its refusals say.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use kubeplex_proto::nearest::nearest;
use serde_json::{Map, Value};

use crate::error::CallError;

use super::guard::{short, short_name};

/// Faults told at once; the first ones teach the rest.
const MAX_FAULTS: usize = 3;

/// A schema in its three forms: as sent, as compiled, and as looked at for messages.
pub(crate) struct Schema {
    source: Value,
    /// `None` for a schema that is no schema: a defect that refuses every call, and that a test rules out.
    validator: Option<Validator>,
}

impl Schema {
    pub(crate) fn new(source: Value) -> Self {
        let validator = jsonschema::validator_for(&source).ok();
        Self { source, validator }
    }

    /// As `tools/list` sends it.
    pub(crate) fn source(&self) -> &Value {
        &self.source
    }

    /// # Errors
    /// `invalid_argument` naming the argument, its value, and what is right.
    pub(super) fn check(&self, arguments: &Map<String, Value>) -> Result<(), CallError> {
        let Some(validator) = &self.validator else {
            return Err(CallError::new(crate::error::ErrorCode::Internal, "the tool's schema is broken"));
        };
        let arguments = Value::Object(arguments.clone());
        let mut faults: Vec<String> =
            validator.iter_errors(&arguments).take(MAX_FAULTS).map(|fault| self.explain(&fault)).collect();
        faults.dedup();
        if faults.is_empty() { Ok(()) } else { Err(CallError::invalid(faults.join("; "))) }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.property(name).is_some()
    }

    pub(super) fn requires(&self, name: &str) -> bool {
        self.source["required"].as_array().is_some_and(|names| names.iter().any(|known| known == name))
    }

    pub(super) fn is_text(&self, name: &str) -> bool {
        self.property(name).is_some_and(|property| property["type"] == "string")
    }

    fn property(&self, name: &str) -> Option<&Value> {
        self.source["properties"].get(name)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.source["properties"].as_object().into_iter().flat_map(|map| map.keys().map(String::as_str))
    }

    fn explain(&self, fault: &ValidationError<'_>) -> String {
        match fault.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let unknown = unexpected.iter().take(MAX_FAULTS).map(|name| self.explain_unknown(name));
                unknown.collect::<Vec<_>>().join("; ")
            }
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                format!("{name} is missing: {} is wanted", self.wanted(name))
            }
            _ => {
                let path = fault.instance_path().to_string();
                let name = path.trim_start_matches('/');
                if fault.instance().is_null() {
                    return format!(
                        "{} is null, but can't be left out: {} is wanted",
                        short_name(name),
                        self.wanted(name)
                    );
                }
                let value = short(&fault.instance().to_string(), 60);
                format!("{}: {value} is not right: {} is wanted", short_name(name), self.wanted(name))
            }
        }
    }

    fn explain_unknown(&self, name: &str) -> String {
        let near = nearest(name, self.names());
        let name = short_name(name);
        if near.is_empty() {
            let names: Vec<_> = self.names().collect();
            format!("{name}: there is no such argument; there are {}", names.join(", "))
        } else {
            format!("{name}: there is no such argument; did you mean {}?", near.join(", "))
        }
    }

    /// `an integer from 1 to 1000`, `one of table, json`, `a string`.
    fn wanted(&self, name: &str) -> String {
        let Some(property) = self.property(name) else { return "something else".to_owned() };
        if let Some(choices) = property["enum"].as_array() {
            let choices: Vec<_> = choices.iter().filter_map(Value::as_str).collect();
            return format!("one of {}", choices.join(", "));
        }
        match (property["type"].as_str(), property["minimum"].as_u64(), property["maximum"].as_u64()) {
            (Some("integer"), Some(least), Some(most)) => format!("an integer from {least} to {most}"),
            (Some("integer"), ..) => "an integer".to_owned(),
            (Some("string"), ..) => "a string".to_owned(),
            (Some("boolean"), ..) => "true or false".to_owned(),
            _ => "something else".to_owned(),
        }
    }
}
