//! What models send instead of an argument's name or form, where only one thing can be meant.

use serde_json::{Map, Value};

use crate::error::CallError;

use super::validate::Schema;

const SYNONYMS: [(&str, &str); 4] =
    [("clusters", "cluster"), ("context", "cluster"), ("ns", "namespace"), ("selector", "labelSelector")];

/// Renames synonyms, joins arrays to comma lists, and drops what says nothing: `null`, which models send for an argument
/// that they leave out, and empty texts and arrays. In Kubernetes' own words an empty namespace or selector means "all".
///
/// # Errors
/// `invalid_argument` where a synonym stands beside the argument that it means.
pub(super) fn normalise(
    arguments: &Map<String, Value>,
    schema: &Schema,
) -> Result<Map<String, Value>, CallError> {
    let mut normal = Map::new();
    for (given, value) in arguments {
        let name = name_of(given, schema);
        let Some(value) = meant(name, value, schema) else { continue };
        if normal.insert(name.to_owned(), value).is_some() {
            return Err(CallError::invalid(format!(
                "{given}: means {name}, which is given as well; give one of them"
            )));
        }
    }
    Ok(normal)
}

/// `None` for an argument that is as good as not given. What is not right is left for the schema to refuse, a `null` that
/// stands for a required argument among it.
fn meant(name: &str, value: &Value, schema: &Schema) -> Option<Value> {
    let value = if schema.is_text(name) { joined(value) } else { value.clone() };
    let is_optional = schema.has(name) && !schema.requires(name);
    let says_nothing = match &value {
        Value::Null => is_optional,
        Value::Array(items) => is_optional && items.is_empty() && schema.is_text(name),
        Value::String(text) => text.is_empty() && schema.is_text(name),
        _ => false,
    };
    (!says_nothing).then_some(value)
}

fn name_of<'a>(given: &'a str, schema: &Schema) -> &'a str {
    let meant =
        SYNONYMS.iter().find(|(synonym, meant)| *synonym == given && schema.has(meant) && !schema.has(given));
    meant.map_or(given, |(_, meant)| meant)
}

/// An array of texts as a comma list, without the nulls in it; anything else as it is.
fn joined(value: &Value) -> Value {
    let Some(items) = value.as_array() else { return value.clone() };
    let texts = items.iter().filter(|item| !item.is_null()).map(Value::as_str).collect::<Option<Vec<_>>>();
    match texts {
        Some(texts) if texts.is_empty() => Value::Array(Vec::new()),
        Some(texts) => Value::String(texts.join(",")),
        None => value.clone(),
    }
}
