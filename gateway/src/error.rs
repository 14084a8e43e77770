//! What a call answers when it can't be answered: one type for all tools, which MCP clients get as a tool's failure.

use std::fmt;

use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::status::{AgentError, AgentErrorCode};
use serde::{Serialize, Serializer};

use crate::escape::one_line;

/// A call that failed as a whole. A cluster that failed is not one of these while another answered: it is part of the
/// answer's coverage.
///
/// Serialises as `{"code","message","hint"?,"cluster"?,"retryAfterMs"?}`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{message}")]
#[serde(rename_all = "camelCase")]
pub struct CallError {
    pub code: ErrorCode,
    /// What was wrong, with which value, and what would be right. It quotes callers and clusters, so it is written without
    /// what could steer a reader.
    #[serde(serialize_with = "clean")]
    pub message: String,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "clean_hint")]
    pub hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "cluster_name")]
    pub cluster: Option<ClusterId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// The closed set of codes that clients may rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    InvalidArgument,
    NotFound,
    Forbidden,
    Unauthenticated,
    Conflict,
    RateLimited,
    Timeout,
    Unavailable,
    NeedsApproval,
    PlanMismatch,
    TooLarge,
    Internal,
}

impl ErrorCode {
    pub const ALL: [Self; 12] = [
        Self::InvalidArgument,
        Self::NotFound,
        Self::Forbidden,
        Self::Unauthenticated,
        Self::Conflict,
        Self::RateLimited,
        Self::Timeout,
        Self::Unavailable,
        Self::NeedsApproval,
        Self::PlanMismatch,
        Self::TooLarge,
        Self::Internal,
    ];

    /// As it is written in an answer, and as a label of metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidArgument => "invalid_argument",
            Self::NotFound => "not_found",
            Self::Forbidden => "forbidden",
            Self::Unauthenticated => "unauthenticated",
            Self::Conflict => "conflict",
            Self::RateLimited => "rate_limited",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::NeedsApproval => "needs_approval",
            Self::PlanMismatch => "plan_mismatch",
            Self::TooLarge => "too_large",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl CallError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, cluster: None, retry_after_ms: None }
    }

    /// The commonest: an argument that is wrong.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidArgument, message)
    }

    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub fn at_cluster(mut self, cluster: ClusterId) -> Self {
        self.cluster = Some(cluster);
        self
    }

    pub fn retry_after_ms(mut self, retry_after_ms: u64) -> Self {
        self.retry_after_ms = Some(retry_after_ms);
        self
    }
}

/// An agent's refusal, where it is the refusal of the whole call.
impl From<AgentError> for CallError {
    fn from(refusal: AgentError) -> Self {
        let code = match refusal.code {
            AgentErrorCode::InvalidArgument => ErrorCode::InvalidArgument,
            AgentErrorCode::Forbidden => ErrorCode::Forbidden,
            AgentErrorCode::Timeout => ErrorCode::Timeout,
            AgentErrorCode::TooLarge => ErrorCode::TooLarge,
            AgentErrorCode::Unavailable => ErrorCode::Unavailable,
            AgentErrorCode::Internal => ErrorCode::Internal,
        };
        Self {
            code,
            message: refusal.message,
            hint: refusal.hint,
            cluster: None,
            retry_after_ms: refusal.retry_after_ms,
        }
    }
}

fn clean<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&one_line(text))
}

fn clean_hint<S: Serializer>(hint: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    clean(hint.as_deref().unwrap_or_default(), serializer)
}

fn cluster_name<S: Serializer>(cluster: &Option<ClusterId>, serializer: S) -> Result<S::Ok, S::Error> {
    match cluster {
        Some(cluster) => serializer.serialize_str(cluster.as_str()),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_only_what_there_is_to_say() {
        let short = CallError::invalid("limit: 0 is not between 1 and 1000");
        assert_eq!(
            serde_json::to_string(&short).unwrap(),
            r#"{"code":"invalid_argument","message":"limit: 0 is not between 1 and 1000"}"#
        );
        let full = CallError::new(ErrorCode::Unavailable, "m")
            .with_hint("h")
            .at_cluster(ClusterId::new("prod-eu").unwrap())
            .retry_after_ms(500);
        assert_eq!(
            serde_json::to_string(&full).unwrap(),
            r#"{"code":"unavailable","message":"m","hint":"h","cluster":"prod-eu","retryAfterMs":500}"#
        );
    }

    #[test]
    fn what_an_error_quotes_does_not_steer_its_reader() {
        let error = CallError::invalid("kind: no \u{1b}[31mpods\u{202e}").with_hint("not\nso");
        assert_eq!(
            serde_json::to_string(&error).unwrap(),
            r#"{"code":"invalid_argument","message":"kind: no \\u{1b}[31mpods\\u{202e}","hint":"not\\nso"}"#
        );
    }

    #[test]
    fn the_two_spellings_of_a_code_agree() {
        for code in ErrorCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }
}
