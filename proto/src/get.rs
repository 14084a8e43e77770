//! Whole objects: the question, and the frames of its answer.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::CallContext;
use crate::kind::GroupResource;
use crate::list::Cut;
use crate::pattern::Pattern;
use crate::selector::LabelSelector;
use crate::status::{LegStatus, Source};

/// Every visible object of a kind whose namespace and name match.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetRequest {
    pub context: CallContext,
    pub kind: GroupResource,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(default)]
    pub namespaces: Vec<Pattern>,
    #[serde(default)]
    pub names: Vec<Pattern>,
    #[serde(default)]
    pub label_selector: LabelSelector,
    /// Paths to keep; empty: the whole object. Identity (apiVersion, kind, name, namespace) always stays.
    #[serde(default)]
    pub fields: Vec<String>,
    /// At most so many objects are sent; the head counts all.
    pub limit: u32,
}

/// One line of the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GetFrame {
    Head(Box<GetHead>),
    Object(Box<FoundObject>),
    End(GetEnd),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetHead {
    pub status: LegStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    pub source: Source,
    #[serde(default)]
    pub api_version: String,
    /// Objects that match, sent or not.
    pub total: u64,
    pub age_ms: u64,
    pub revision: u64,
}

/// An object as the API server holds it, redacted, without managedFields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundObject {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    pub name: String,
    pub object: Value,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetEnd {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
}
