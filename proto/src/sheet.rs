//! Everything about one object: itself, short, with what it belongs to, what belongs to it, and what happened to it.
//!
//! Answered as [gathered](crate::gather) [`Sheet`]s.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::CallContext;
use crate::changes::Change;
use crate::health::Resources;
use crate::kind::GroupResource;
use crate::pattern::Pattern;
use crate::problems::Problem;

/// Every visible object of a kind whose namespace and name match.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SheetRequest {
    pub context: CallContext,
    pub kind: GroupResource,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(default)]
    pub namespaces: Vec<Pattern>,
    #[serde(default)]
    pub names: Vec<Pattern>,
    /// At most so many are described.
    pub limit: u32,
    /// Whether what their pods wrote of errors is told, too: read live, as the caller.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub logs: bool,
}

/// One object. Of every part the most important comes first, and what is left out is counted. Nothing of it tells of what
/// the caller may not see.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Sheet {
    /// What matters of it: spec and status, with long lists and texts cut.
    pub object: Value,
    /// By the cluster's clock, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_ms: Option<i64>,
    pub owners: Relatives,
    /// What it owns or, where it is a service, selects.
    pub children: Relatives,
    /// What it mounts and reads.
    pub uses: Relatives,
    /// Services and autoscalers that it is behind.
    pub selected_by: Relatives,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<SheetUsage>,
    pub events: Vec<SheetEvent>,
    pub problems: Vec<Problem>,
    pub changes: Vec<Change>,
    /// Where it was asked for, and could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logs: Option<SheetLogs>,
    /// Parts that could not be told, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_told: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Relatives {
    pub shown: Vec<Relative>,
    /// How many there are beside these.
    pub more: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Relative {
    /// Singular and in lower case: `replicaset`.
    pub kind: String,
    pub name: String,
    /// `Running 1/1`, `missing`; empty where there is nothing to say.
    pub state: String,
}

/// Of all its pods together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SheetUsage {
    pub requested: Resources,
    pub limits: Resources,
    /// Where there is a metrics API, and the caller may read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<Resources>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SheetEvent {
    /// `pod/cart-1`.
    pub object: String,
    pub event_type: String,
    pub reason: String,
    pub message: String,
    pub count: u64,
    pub last_ms: i64,
}

/// What its pods wrote of errors of late.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SheetLogs {
    /// Pods that were read, those that are not well before the others.
    pub pods: u64,
    /// Pods that were not, because there are too many.
    pub more_pods: u64,
    /// Containers of those that were read …
    pub containers: u64,
    /// … and how many of the last lines of each.
    pub lines: u64,
    /// Sorts of lines that tell of errors, the commonest first.
    pub patterns: Vec<SheetPattern>,
    /// How many sorts there are beside these.
    pub more: u64,
}

/// What lines have in common, as [`Template`](crate::template::Template)s have it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SheetPattern {
    pub text: String,
    pub count: u64,
    /// When such a line was written last, by its node's clock, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_ms: Option<i64>,
}
