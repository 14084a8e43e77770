//! Field selectors: equality on the few fields that each kind supports, and the server's refusal of any other.

use serde_json::Value;
use thiserror::Error;

use crate::catalog::Resource;

/// All terms must hold; none selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldSelector(Vec<Term>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    field: String,
    relation: Relation,
    value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Equal,
    Different,
}

/// Why a field selector is refused, in the server's words.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum FieldError {
    #[error("invalid selector: '{0}'; can't understand '{1}'")]
    Malformed(String, String),
    #[error("field label not supported: {0}")]
    NotSupported(String),
    #[error("\"{0}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")]
    OnlyNames(String),
}

impl FieldSelector {
    /// # Errors
    /// Where the text is malformed or names a field that `resource` can't be selected by.
    pub(crate) fn parse(text: &str, resource: &Resource) -> Result<Self, FieldError> {
        let parts = split_unescaped(text);
        let terms = parts.iter().filter(|part| !part.is_empty()).map(|part| term(text, part));
        let terms: Vec<Term> = terms.collect::<Result<_, _>>()?;
        for term in &terms {
            check_supported(&term.field, resource)?;
        }
        Ok(Self(terms))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name that this selector pins, if it does.
    pub(crate) fn name(&self) -> Option<&str> {
        let pins = |term: &&Term| term.field == "metadata.name" && term.relation == Relation::Equal;
        self.0.iter().find(pins).map(|term| term.value.as_str())
    }

    pub(crate) fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|term| {
            let equal = field(object, &term.field) == term.value;
            equal == (term.relation == Relation::Equal)
        })
    }
}

fn check_supported(field: &str, resource: &Resource) -> Result<(), FieldError> {
    if matches!(field, "metadata.name" | "metadata.namespace")
        || resource.fields().any(|known| known == field)
    {
        return Ok(());
    }
    match resource.fields().next() {
        None => Err(FieldError::OnlyNames(field.to_owned())),
        Some(_) => Err(FieldError::NotSupported(field.to_owned())),
    }
}

/// Splits at commas that no backslash precedes.
fn split_unescaped(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut escaped) = (Vec::new(), 0, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn term(text: &str, part: &str) -> Result<Term, FieldError> {
    let malformed = || FieldError::Malformed(text.to_owned(), part.to_owned());
    let at = part.find(['=', '!']).ok_or_else(malformed)?;
    let (field, rest) = part.split_at(at);
    let (relation, value) = if let Some(value) = rest.strip_prefix("!=") {
        (Relation::Different, value)
    } else if let Some(value) = rest.strip_prefix("==").or_else(|| rest.strip_prefix('=')) {
        (Relation::Equal, value)
    } else {
        return Err(malformed());
    };
    Ok(Term { field: field.trim().to_owned(), relation, value: unescape(value) })
}

fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        out.push(if character == '\\' { characters.next().unwrap_or('\\') } else { character });
    }
    out
}

/// The value of a selectable field; the few whose names are not paths are translated, and absent ones read as the server's zero value.
fn field(object: &Value, field: &str) -> String {
    let pointer = match field {
        "name" => "/metadata/name".to_owned(),
        "source" => "/source/component".to_owned(),
        "reportingComponent" => "/reportingComponent".to_owned(),
        "status.successful" => "/status/succeeded".to_owned(),
        path => format!("/{}", path.replace('.', "/")),
    };
    match object.pointer(&pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => zero(field).to_owned(),
        Some(other) => other.to_string(),
    }
}

fn zero(field: &str) -> &'static str {
    match field {
        "spec.unschedulable" | "spec.hostNetwork" => "false",
        "status.replicas" | "status.successful" => "0",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalog::Catalog;

    fn resource(group: &str, plural: &str) -> Resource {
        Resource::clone(Catalog::builtin().find(group, "v1", plural).unwrap())
    }

    #[test]
    fn selects_by_fields() {
        let pod = json!({"metadata": {"name": "a", "namespace": "shop"}, "spec": {"nodeName": "n,1"}, "status": {"phase": "Running"}});
        let cases = [
            ("", true),
            ("metadata.name=a", true),
            ("metadata.name!=a", false),
            ("metadata.namespace==shop,status.phase=Running", true),
            ("spec.nodeName=n\\,1", true),
            ("spec.nodeName=", false),
            ("status.nominatedNodeName=", true),
            ("spec.hostNetwork=false", true),
        ];
        for (selector, expected) in cases {
            let parsed = FieldSelector::parse(selector, &resource("", "pods")).unwrap();
            assert_eq!(parsed.matches(&pod), expected, "{selector:?}");
        }
    }

    #[test]
    fn refuses_other_fields_in_the_servers_words() {
        let cases = [
            ("", "pods", "spec.foo=x", "field label not supported: spec.foo"),
            ("", "pods", "nonsense", "invalid selector: 'nonsense'; can't understand 'nonsense'"),
            (
                "apps",
                "deployments",
                "spec.replicas=1",
                "\"spec.replicas\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
            ),
        ];
        for (group, plural, selector, message) in cases {
            let error = FieldSelector::parse(selector, &resource(group, plural)).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
