//! What every request to an agent carries beside its question.

use serde::{Deserialize, Serialize};

use crate::ids::CallId;
use crate::visibility::Visibility;

/// Who asks, what they may see, and what the call may cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallContext {
    pub call_id: CallId,
    /// What remains for this call, in milliseconds: never a wall-clock time, because clocks differ.
    pub deadline_ms: u64,
    pub caller: Identity,
    pub visibility: Visibility,
    /// The largest reply wanted, in bytes of its rows or objects.
    pub max_bytes: u64,
    pub freshness: Freshness,
}

/// The caller as a cluster would know them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    pub user: String,
    #[serde(default)]
    pub groups: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Freshness {
    #[default]
    Cache,
    Live,
}
