//! Manifests: objects as somebody wrote them, in YAML or JSON.

use kubeplex_proto::compare::{self, Ignore};
use kubeplex_proto::digest::ObjectRef;
use kubeplex_proto::pattern::Pattern;
use serde_json::Value;

use crate::error::CallError;
use crate::limits::MAX_MANIFEST_OBJECTS;
use crate::request::WrittenObject;

use super::diff::is_namespaced;
use super::guard::short;
use super::kinds::ResolvedKind;

/// The objects of a text of one or more documents, lists of objects included. One that does not say its namespace is in the one
/// given, or in `default`.
///
/// # Errors
/// `invalid_argument` with the document that can't be read; what is wrong with its kind.
pub(super) fn read(
    text: &str,
    given: &[Pattern],
    ignore: &[String],
    find: impl Fn(&str) -> Result<ResolvedKind, CallError>,
) -> Result<Vec<WrittenObject>, CallError> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).map_err(|error| {
        CallError::invalid(format!("manifest: neither YAML nor JSON: {}", short(&error.to_string(), 300)))
    })?;
    let ignored: Vec<Ignore> = ignore.iter().filter_map(|path| Ignore::parse(path).ok()).collect();
    let default = given.iter().find_map(Pattern::literal).unwrap_or("default");
    let mut written: Vec<WrittenObject> = Vec::new();
    for (at, document) in documents.iter().enumerate() {
        let objects: Vec<&Value> = match document["items"].as_array() {
            Some(items) => items.iter().collect(),
            None if document.is_null() => Vec::new(),
            None => vec![document],
        };
        for object in objects {
            let read = one(object, default, &ignored, &find).map_err(|error| {
                let message = format!("manifest, document {}: {}", at + 1, error.message);
                CallError { message, ..error }
            })?;
            if written.iter().any(|known| known.object == read.object) {
                let ObjectRef { kind, name, .. } = &read.object;
                return Err(CallError::invalid(format!(
                    "manifest: {kind} {} is in it twice",
                    short(name, 60)
                )));
            }
            written.push(read);
        }
    }
    match written.len() {
        0 => Err(CallError::invalid("manifest: there is no object in it")),
        count if count > MAX_MANIFEST_OBJECTS => Err(CallError::invalid(format!(
            "manifest: {count} objects are more than {MAX_MANIFEST_OBJECTS}, the most that are compared at once"
        ))),
        _ => Ok(written),
    }
}

fn one(
    object: &Value,
    default: &str,
    ignored: &[Ignore],
    find: impl Fn(&str) -> Result<ResolvedKind, CallError>,
) -> Result<WrittenObject, CallError> {
    let text = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
    let (kind, version) = (text(object, "kind"), text(object, "apiVersion"));
    let name = text(&object["metadata"], "name");
    if kind.is_empty() || version.is_empty() || name.is_empty() {
        return Err(CallError::invalid(format!(
            "an object has apiVersion, kind and metadata.name, and one of them is missing from {}",
            short(&object.to_string(), 60)
        )));
    }
    let spelled = match version.split_once('/') {
        Some((group, _)) => format!("{kind}.{group}"),
        None => kind,
    };
    let kind = find(&spelled)?;
    let namespace = match text(&object["metadata"], "namespace") {
        _ if !is_namespaced(kind.scope) => String::new(),
        said if said.is_empty() => default.to_owned(),
        said => said,
    };
    Ok(WrittenObject {
        object: ObjectRef { kind: kind.id, namespace, name },
        intent: compare::intent(object, ignored),
    })
}
