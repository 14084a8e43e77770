//! Whether the API server answers at all, for the report.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::{ApiError, chain};

/// A call that was given less time than this tells nothing about the server when the time is up: its caller was in a hurry.
const PATIENCE: Duration = Duration::from_secs(5);

/// The last thing that kept the agent from its API server. Nothing once it is heard again: an answer, be it an error of its
/// own, or a line of a watch. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Problem(Arc<State>);

#[derive(Debug, Default)]
struct State {
    text: Mutex<String>,
    /// Whether there is a text, for those who only want to know that.
    exists: AtomicBool,
    /// Times the server was heard.
    heard: AtomicU64,
}

/// How often the server had been heard when a call began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before(u64);

impl Problem {
    pub(super) fn describe(&self) -> String {
        self.0.text.lock().clone()
    }

    /// A call begins.
    pub(super) fn before(&self) -> Before {
        Before(self.0.heard.load(Ordering::Relaxed))
    }

    /// Takes in the outcome of a call. A part of the API may hang, such as an aggregated server's, while the rest answers:
    /// a timeout counts only if the server was silent all along.
    pub(super) fn note(&self, before: Before, error: Option<&ApiError>) {
        match error {
            Some(error @ (ApiError::Connect(_) | ApiError::Unauthorized { .. })) => self.set(chain(error)),
            Some(error @ ApiError::Timeout { after }) => {
                if *after >= PATIENCE && self.0.heard.load(Ordering::Relaxed) == before.0 {
                    self.set(chain(error));
                }
            }
            _ => self.heard(),
        }
    }

    /// The server said something.
    pub(super) fn heard(&self) {
        self.0.heard.fetch_add(1, Ordering::Relaxed);
        if self.0.exists.load(Ordering::Acquire) {
            self.set(String::new());
        }
    }

    fn set(&self, text: String) {
        let mut known = self.0.text.lock();
        match (known.is_empty(), text.is_empty()) {
            (true, false) => tracing::warn!("{text}"),
            (false, true) => tracing::info!("the API server answers again"),
            _ => {}
        }
        self.0.exists.store(!text.is_empty(), Ordering::Release);
        *known = text;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeout(seconds: u64) -> ApiError {
        ApiError::Timeout { after: Duration::from_secs(seconds) }
    }

    #[test]
    fn silence_is_a_problem_and_a_hurry_is_not() {
        let problem = Problem::default();
        problem.note(problem.before(), Some(&timeout(1)));
        assert_eq!(problem.describe(), "");
        problem.note(problem.before(), Some(&timeout(30)));
        assert_eq!(problem.describe(), "the API server did not answer within 30s");
        problem.heard();
        assert_eq!(problem.describe(), "");
    }

    #[test]
    fn one_part_that_hangs_is_no_problem_of_the_server() {
        let problem = Problem::default();
        let before = problem.before();
        problem.note(problem.before(), None);
        problem.note(before, Some(&timeout(30)));
        assert_eq!(problem.describe(), "");
    }

    #[test]
    fn refused_credentials_are_a_problem_until_they_are_accepted() {
        let problem = Problem::default();
        problem.note(problem.before(), Some(&ApiError::Unauthorized { message: "expired".into() }));
        assert!(problem.describe().contains("expired"));
        problem.note(problem.before(), Some(&ApiError::NotFound { message: String::new() }));
        assert_eq!(problem.describe(), "");
    }
}
