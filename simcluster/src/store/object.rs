//! One stored object: its key, the revision of its last change, and its text.

use bytes::Bytes;
use serde_json::Value;

use super::body::Body;
use crate::json;
use crate::names::ObjectKey;

#[derive(Debug)]
pub(crate) struct Object {
    key: ObjectKey,
    revision: u64,
    body: Body,
}

impl Object {
    /// Serialises `value` with its resource version set; `kind` and `apiVersion` are left out of the text (see [`Body`]).
    pub(super) fn new(key: ObjectKey, revision: u64, mut value: Value, base: Option<&Bytes>) -> Self {
        json::set(&mut value, "/metadata/resourceVersion", revision.to_string());
        if let Some(map) = value.as_object_mut() {
            map.shift_remove("kind");
            map.shift_remove("apiVersion");
        }
        let mut text = value.to_string();
        text.remove(0);
        Self { key, revision, body: Body::encode(text, base) }
    }

    /// The same object with another resource version.
    pub(crate) fn at_revision(&self, revision: u64) -> Self {
        Self::new(self.key.clone(), revision, self.value(), Some(self.base()))
    }

    pub(crate) fn key(&self) -> &ObjectKey {
        &self.key
    }

    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    pub(super) fn base(&self) -> &Bytes {
        self.body.base()
    }

    pub(crate) fn body_len(&self) -> usize {
        self.body.len()
    }

    pub(crate) fn own_bytes(&self) -> usize {
        self.body.own_bytes()
    }

    /// Appends the object as an item of a typed list, without kind and version.
    pub(crate) fn write_item(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        self.body.write_to(out);
    }

    /// Appends the whole object; `type_prefix` comes from [`type_prefix`].
    pub(crate) fn write_typed(&self, type_prefix: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(type_prefix.as_bytes());
        self.body.write_to(out);
    }

    /// Whether this text is anywhere in the object: cheaper than to read it, where most do not.
    pub(crate) fn mentions(&self, text: &str) -> bool {
        let mut whole = Vec::with_capacity(self.body.len() + 1);
        self.write_item(&mut whole);
        std::str::from_utf8(&whole).is_ok_and(|whole| whole.contains(text))
    }

    /// The object as a value, without kind and version.
    pub(crate) fn value(&self) -> Value {
        let mut text = Vec::with_capacity(self.body.len() + 1);
        self.write_item(&mut text);
        serde_json::from_slice(&text).unwrap_or(Value::Null)
    }
}

/// `{"kind":"Pod","apiVersion":"v1",`: what goes before an object's text.
pub(crate) fn type_prefix(kind: &str, api_version: &str) -> String {
    format!(r#"{{"kind":"{kind}","apiVersion":"{api_version}","#)
}

/// Objects of one group look alike: those with the same owner, else those with the same app label.
pub(super) fn sibling_group(value: &Value) -> Box<str> {
    let owner = json::text(value, "/metadata/ownerReferences/0/uid");
    let app = json::text(value, "/metadata/labels/app.kubernetes.io~1name");
    if owner.is_empty() { app.into() } else { owner.into() }
}
