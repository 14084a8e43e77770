//! Why a step failed, by what the watch loop does about it.

use std::time::Duration;

use kubeplex_link::reason;

use crate::api::ApiError;

/// A failed step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    /// In a sentence, for whoever reads the kind.
    pub(crate) message: String,
    /// What the server asked for.
    pub(crate) retry_after: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// The version or continue token is too old.
    Expired,
    /// The version is newer than the server's own.
    FutureVersion,
    Forbidden,
    NotFound,
    /// The server does not take such a request.
    Invalid,
    /// The reply is longer than the agent reads.
    TooLarge,
    /// What arrived can't be read.
    Garbled,
    /// It may pass.
    Transient,
    /// The server failed: with this kind, or with whatever it is asked.
    Failing,
    /// The server does not answer, or does not know the agent: what keeps one kind from it keeps all.
    Unreached,
}

impl FailureKind {
    /// Whether the same request may succeed later.
    pub(crate) fn may_pass(self) -> bool {
        matches!(self, Self::Transient | Self::Failing | Self::Unreached)
    }
}

impl Failure {
    pub(crate) fn transient(message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Transient, message: message.into(), retry_after: None }
    }
}

impl From<&ApiError> for Failure {
    fn from(error: &ApiError) -> Self {
        let kind = match error {
            ApiError::Expired { from_the_future: false, .. } => FailureKind::Expired,
            ApiError::Expired { from_the_future: true, .. } => FailureKind::FutureVersion,
            ApiError::Forbidden { .. } => FailureKind::Forbidden,
            ApiError::NotFound { .. } => FailureKind::NotFound,
            ApiError::Invalid { .. } => FailureKind::Invalid,
            ApiError::TooLarge { .. } => FailureKind::TooLarge,
            ApiError::Decode { .. } => FailureKind::Garbled,
            ApiError::Unauthorized { .. }
            | ApiError::Timeout { .. }
            | ApiError::Connect(_)
            | ApiError::Credentials(_) => FailureKind::Unreached,
            ApiError::Server { .. } => FailureKind::Failing,
            ApiError::TooManyRequests { .. }
            | ApiError::Broken(_)
            // The end of a connection, not of the server's wits: the next watch begins where the whole lines ended.
            | ApiError::Truncated => FailureKind::Transient,
        };
        let message = match error {
            // It stands beside that word wherever it is said.
            ApiError::Forbidden { message } => message.clone(),
            error => reason(error),
        };
        Self { kind, message, retry_after: error.retry_after() }
    }
}
