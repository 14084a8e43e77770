//! Objects on the wire: whole, as metadata, or as rows of a table; in lists, alone, and in watch events.

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::accept::Form;
use crate::catalog::Resource;
use crate::clock::SimClock;
use crate::store::{Object, type_prefix};
use crate::table;

const METADATA_PREFIX: &[u8] =
    br#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":"#;

/// What a row of a table says of its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Include {
    Nothing,
    Metadata,
    Object,
}

impl Include {
    /// From the query parameter `includeObject`; nothing where it has no such value.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "None" => Some(Self::Nothing),
            "" | "Metadata" => Some(Self::Metadata),
            "Object" => Some(Self::Object),
            _ => None,
        }
    }
}

/// The metadata of a list.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListMeta {
    pub(crate) revision: u64,
    pub(crate) continue_token: Option<String>,
    pub(crate) remaining: Option<usize>,
}

impl ListMeta {
    fn json(&self) -> Value {
        let mut meta = json!({"resourceVersion": self.revision.to_string()});
        if let Some(token) = &self.continue_token {
            meta["continue"] = token.as_str().into();
        }
        if let Some(remaining) = self.remaining {
            meta["remainingItemCount"] = remaining.into();
        }
        meta
    }
}

/// Writes objects of one resource in one form.
#[derive(Clone, Debug)]
pub(crate) struct Renderer {
    resource: Arc<Resource>,
    form: Form,
    include: Include,
    clock: SimClock,
    type_prefix: String,
    /// A watch sends the definitions of columns only once.
    header: Header,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Header {
    Due,
    Sent,
}

#[derive(Deserialize)]
struct OnlyMetadata<'a> {
    #[serde(borrow)]
    metadata: &'a RawValue,
}

impl Renderer {
    pub(crate) fn new(resource: Arc<Resource>, form: Form, include: Include, clock: SimClock) -> Self {
        let type_prefix = type_prefix(&resource.kind, &resource.api_version());
        Self { resource, form, include, clock, type_prefix, header: Header::Due }
    }

    /// A list of these objects. For plain JSON this copies bytes and parses nothing.
    pub(crate) fn list(&self, objects: &[Arc<Object>], meta: &ListMeta) -> Vec<u8> {
        let meta = meta.json();
        if self.form == Form::Table {
            let mut out = table_start(&meta, &table::columns(&self.resource));
            self.join(objects, &mut out, Self::write_row);
            out.extend_from_slice(b"]}");
            return out;
        }
        let (kind, api_version) = match self.form {
            Form::Metadata => ("PartialObjectMetadataList".to_owned(), "meta.k8s.io/v1".to_owned()),
            _ => (format!("{}List", self.resource.kind), self.resource.api_version()),
        };
        let text: usize = objects.iter().map(|object| object.body_len() + 2).sum();
        let mut out = Vec::with_capacity(text + 512 + objects.len() * self.type_prefix.len());
        out.extend_from_slice(type_prefix(&kind, &api_version).as_bytes());
        out.extend_from_slice(format!(r#""metadata":{meta},"items":["#).as_bytes());
        self.join(
            objects,
            &mut out,
            match self.form {
                Form::Metadata => Self::write_metadata,
                _ if self.resource.lists_typed_items() => Self::write_typed,
                _ => Self::write_item,
            },
        );
        out.extend_from_slice(b"]}");
        out
    }

    /// One object.
    pub(crate) fn object(&self, object: &Object) -> Vec<u8> {
        let mut out = Vec::with_capacity(object.body_len() + self.type_prefix.len());
        match self.form {
            Form::Metadata => self.write_metadata(object, &mut out),
            Form::Table => self.write_table(object, &table::columns(&self.resource), &mut out),
            Form::Json | Form::Discovery(_) => self.write_typed(object, &mut out),
        }
        out
    }

    /// Whether an event's line is the same for every watch, and so worth sharing.
    pub(crate) fn shares_lines(&self) -> bool {
        self.form == Form::Json && !self.resource.lists_typed_items()
    }

    /// A line of a watch.
    pub(crate) fn event(&mut self, event_type: &str, object: &Object) -> Bytes {
        let mut out = Vec::with_capacity(object.body_len() + self.type_prefix.len() + 40);
        out.extend_from_slice(format!(r#"{{"type":"{event_type}","object":"#).as_bytes());
        match (self.form, self.header) {
            (Form::Metadata, _) => self.write_metadata(object, &mut out),
            (Form::Table, Header::Due) => self.write_table(object, &table::columns(&self.resource), &mut out),
            (Form::Table, Header::Sent) => self.write_table(object, &Value::Null, &mut out),
            (Form::Json | Form::Discovery(_), _) => self.write_typed(object, &mut out),
        }
        self.header = Header::Sent;
        out.extend_from_slice(b"}\n");
        Bytes::from(out)
    }

    /// A bookmark; the one that ends the initial events carries an annotation.
    pub(crate) fn bookmark(&mut self, revision: u64, ends_initial_events: bool) -> Bytes {
        let mut metadata = json!({"resourceVersion": revision.to_string()});
        if ends_initial_events {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let object = match self.form {
            Form::Metadata => {
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
            }
            Form::Table => self.table_bookmark(&metadata, ends_initial_events),
            Form::Json | Form::Discovery(_) => {
                json!({"kind": self.resource.kind, "apiVersion": self.resource.api_version(), "metadata": metadata})
            }
        };
        Bytes::from(format!("{}\n", json!({"type": "BOOKMARK", "object": object})))
    }

    fn table_bookmark(&mut self, metadata: &Value, ends_initial_events: bool) -> Value {
        let columns = match std::mem::replace(&mut self.header, Header::Sent) {
            Header::Due => table::columns(&self.resource),
            Header::Sent => Value::Null,
        };
        let partial =
            json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata});
        let object =
            if self.include == Include::Nothing && !ends_initial_events { Value::Null } else { partial };
        let cells = table::cells(&self.resource, &json!({"metadata": metadata}), self.clock.now());
        json!({
            "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": metadata["resourceVersion"]},
            "columnDefinitions": columns, "rows": [{"cells": cells, "object": object}],
        })
    }

    fn join(&self, objects: &[Arc<Object>], out: &mut Vec<u8>, write: fn(&Self, &Object, &mut Vec<u8>)) {
        for (index, object) in objects.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write(self, object, out);
        }
    }

    #[expect(clippy::unused_self, reason = "one of the forms that `join` chooses between")]
    fn write_item(&self, object: &Object, out: &mut Vec<u8>) {
        object.write_item(out);
    }

    fn write_typed(&self, object: &Object, out: &mut Vec<u8>) {
        object.write_typed(&self.type_prefix, out);
    }

    #[expect(clippy::unused_self, reason = "one of the forms that `join` chooses between")]
    fn write_metadata(&self, object: &Object, out: &mut Vec<u8>) {
        let mut text = Vec::with_capacity(object.body_len() + 1);
        object.write_item(&mut text);
        out.extend_from_slice(METADATA_PREFIX);
        match serde_json::from_slice::<OnlyMetadata<'_>>(&text) {
            Ok(only) => out.extend_from_slice(only.metadata.get().as_bytes()),
            Err(_) => out.extend_from_slice(b"{}"),
        }
        out.push(b'}');
    }

    fn write_row(&self, object: &Object, out: &mut Vec<u8>) {
        let cells = table::cells(&self.resource, &object.value(), self.clock.now());
        out.extend_from_slice(format!(r#"{{"cells":{},"object":"#, Value::from(cells)).as_bytes());
        match self.include {
            Include::Nothing => out.extend_from_slice(b"null"),
            Include::Metadata => self.write_metadata(object, out),
            Include::Object => self.write_typed(object, out),
        }
        out.push(b'}');
    }

    fn write_table(&self, object: &Object, columns: &Value, out: &mut Vec<u8>) {
        let meta = json!({"resourceVersion": object.revision().to_string()});
        out.append(&mut table_start(&meta, columns));
        self.write_row(object, out);
        out.extend_from_slice(b"]}");
    }
}

fn table_start(meta: &Value, columns: &Value) -> Vec<u8> {
    let prefix = type_prefix("Table", "meta.k8s.io/v1");
    format!(r#"{prefix}"metadata":{meta},"columnDefinitions":{columns},"rows":["#).into_bytes()
}
