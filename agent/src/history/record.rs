//! A change as it is written down.

use kubeplex_proto::changes::{Class, Deed, FieldChange};
use kubeplex_proto::kind::{GroupResource, KindInfo};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::delta::{self, Path, Step};
use crate::limits::{CHANGE_FIELDS, CHANGE_VALUE_CHARS};

/// One change. Written as JSON with short keys: in memory and on disk there are many.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// By the cluster's clock, in milliseconds since 1970.
    #[serde(rename = "t")]
    pub(crate) at_ms: i64,
    /// Where it may have happened earlier: since then.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub(crate) after_ms: Option<i64>,
    #[serde(rename = "g", default, skip_serializing_if = "String::is_empty")]
    pub(crate) group: String,
    #[serde(rename = "r")]
    pub(crate) resource: String,
    #[serde(rename = "k")]
    pub(crate) kind_name: String,
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub(crate) namespace: Option<String>,
    #[serde(rename = "m")]
    pub(crate) name: String,
    #[serde(rename = "u", default, skip_serializing_if = "String::is_empty")]
    pub(crate) uid: String,
    #[serde(rename = "d")]
    pub(crate) deed: Deed,
    #[serde(rename = "x", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) fields: Vec<FieldChange>,
    #[serde(rename = "y", default, skip_serializing_if = "is_zero")]
    pub(crate) more_fields: u32,
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    /// What controls the object.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<Owner>,
    /// Nobody saw it; it is never written down.
    #[serde(skip)]
    pub(crate) inferred: bool,
}

/// The controller of an object, in its namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Owner {
    /// `ReplicaSet`.
    #[serde(rename = "k")]
    pub(crate) kind_name: String,
    #[serde(rename = "m")]
    pub(crate) name: String,
}

/// What a recorded object says of itself.
#[derive(Deserialize)]
struct Said {
    metadata: SaidMetadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SaidMetadata {
    #[serde(default)]
    owner_references: Vec<SaidOwner>,
}

#[derive(Deserialize)]
struct SaidOwner {
    kind: String,
    name: String,
    #[serde(default)]
    controller: bool,
}

impl Record {
    pub(crate) fn kind(&self) -> GroupResource {
        GroupResource::new(self.group.clone(), self.resource.clone())
    }

    /// Whether only the object's status, and what stands beside it, is another.
    pub(crate) fn is_of_status(&self) -> bool {
        let of_status = |field: &FieldChange| field.class == Class::Status;
        self.deed == Deed::Changed && self.fields.iter().all(of_status)
    }
}

/// The controller of an object as JSON.
pub(super) fn owner(json: &[u8]) -> Option<Owner> {
    let said: Said = serde_json::from_slice(json).ok()?;
    let owner = said.metadata.owner_references.into_iter().find(|owner| owner.controller)?;
    Some(Owner { kind_name: owner.kind, name: owner.name })
}

/// The fields that a change is told by, and what became of the object. `None` where it is no change that anybody means.
pub(super) fn changed(kind: &KindInfo, before: &[u8], after: &[u8]) -> Option<(Deed, Vec<FieldChange>, u32)> {
    let mut fields: Vec<FieldChange> =
        delta::delta(before, after).into_iter().map(|one| field(kind, one)).collect();
    let asked = fields.iter().position(|field| field.path == "metadata.deletionTimestamp");
    if let Some(at) = asked {
        fields.remove(at);
    }
    if fields.is_empty() && asked.is_none() {
        return None;
    }
    fields.sort_by_key(|field| field.class);
    let more = fields.len().saturating_sub(CHANGE_FIELDS);
    fields.truncate(CHANGE_FIELDS);
    let deed = if asked.is_some() { Deed::DeletionAsked } else { Deed::Changed };
    Some((deed, fields, more as u32))
}

fn field(kind: &KindInfo, change: delta::FieldChange) -> FieldChange {
    FieldChange {
        class: class(kind, &change.path),
        path: change.path.to_string(),
        old: shown(change.old),
        new: shown(change.new),
    }
}

/// Labels that a pod gets when it is bound to a node.
const OF_ITS_NODE: [&str; 2] = ["topology.kubernetes.io/region", "topology.kubernetes.io/zone"];

/// What a field is about.
pub(super) fn class(kind: &KindInfo, path: &Path) -> Class {
    let steps = path.steps();
    let is_pod = kind.id.group.is_empty() && kind.id.resource == "pods";
    match steps {
        [first, ..] if first.is_key("status") => Class::Status,
        // Networks and schedulers write where a pod is as others write a status; so do those who bind volumes, and those who
        // count pods of jobs.
        [first, second, ..]
            if is_pod
                && first.is_key("metadata")
                && ["annotations", "finalizers"].iter().any(|key| second.is_key(key)) =>
        {
            Class::Status
        }
        [first, second, label]
            if is_pod
                && first.is_key("metadata")
                && second.is_key("labels")
                && OF_ITS_NODE.iter().any(|key| label.is_key(key)) =>
        {
            Class::Status
        }
        [first, second]
            if first.is_key("spec")
                && ["nodeName", "volumeName", "claimRef"].iter().any(|key| second.is_key(key)) =>
        {
            Class::Status
        }
        [first, ..] if first.is_key("metadata") => Class::Label,
        [first, ..] if ["data", "binaryData", "stringData"].iter().any(|key| first.is_key(key)) => {
            Class::Data
        }
        [first, last] if first.is_key("spec") && last.is_key("replicas") => Class::Scale,
        [.., Step::Item { key: "name", .. }, last] if last.is_key("image") => Class::Image,
        _ => Class::Spec,
    }
}

/// A value as it is told: short, and what stands for a value of a ConfigMap by its length.
fn shown(value: Option<Value>) -> Value {
    match value {
        None => Value::Null,
        Some(Value::Object(map))
            if map.len() == 2 && map.contains_key("hash") && map.contains_key("bytes") =>
        {
            let hash: String = map["hash"].as_str().unwrap_or_default().chars().take(6).collect();
            format!("{} bytes ({hash})", map["bytes"]).into()
        }
        Some(Value::String(text)) => cut(text).into(),
        Some(scalar @ (Value::Null | Value::Bool(_) | Value::Number(_))) => scalar,
        Some(tree) => cut(tree.to_string()).into(),
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(CHANGE_VALUE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use kubeplex_proto::kind::Scope;
    use serde_json::json;

    use super::*;

    fn pods() -> KindInfo {
        KindInfo {
            id: GroupResource::new("", "pods"),
            version: "v1".to_owned(),
            versions: Vec::new(),
            kind: "Pod".to_owned(),
            singular: "pod".to_owned(),
            short_names: Vec::new(),
            categories: Vec::new(),
            scope: Scope::Namespaced,
            verbs: Vec::new(),
        }
    }

    #[test]
    fn what_becomes_of_a_pod_by_itself_is_of_its_status() {
        let metadata = |more: Value| json!({ "metadata": more }).to_string();
        for (before, after, class) in [
            (json!({"finalizers": ["batch.kubernetes.io/job-tracking"]}), json!({}), Class::Status),
            (json!({}), json!({"labels": {"topology.kubernetes.io/zone": "eub"}}), Class::Status),
            (json!({}), json!({"annotations": {"cni.example.com/ip": "10.0.0.1"}}), Class::Status),
            (json!({}), json!({"labels": {"team": "shop"}}), Class::Label),
        ] {
            let told = changed(&pods(), metadata(before).as_bytes(), metadata(after.clone()).as_bytes());
            let (_, fields, _) = told.expect("a change");
            assert_eq!(fields.iter().map(|field| field.class).collect::<Vec<_>>(), [class], "{after}");
        }
    }
}
