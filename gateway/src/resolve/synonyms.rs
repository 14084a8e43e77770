//! What models send instead of an argument's name or form, where only one thing can be meant.

use serde_json::{Map, Value};

use crate::error::CallError;

use super::validate::Schema;

const SYNONYMS: [(&str, &str); 4] =
    [("clusters", "cluster"), ("context", "cluster"), ("ns", "namespace"), ("selector", "labelSelector")];

/// Renames synonyms, joins arrays to comma lists, and drops empty texts: in Kubernetes' own words an empty namespace or
/// selector means "all".
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
        if value.as_str().is_some_and(str::is_empty) && schema.is_text(name) {
            continue;
        }
        let value = if schema.is_text(name) { joined(value) } else { value.clone() };
        if normal.insert(name.to_owned(), value).is_some() {
            return Err(CallError::invalid(format!(
                "{given}: means {name}, which is given as well; give one of them"
            )));
        }
    }
    Ok(normal)
}

fn name_of<'a>(given: &'a str, schema: &Schema) -> &'a str {
    let meant =
        SYNONYMS.iter().find(|(synonym, meant)| *synonym == given && schema.has(meant) && !schema.has(given));
    meant.map_or(given, |(_, meant)| meant)
}

/// An array of texts as a comma list; anything else as it is, for the schema to refuse.
fn joined(value: &Value) -> Value {
    let texts =
        value.as_array().and_then(|items| items.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
    match texts {
        Some(texts) if !texts.is_empty() => Value::String(texts.join(",")),
        _ => value.clone(),
    }
}
