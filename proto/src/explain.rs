//! The fields of a kind, as the cluster's own schema describes them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::CallContext;
use crate::kind::GroupResource;

/// A field and those below it. The items of the [gathered](crate::gather) answer are [`Field`]s: first the one asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainRequest {
    pub context: CallContext,
    pub kind: GroupResource,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Names of fields from the object down; empty: the object itself. Lists and maps are passed through.
    #[serde(default)]
    pub path: Vec<String>,
    /// Levels of fields below it.
    pub depth: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// From the field that was asked for, with dots; empty for that itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// `string`, `[]Container`, `map[string]string`, `PodSpec`.
    #[serde(rename = "type")]
    pub type_name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// There are fields below it that are not among the items.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_more: bool,
}
