//! Redaction: what nobody may see is removed in the agent, before it is stored or sent.
//!
//! Selectors, sorts and answers know only the redacted form. It is applied to the structure of an object, on every path:
//! [`object`] to what is cached and to what is read live, [`text`] to what has no structure. What counts as a credential
//! is one table ([`patterns`]), from which `docs/redaction.md` is rendered.

use std::borrow::Cow;

use kubeplex_proto::kind::GroupResource;
use serde_json::{Map, Value};

mod digest;
#[cfg(test)]
mod docs;
mod mask;
mod patterns;

pub use digest::{DigestKey, config_map};

use mask::{MASK, is_credential_name, is_harmless};

/// The annotation in which `kubectl apply` keeps a whole copy of the object, credentials included.
pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Removes what nobody may see from an object of `kind`, in place: Secret data, the copy that `kubectl apply` keeps, and
/// whatever the table calls a credential, by its name or by its shape, at any depth.
pub fn object(kind: &GroupResource, object: &mut Value) {
    if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.shift_remove(LAST_APPLIED);
    }
    if kind.group.is_empty() && kind.resource == "secrets" {
        blank(object, "data");
        blank(object, "stringData");
    }
    // Names are what an object is found by: they are not data, and they stay.
    let identity = take_identity(object);
    walk(object);
    give_identity_back(object, identity);
}

/// Masks credentials in a text without structure: a line of a log, a message.
pub fn text(text: &str) -> Cow<'_, str> {
    mask::text(text)
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

/// Keeps the keys of a map, and none of its values.
fn blank(object: &mut Value, field: &str) {
    match object.get_mut(field) {
        None | Some(Value::Null) => {}
        Some(Value::Object(map)) => map.values_mut().for_each(|value| *value = MASK.into()),
        Some(other) => *other = MASK.into(),
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
    mask_named_value(map);
    for (key, value) in map.iter_mut() {
        match value {
            Value::Array(items) if matches!(key.as_str(), "args" | "command") => mask_arguments(items),
            Value::String(_) | Value::Array(_) | Value::Number(_) if is_credential_name(key) => {
                mask_values(value)
            }
            _ => {}
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

/// Masks a value under a credential's name. Maps below it are references and settings, with names of their own.
fn mask_values(value: &mut Value) {
    match value {
        Value::String(text) if !is_harmless(text) => MASK.clone_into(text),
        Value::Array(items) => items.iter_mut().filter(|item| !item.is_object()).for_each(mask_values),
        Value::Number(_) => *value = MASK.into(),
        Value::String(_) | Value::Object(_) | Value::Null | Value::Bool(_) => {}
    }
}

/// `--password=hunter2`, `PASSWORD=hunter2`, and `--password hunter2` in two arguments.
fn mask_arguments(arguments: &mut [Value]) {
    let mut names_next = false;
    for argument in arguments {
        let Value::String(argument) = argument else { continue };
        let is_flag = argument.starts_with('-');
        if std::mem::take(&mut names_next) && !is_flag && !is_harmless(argument) {
            MASK.clone_into(argument);
            continue;
        }
        match argument.split_once('=') {
            Some((name, value)) if is_word(name) && is_credential_name(name) && !is_harmless(value) => {
                *argument = format!("{name}={MASK}");
            }
            Some(_) => {}
            None => names_next = is_flag && is_word(argument) && is_credential_name(argument),
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests;
