//! Comparing objects over clusters in two steps: digests of all that are meant, and then those that differ.
//!
//! Both are answered as [`gather`](crate::gather) says, and both are of what [`compare::intent`](crate::compare::intent) makes of an
//! object.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::CallContext;
use crate::kind::GroupResource;
use crate::pattern::Pattern;
use crate::selector::LabelSelector;

/// The digests of objects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DigestRequest {
    pub context: CallContext,
    /// Empty: all kinds in namespaces that the agent watches and that somebody makes objects of for their own sake, and of
    /// them only such objects.
    #[serde(default)]
    pub kinds: Vec<GroupResource>,
    /// Empty: all that are visible.
    #[serde(default)]
    pub namespaces: Vec<Pattern>,
    #[serde(default)]
    pub names: Vec<Pattern>,
    #[serde(default)]
    pub label_selector: LabelSelector,
    /// Paths that are not compared.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// More objects are refused.
    pub limit: u32,
}

/// One of the answers to a [`DigestRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DigestItem {
    /// What became of a kind; before its objects.
    Kind(KindLook),
    Object(ObjectDigest),
}

/// Whether the objects of a kind were looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KindLook {
    pub kind: GroupResource,
    pub state: Look,
    /// Why not, where there is more to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Look {
    Taken,
    /// The cluster has no such kind.
    Absent,
    /// The agent may not watch it.
    Forbidden,
    /// Nobody has asked for it by its name yet.
    NotWatched,
    /// It is not known yet, or its watch fails; or the agent has a word for it that is newer than this list.
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectDigest {
    #[serde(flatten)]
    pub object: ObjectRef,
    pub digest: String,
}

/// An object of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    pub kind: GroupResource,
    /// Empty for what is in none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    pub name: String,
}

/// What these objects are made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IntentRequest {
    pub context: CallContext,
    pub objects: Vec<ObjectRef>,
    #[serde(default)]
    pub ignore: Vec<String>,
}

/// One of the answers to an [`IntentRequest`]; of an object that is gone there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectIntent {
    #[serde(flatten)]
    pub object: ObjectRef,
    pub intent: Value,
}
