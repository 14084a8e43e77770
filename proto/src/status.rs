//! What one cluster contributed to an answer.

use serde::{Deserialize, Serialize};

/// The state of one cluster in one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LegStatus {
    Ok,
    /// The cluster has no such kind.
    Absent,
    /// The first list of the kind is not there yet: no rows.
    Syncing,
    /// Rows are there, without a recent proof that they are current.
    Stale,
    Disconnected,
    Forbidden,
    Timeout,
    Error,
}

impl LegStatus {
    /// Whether the cluster counts as having answered. Only then may "nothing found" be believed, `stale` with its age.
    pub fn answered(self) -> bool {
        matches!(self, Self::Ok | Self::Absent | Self::Stale)
    }

    /// Whether an answer with this leg is complete as far as the leg goes.
    pub fn worth_mention(self) -> bool {
        !matches!(self, Self::Ok | Self::Absent)
    }
}

/// Where an agent took its answer from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    Cache,
    /// The paged LIST that fills the cache on a kind's first use.
    Fill,
    Live,
}

/// A request that an agent refuses or fails, the body of a reply that is not 200.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct AgentError {
    pub code: AgentErrorCode,
    /// What was wrong, with which value.
    pub message: String,
    /// What would be right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentErrorCode {
    InvalidArgument,
    Forbidden,
    Timeout,
    TooLarge,
    Unavailable,
    #[serde(other)]
    Internal,
}

impl AgentError {
    pub fn new(code: AgentErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, retry_after_ms: None }
    }

    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
