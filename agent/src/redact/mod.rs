//! Redaction: what nobody may see is removed in the agent, before it is stored or sent.
//!
//! Selectors, sorts and answers know only the redacted form. It is applied to the structure of an object, on every path:
//! [`object`] to what is cached and to what is read live, [`Masked`] to cells that the server computed, [`text`] to what has no
//! structure. What counts as a credential
//! is one table ([`patterns`]), from which `docs/redaction.md` is rendered.

use std::borrow::Cow;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use kubeplex_proto::kind::GroupResource;
use serde_json::{Map, Value};

mod arguments;
mod digest;
#[cfg(test)]
mod docs;
mod hints;
mod mask;
mod patterns;
mod shown;

pub use digest::{DigestKey, config_map};
pub(crate) use shown::Masked;

pub(crate) use mask::MASK;
use mask::{is_credential_name, is_harmless};

/// The annotation in which `kubectl apply` keeps a whole copy of the object, credentials included.
pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Removes what nobody may see from an object of `kind`, in place: Secret data, the copy that `kubectl apply` keeps, and
/// whatever the table calls a credential, by its name or by its shape, at any depth.
pub fn object(kind: &GroupResource, object: &mut Value) {
    if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.shift_remove(LAST_APPLIED);
    }
    if kind.group.is_empty() && kind.resource == "secrets" {
        object.as_object_mut().into_iter().for_each(blank);
    }
    if kind.group.is_empty() && kind.resource == "configmaps" {
        mask_encoded(object);
    }
    // Names are what an object is found by: they are not data, and they stay.
    let identity = take_identity(object);
    walk(object);
    give_identity_back(object, identity);
}

/// The same, for an object from which more was computed before: the outcome says what was masked.
pub(crate) fn object_and_tell(kind: &GroupResource, value: &mut Value) -> Masked {
    let before = value.clone();
    object(kind, value);
    Masked::between(&before, value)
}

/// Masks credentials in a text without structure: a line of a log, a message.
pub fn text(text: &str) -> Cow<'_, str> {
    mask::text(text)
}

/// Gives back the memory that busy threads used for masking.
pub(crate) fn forget() {
    mask::forget();
}

const IDENTITY: [&str; 6] =
    ["name", "generateName", "namespace", "uid", "resourceVersion", "ownerReferences"];

fn take_identity(object: &mut Value) -> [Option<Value>; IDENTITY.len()] {
    IDENTITY.map(|field| object.get_mut("metadata")?.get_mut(field).map(Value::take))
}

fn give_identity_back(object: &mut Value, identity: [Option<Value>; IDENTITY.len()]) {
    for (field, value) in IDENTITY.iter().zip(identity) {
        if let Some(value) = value {
            object["metadata"][*field] = value;
        }
    }
}

/// Keeps the keys of a Secret, and none of its values.
fn blank(secret: &mut Map<String, Value>) {
    for field in ["data", "stringData"] {
        match secret.get_mut(field) {
            None | Some(Value::Null) => {}
            Some(Value::Object(map)) => map.values_mut().for_each(|value| *value = MASK.into()),
            Some(other) => *other = MASK.into(),
        }
    }
}

/// Objects that carry others (templates, bundles, works for other clusters) carry Secrets, too.
fn is_secret(map: &Map<String, Value>) -> bool {
    let reads = |field: &str, text: &str| map.get(field).is_some_and(|value| value == text);
    reads("kind", "Secret") && reads("apiVersion", "v1")
}

/// A value of `binaryData` is masked as a whole where what it encodes is a text with a credential in it.
fn mask_encoded(config_map: &mut Value) {
    let Some(Value::Object(values)) = config_map.get_mut("binaryData") else { return };
    for value in values.values_mut() {
        let bytes = value.as_str().and_then(|encoded| BASE64_STANDARD.decode(encoded).ok());
        let decoded = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        if decoded.is_some_and(|decoded| mask::text(&decoded) != decoded) {
            *value = MASK.into();
        }
    }
}

// Depth is bounded: JSON nested deeper than 128 levels is refused when it is parsed.
fn walk(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(masked) = mask::text(text) {
                *text = masked;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(walk),
        Value::Object(map) => walk_map(map),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn walk_map(map: &mut Map<String, Value>) {
    if is_secret(map) {
        blank(map);
    }
    mask_named_value(map);
    arguments::mask(map);
    for (key, value) in map.iter_mut() {
        if !matches!(value, Value::Null | Value::Bool(_)) && is_credential_name(key) {
            mask_values(value);
        }
        walk(value);
    }
}

/// `{name: DB_PASSWORD, value: hunter2}`: an environment variable, a header of a probe, a parameter.
fn mask_named_value(map: &mut Map<String, Value>) {
    let name = ["name", "key"].iter().find_map(|field| map.get(*field)?.as_str());
    if name.is_some_and(is_credential_name)
        && let Some(value) = map.get_mut("value")
    {
        mask_values(value);
    }
}

/// Fields in which a credential's own map holds it; what else is there are references and settings, with names of their own.
const LITERALS: [&str; 8] =
    ["value", "literal", "plain", "plaintext", "plainText", "inline", "raw", "content"];

/// Masks a value under a credential's name.
fn mask_values(value: &mut Value) {
    match value {
        Value::String(text) if !is_harmless(text) => MASK.clone_into(text),
        Value::Array(items) => items.iter_mut().filter(|item| !item.is_object()).for_each(mask_values),
        Value::Number(_) => *value = MASK.into(),
        Value::Object(map) => {
            let literals = map.iter_mut().filter(|(field, _)| LITERALS.contains(&field.as_str()));
            literals.filter(|(_, value)| !value.is_object()).for_each(|(_, value)| mask_values(value));
        }
        Value::String(_) | Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests;
