//! Whether the API server answers at all, for the report.

use parking_lot::Mutex;

use super::{ApiError, chain};

/// The last thing that kept the agent from its API server. Empty once it answers again, be it with an error of its own.
#[derive(Debug, Default)]
pub(super) struct Problem(Mutex<String>);

impl Problem {
    pub(super) fn describe(&self) -> String {
        self.0.lock().clone()
    }

    /// Takes in the outcome of one call.
    pub(super) fn note(&self, error: Option<&ApiError>) {
        let text = match error {
            Some(
                error @ (ApiError::Connect(_) | ApiError::Timeout { .. } | ApiError::Unauthorized { .. }),
            ) => chain(error),
            _ => String::new(),
        };
        let mut problem = self.0.lock();
        match (problem.is_empty(), text.is_empty()) {
            (true, false) => tracing::warn!("{text}"),
            (false, true) => tracing::info!("the API server answers again"),
            _ => {}
        }
        *problem = text;
    }
}
