//! What is said of a bug, wherever it was caught.

use std::any::Any;

use kubeplex_proto::status::{AgentError, AgentErrorCode};

/// The answer to a request that met a bug; what was met goes into the log.
pub(super) fn bug(place: &str, panic: &(dyn Any + Send)) -> AgentError {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)");
    tracing::error!(place, panic = message, "a request met a bug in the agent");
    AgentError::new(AgentErrorCode::Internal, "the agent met a bug over this request; its log says more")
}
