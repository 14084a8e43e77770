//! From a kind to one of its fields, and to those below it.

use kubeplex_proto::explain::Field;
use kubeplex_proto::kind::KindInfo;
use kubeplex_proto::nearest::nearest;
use serde_json::Value;

use super::document::{Document, Schema};
use crate::limits::EXPLAINED_FIELDS;

/// Characters of the description of the field asked for, and of one below it.
const DESCRIPTION_CHARS: usize = 2_000;
const BRIEF_CHARS: usize = 300;

/// Why there is nothing to explain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoField {
    /// The document does not describe the kind.
    Kind,
    /// In a sentence, and what would be right.
    Path(String, String),
}

/// The field at `path`, then those below it, as deep as asked for, in the order of their names.
///
/// # Errors
/// [`NoField`] where there is none.
pub fn explain(
    document: &Document<'_>,
    info: &KindInfo,
    version: &str,
    path: &[String],
    depth: u32,
) -> Result<Vec<Field>, NoField> {
    let mut at = document.of_kind(info, version).ok_or(NoField::Kind)?;
    let mut is_required = false;
    for (place, name) in path.iter().enumerate() {
        (at, is_required) =
            step(document, &at, name).ok_or_else(|| unknown(document, info, path, place, &at))?;
    }
    let mut fields =
        vec![Field { required: is_required, ..field(document, &at, String::new(), DESCRIPTION_CHARS) }];
    let is_whole = below(document, &at, "", depth, &mut fields);
    fields[0].has_more = !is_whole;
    Ok(fields)
}

/// Adds the fields below `at`; false where there are more than are told.
fn below(document: &Document<'_>, at: &Schema, prefix: &str, depth: u32, fields: &mut Vec<Field>) -> bool {
    let object = inside(document, at);
    let properties = sorted(&object);
    if depth == 0 {
        return properties.is_empty();
    }
    for (name, schema) in properties {
        if fields.len() > EXPLAINED_FIELDS {
            return false;
        }
        let schema = document.resolve(schema);
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
        let place = fields.len();
        let told = field(document, &schema, path.clone(), BRIEF_CHARS);
        fields.push(Field { required: requires(&object.value, name), ..told });
        let is_whole = below(document, &schema, &path, depth - 1, fields);
        fields[place].has_more = !is_whole;
    }
    true
}

fn sorted(object: &Schema) -> Vec<(&String, &Value)> {
    let mut properties: Vec<_> = object.value["properties"].as_object().into_iter().flatten().collect();
    properties.sort_by_key(|(name, _)| *name);
    properties
}

/// The next field, and whether it is required. A name below a map that is no field is one of its keys.
fn step(document: &Document<'_>, at: &Schema, name: &str) -> Option<(Schema, bool)> {
    let object = inside(document, at);
    match object.value["properties"].get(name) {
        Some(schema) => Some((document.resolve(schema), requires(&object.value, name))),
        None if at.value["additionalProperties"].is_object() && object.value["properties"].is_null() => {
            Some((document.resolve(&at.value["additionalProperties"]), false))
        }
        None => None,
    }
}

/// What the elements of a list or the values of a map are; else the schema itself.
fn inside(document: &Document<'_>, at: &Schema) -> Schema {
    let mut inner = at.clone();
    loop {
        let below = ["items", "additionalProperties"].map(|below| &inner.value[below]);
        let Some(below) = below.into_iter().find(|below| below.is_object()) else { break };
        inner = document.resolve(below);
    }
    inner
}

fn requires(object: &Value, name: &str) -> bool {
    object["required"].as_array().is_some_and(|required| required.iter().any(|known| known == name))
}

fn field(document: &Document<'_>, schema: &Schema, path: String, chars: usize) -> Field {
    let value = &schema.value;
    let values = value["enum"].as_array().cloned().unwrap_or_default();
    let default = Some(value["default"].clone())
        .filter(|default| !default.is_null() && *default != serde_json::json!({}));
    Field {
        path,
        type_name: type_name(document, schema),
        description: brief(value["description"].as_str().unwrap_or_default(), chars),
        required: false,
        one_of: values,
        default,
        has_more: false,
    }
}

fn type_name(document: &Document<'_>, schema: &Schema) -> String {
    let value = &schema.value;
    if value["x-kubernetes-int-or-string"] == true || value["format"] == "int-or-string" {
        return "IntOrString".to_owned();
    }
    match value["type"].as_str() {
        Some("array") => format!("[]{}", type_name(document, &document.resolve(&value["items"]))),
        Some("object") | None if value["additionalProperties"].is_object() => {
            format!("map[string]{}", type_name(document, &document.resolve(&value["additionalProperties"])))
        }
        Some("object") | None => schema.name.clone().unwrap_or_else(|| "object".to_owned()),
        // A time, a quantity: more than what it is written as.
        Some(plain) => schema.name.clone().unwrap_or_else(|| plain.to_owned()),
    }
}

/// Whole sentences, as many as fit.
fn brief(text: &str, chars: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= chars {
        return text;
    }
    let cut: String = text.chars().take(chars).collect();
    match cut.rfind(". ") {
        Some(end) => cut[..=end].to_owned(),
        None => format!("{}\u{2026}", cut.trim_end()),
    }
}

fn unknown(document: &Document<'_>, info: &KindInfo, path: &[String], place: usize, at: &Schema) -> NoField {
    let object = inside(document, at);
    let names: Vec<&str> = sorted(&object).into_iter().map(|(name, _)| name.as_str()).collect();
    let (name, before) = (&path[place], path[..place].join("."));
    let of = if before.is_empty() { info.id.to_string() } else { format!("{before} of {}", info.id) };
    let message = format!("{of} has no field \"{name}\"");
    let near = nearest(name, names.iter().copied());
    let hint = match (near.as_slice(), names.as_slice()) {
        (_, []) if object.value["x-kubernetes-preserve-unknown-fields"] == true => {
            "its schema lets any field in, and describes none".to_owned()
        }
        (_, []) => format!("it is a {} and has no fields", type_name(document, at)),
        ([], names) => format!("there are {}", names.join(", ")),
        (near, _) => format!("did you mean {}?", near.join(", ")),
    };
    NoField::Path(message, hint)
}

#[cfg(test)]
mod tests {
    use kubeplex_proto::kind::Scope;
    use kubeplex_test_support::kind::kind;
    use serde_json::json;

    use super::*;

    const APPS: &[u8] = include_bytes!("../../../simcluster/src/http/openapi/apps-v1.json");

    fn deployments() -> KindInfo {
        KindInfo { kind: "Deployment".into(), ..kind("apps", "deployments", Scope::Namespaced) }
    }

    fn ask(path: &str, depth: u32) -> Result<Vec<Field>, NoField> {
        let document = Document::parse(APPS).unwrap();
        let path: Vec<String> = path.split('.').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        explain(&document, &deployments(), "v1", &path, depth)
    }

    #[test]
    fn a_kind_and_its_fields_are_told_with_types_and_what_is_required() {
        let fields = ask("", 1).unwrap();
        let told: Vec<_> =
            fields.iter().map(|field| (field.path.as_str(), field.type_name.as_str())).collect();
        assert_eq!(
            told,
            [
                ("", "Deployment"),
                ("apiVersion", "string"),
                ("kind", "string"),
                ("metadata", "ObjectMeta"),
                ("spec", "DeploymentSpec"),
                ("status", "DeploymentStatus"),
            ]
        );
        assert!(fields[0].description.starts_with("Deployment enables declarative updates"));
        assert!(fields[4].has_more && !fields[1].has_more);
        let spec = ask("spec", 1).unwrap();
        let required: Vec<_> =
            spec.iter().filter(|field| field.required).map(|field| field.path.as_str()).collect();
        assert_eq!(required, ["selector", "template"]);
    }

    #[test]
    fn lists_maps_and_references_are_passed_through() {
        for (path, type_name) in [
            ("spec.template.spec.containers", "[]Container"),
            ("spec.template.spec.containers.ports.protocol", "string"),
            ("spec.template.spec.containers.resources.limits", "map[string]Quantity"),
            ("spec.template.spec.containers.resources.limits.cpu", "Quantity"),
            ("metadata.labels", "map[string]string"),
            ("metadata.creationTimestamp", "Time"),
            ("spec.strategy.rollingUpdate.maxSurge", "IntOrString"),
        ] {
            assert_eq!(ask(path, 0).unwrap()[0].type_name, type_name, "{path}");
        }
        let protocol = &ask("spec.template.spec.containers.ports.protocol", 0).unwrap()[0];
        assert_eq!((protocol.one_of.len(), &protocol.default), (3, &Some(json!("TCP"))));
        let deep = ask("spec.strategy", 2).unwrap();
        assert!(deep.iter().any(|field| field.path == "rollingUpdate.maxSurge"), "{deep:?}");
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is_near() {
        for (path, message, hint) in [
            ("spec.replcias", "spec of deployments.apps has no field \"replcias\"", "did you mean replicas?"),
            (
                "spec.strategy.zzz",
                "spec.strategy of deployments.apps has no field \"zzz\"",
                "there are rollingUpdate, type",
            ),
            ("kind.x", "kind of deployments.apps has no field \"x\"", "it is a string and has no fields"),
        ] {
            assert_eq!(ask(path, 1).unwrap_err(), NoField::Path(message.to_owned(), hint.to_owned()));
        }
        let document = Document::parse(APPS).unwrap();
        assert_eq!(explain(&document, &deployments(), "v2", &[], 1), Err(NoField::Kind));
        assert!(Document::parse(b"{}").is_err());
    }

    #[test]
    fn descriptions_end_with_a_sentence() {
        assert_eq!(brief("One. Two  three.\n Four.", 100), "One. Two three. Four.");
        assert_eq!(brief("One. Two three. Four.", 18), "One. Two three.");
        assert_eq!(brief("abcdefgh", 4), "abcd\u{2026}");
    }
}
