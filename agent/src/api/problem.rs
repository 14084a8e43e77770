//! Whether the API server answers at all, for the report.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use kubeplex_link::reason;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::ApiError;

/// How long a server that never said anything is silent before that is told, and how often it is told anew: long before
/// anybody gives up, because who waits wants to know for what.
const SILENCE: Duration = Duration::from_secs(3);

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
    /// Since when a server that was never heard is silent.
    silent_since: Mutex<Option<Instant>>,
    /// Told of every new text.
    changed: watch::Sender<()>,
    /// Requests fail for want of a server, or of one that serves any.
    serves_nobody: AtomicBool,
    /// A path at which the server failed, since when it served nothing.
    failed_at: Mutex<Option<String>>,
    /// Told when one succeeds then. A line of a watch that stood all along does not say that another would stand.
    reached: watch::Sender<()>,
}

/// How often the server had been heard when a call began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before(u64);

impl Problem {
    pub(super) fn describe(&self) -> String {
        self.0.text.lock().clone()
    }

    /// Ticks with every new text.
    pub(super) fn changed(&self) -> watch::Receiver<()> {
        self.0.changed.subscribe()
    }

    /// Ends with the next request that is answered after one that was not.
    pub(super) fn answers_again(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut reached = self.0.reached.subscribe();
        async move {
            // As long as anybody waits for it, the sender is there: they hold the client that holds it.
            let _ = reached.changed().await;
        }
    }

    /// A call begins.
    pub(super) fn before(&self) -> Before {
        Before(self.0.heard.load(Ordering::Relaxed))
    }

    /// While a call waits for a server that never said anything: tells so, every few seconds. Ends by being dropped.
    pub(super) async fn tell_silence(&self, server: &str, path: &str) -> Infallible {
        let since = *self.0.silent_since.lock().get_or_insert_with(Instant::now);
        // What is asked beside the path helps nobody.
        let path = path.split('?').next().unwrap_or(path);
        loop {
            sleep(SILENCE).await;
            if self.0.heard.load(Ordering::Relaxed) == 0 {
                let seconds = since.elapsed().as_secs();
                self.set(format!("{server} has not answered {path} for {seconds}s"));
            }
        }
    }

    /// Whether no request is served, as far as is known.
    pub(super) fn serves_nobody(&self) -> bool {
        self.0.serves_nobody.load(Ordering::Acquire)
    }

    /// Takes in the outcome of a call. A part of the API may hang, such as an aggregated server's, while the rest answers:
    /// a timeout counts only if the server was silent all along.
    pub(super) fn note(&self, before: Before, path: &str, error: Option<&ApiError>) {
        if !matches!(error, Some(ApiError::Timeout { .. })) {
            *self.0.silent_since.lock() = None;
        }
        match error {
            Some(
                error @ (ApiError::Connect(_) | ApiError::Credentials(_) | ApiError::Unauthorized { .. }),
            ) => self.unreached(error),
            Some(error @ ApiError::Timeout { after }) => {
                if *after >= PATIENCE && self.0.heard.load(Ordering::Relaxed) == before.0 {
                    self.unreached(error);
                }
            }
            Some(ApiError::Server { .. }) => {
                self.said_something();
                self.failed_at(path);
            }
            _ => {
                self.heard();
                if self.0.serves_nobody.swap(false, Ordering::AcqRel) {
                    self.0.reached.send_replace(());
                }
            }
        }
    }

    fn unreached(&self, error: &ApiError) {
        self.0.serves_nobody.store(true, Ordering::Release);
        self.set(reason(error));
    }

    /// One path may fail on a server that serves the others, because it can't convert a kind, say; a second one says that all
    /// do.
    fn failed_at(&self, path: &str) {
        // What is asked beside the path makes no other of it.
        let path = path.split('?').next().unwrap_or(path);
        let mut failed_at = self.0.failed_at.lock();
        match failed_at.as_deref() {
            Some(known) if known != path => self.0.serves_nobody.store(true, Ordering::Release),
            Some(_) => {}
            None => *failed_at = Some(path.to_owned()),
        }
    }

    /// The server serves something.
    pub(super) fn heard(&self) {
        *self.0.failed_at.lock() = None;
        self.said_something();
    }

    fn said_something(&self) {
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
        let is_news = *known != text;
        *known = text;
        drop(known);
        if is_news {
            self.0.changed.send_replace(());
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn timeout(seconds: u64) -> ApiError {
        ApiError::Timeout { after: Duration::from_secs(seconds) }
    }

    #[test]
    fn silence_is_a_problem_and_a_hurry_is_not() {
        let problem = Problem::default();
        problem.note(problem.before(), "/api/v1/pods", Some(&timeout(1)));
        assert_eq!(problem.describe(), "");
        problem.note(problem.before(), "/api/v1/pods", Some(&timeout(30)));
        assert_eq!(problem.describe(), "the API server did not answer within 30s");
        problem.heard();
        assert_eq!(problem.describe(), "");
    }

    #[tokio::test]
    async fn an_answered_request_tells_that_the_server_is_back_and_a_line_does_not() {
        let problem = Problem::default();
        let mut back = Box::pin(problem.answers_again());
        problem.note(problem.before(), "/api/v1/pods", None);
        assert!((&mut back).now_or_never().is_none(), "it was never gone");
        problem.note(problem.before(), "/api/v1/pods", Some(&timeout(30)));
        problem.heard();
        assert!((&mut back).now_or_never().is_none(), "a watch stood all along");
        problem.note(problem.before(), "/api/v1/pods", Some(&ApiError::Forbidden { message: String::new() }));
        assert!(back.now_or_never().is_some(), "a refusal is an answer");
    }

    #[test]
    fn one_part_that_hangs_is_no_problem_of_the_server() {
        let problem = Problem::default();
        let before = problem.before();
        problem.note(problem.before(), "/api/v1/pods", None);
        problem.note(before, "/api/v1/pods", Some(&timeout(30)));
        assert_eq!(problem.describe(), "");
    }

    #[test]
    fn refused_credentials_are_a_problem_until_they_are_accepted() {
        let problem = Problem::default();
        problem.note(
            problem.before(),
            "/api/v1/pods",
            Some(&ApiError::Unauthorized { message: "expired".into() }),
        );
        assert!(problem.describe().contains("expired"));
        let missing = ApiError::NotFound { message: String::new(), path: false };
        problem.note(problem.before(), "/api/v1/pods", Some(&missing));
        assert_eq!(problem.describe(), "");
    }

    #[tokio::test]
    async fn a_server_that_fails_at_everything_is_waited_for_and_one_that_fails_at_something_is_not() {
        let failed = || Some(ApiError::Server { status: 503, message: String::new(), retry_after: None });
        for (calls, serves_nobody) in [
            (&[("/a", false), ("/b", false)][..], true),
            (&[("/a", false), ("/a?watch=true", false)], false),
            (&[("/a", false), ("/b", true), ("/c", false)], false),
            (&[("/a", false), ("/b", true), ("/c", false), ("/a", false)], true),
        ] {
            let problem = Problem::default();
            for (path, is_well) in calls {
                let error = failed().filter(|_| !is_well);
                problem.note(problem.before(), path, error.as_ref());
            }
            assert_eq!(problem.serves_nobody(), serves_nobody, "{calls:?}");
            assert_eq!(problem.describe(), "", "it answers");
            let back = problem.answers_again();
            problem.note(problem.before(), "/a", None);
            assert_eq!(back.now_or_never().is_some(), serves_nobody, "{calls:?}");
            assert!(!problem.serves_nobody());
        }
    }
}
