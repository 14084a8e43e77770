//! What changed in a cluster: the question, and what is told of each change.
//!
//! Sent and answered as [`gather`](crate::gather) says, newest first.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::CallContext;
use crate::events::Moment;
use crate::kind::GroupResource;
use crate::pattern::Pattern;

/// Changes of visible objects in a span of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangesRequest {
    pub context: CallContext,
    /// Then or later …
    pub since: Moment,
    /// … and then or earlier; without it up to now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<GroupResource>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<Pattern>,
    /// With names, changes of what the named objects are related to are told as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Pattern>,
    /// At most so many changes are sent; the head counts all.
    pub limit: u32,
}

/// One item of the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChangesItem {
    Change(Box<Change>),
    Gap(Gap),
}

/// One change of one object, with what it led to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// By the cluster's clock, in milliseconds since 1970. Where it is known only to lie in a span, the span's end.
    pub at_ms: i64,
    /// The beginning of that span.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<i64>,
    pub kind: GroupResource,
    /// `Deployment`.
    pub kind_name: String,
    /// `None` for a cluster-scoped object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    pub name: String,
    pub deed: Deed,
    /// The most important of what changed first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
    /// Fields that changed as well and are not told.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_fields: u32,
    /// The field manager, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// It was not seen, and what there was later tells of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inferred: bool,
    /// How the object is related to the one that was asked for: `owner`, `mounted`; empty for that one itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub relation: String,
    /// What followed from it, and is not told by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folded: Vec<Folded>,
    /// How often the same fields changed: from what they were first to what they are.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u32,
}

impl Change {
    /// Whether nothing was done to the object: only how it is has changed.
    pub fn is_of_status(&self) -> bool {
        self.deed == Deed::Changed
            && !self.fields.is_empty()
            && self.fields.iter().all(|field| field.class == Class::Status)
    }
}

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Deed {
    Created,
    Changed,
    /// Deleted, and another created under its name.
    Replaced,
    /// Its deletion was asked for; finalizers or a grace period hold it.
    DeletionAsked,
    Deleted,
    /// Nothing: only what is folded into it.
    Followed,
}

/// A field with what it was and is. What is not there is null; what is long is cut.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    /// `spec.template.spec.containers[app].image`.
    pub path: String,
    pub class: Class,
    #[serde(default)]
    pub old: Value,
    #[serde(default)]
    pub new: Value,
}

/// What a field is about, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Class {
    Image,
    Scale,
    Data,
    Spec,
    /// Labels, annotations and what else metadata holds.
    Label,
    Status,
}

/// How many objects of a kind came and went because of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Folded {
    /// `pods`.
    pub kind: GroupResource,
    #[serde(default)]
    pub created: u32,
    #[serde(default)]
    pub deleted: u32,
}

/// A time of which not every change is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// `None`: from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<i64>,
    pub to_ms: i64,
    /// Of this kind alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<GroupResource>,
    pub reason: GapReason,
}

/// Why changes are not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GapReason {
    /// Nobody wrote them down yet, or the kind was not watched.
    NotRecorded,
    /// The agent did not run.
    Restart,
    /// They were written down, and had to make room for newer ones.
    Overrun,
    /// The watch was cut off, and a list told what came of it.
    Relist,
    /// The kind is not current now.
    Stale,
    /// There are more than an answer tells.
    TooMany,
}

fn once() -> u32 {
    1
}

fn is_once(times: &u32) -> bool {
    *times == 1
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}
