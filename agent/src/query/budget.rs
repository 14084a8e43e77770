//! What a scan may take.

use std::time::Instant;

use kubeplex_proto::status::{AgentError, AgentErrorCode};
use tokio_util::sync::CancellationToken;

/// When a scan must stop: at its deadline, or when nobody waits for it any more. It asks whenever it lets writers in.
#[derive(Debug, Clone)]
pub struct ScanBudget {
    deadline: Instant,
    cancelled: CancellationToken,
}

impl ScanBudget {
    pub fn new(deadline: Instant, cancelled: CancellationToken) -> Self {
        Self { deadline, cancelled }
    }

    /// # Errors
    /// `timeout` when the scan must stop.
    pub(crate) fn check(&self) -> Result<(), AgentError> {
        let timeout = |message: &str| Err(AgentError::new(AgentErrorCode::Timeout, message));
        if self.cancelled.is_cancelled() {
            return timeout("the call was cancelled while its objects were read");
        }
        if Instant::now() >= self.deadline {
            return timeout(
                "the deadline passed while objects were read: ask for fewer namespaces, or allow more time",
            );
        }
        Ok(())
    }
}
