//! Answers that are read whole: a bounded number of items of whatever a question is about, behind one head.
//!
//! Unlike a list, such an answer has no page of its own: the gateway puts together what all clusters said, and pages over
//! that. The agent bounds the items, the most important first, and says in [`GatherHead::total`] how many there were.

use serde::{Deserialize, Serialize};

use crate::list::Cut;
use crate::status::{LegStatus, Source};

/// One line of the answer: a head, then items, then the end. A stream that closes without an end was cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GatherFrame<T> {
    Head(Box<GatherHead>),
    /// At most [`ROWS_PER_FRAME`](crate::ROWS_PER_FRAME) of them.
    Items(Vec<T>),
    End(GatherEnd),
}

/// What is known before the first item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatherHead {
    pub status: LegStatus,
    /// Why, in a sentence, where the status is not `ok`; what is missing, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    pub source: Source,
    /// The version that the cluster serves the kind in, where the question is about one: `apps/v1`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub api_version: String,
    /// How many items there are, sent or not.
    pub total: u64,
    /// How long ago all of what the items are made of was last known to be current.
    pub age_ms: u64,
    /// The cluster's own time, in milliseconds since 1970: what ages of this answer are relative to.
    pub cluster_now_ms: i64,
    /// The cluster's clock less the agent's, in milliseconds.
    #[serde(default)]
    pub clock_offset_ms: i64,
}

/// How the answer ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatherEnd {
    /// Set where the reply broke off: deadline, the byte budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
}
