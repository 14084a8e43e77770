//! What was said in the log about agents that get no link: the same is said once, and again when an hour has passed.
//!
//! An agent that is refused comes again and again, and so does whoever guesses tokens.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::limits::{REFUSALS_SAID, REFUSALS_SAID_FOR};

/// What was said lately. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Said(Arc<Mutex<HashMap<Saying, Instant>>>);

/// Of whom something is said, and what.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Saying {
    whom: String,
    what: String,
}

/// Whether something has to be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    Say,
    /// As many as may be remembered were said lately: this is said in the place of all further ones.
    SayThatThereAreMore,
    Known,
}

impl Said {
    /// Whether it is news that `whom` meets with `what`; from now on it is none.
    pub(super) fn of(&self, whom: &str, what: &str) -> News {
        let now = Instant::now();
        let mut said = self.0.lock();
        let saying = |whom: &str, what: &str| Saying { whom: whom.to_owned(), what: what.to_owned() };
        let known = |said: &HashMap<_, Instant>, saying: &Saying| {
            said.get(saying).is_some_and(|at| now.duration_since(*at) < REFUSALS_SAID_FOR)
        };
        let this = saying(whom, what);
        if known(&said, &this) {
            return News::Known;
        }
        if said.len() >= REFUSALS_SAID {
            said.retain(|_, at| now.duration_since(*at) < REFUSALS_SAID_FOR);
        }
        if said.len() < REFUSALS_SAID {
            said.insert(this, now);
            return News::Say;
        }
        // Beyond the number, so that there is always room for it.
        let more = saying("", "");
        if known(&said, &more) {
            return News::Known;
        }
        said.insert(more, now);
        News::SayThatThereAreMore
    }

    /// All is well with `whom`: whatever comes next is news.
    pub(super) fn forget(&self, whom: &str) {
        self.0.lock().retain(|saying, _| saying.whom != whom);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_same_is_said_once_an_hour_and_anew_once_it_was_well() {
        let said = Said::default();
        let of = |whom, what| said.of(whom, what) == News::Say;
        assert!(of("a", "x") && of("a", "y") && of("b", "x"));
        assert!(!of("a", "x") && !of("b", "x"));
        tokio::time::advance(REFUSALS_SAID_FOR).await;
        assert!(of("a", "x") && !of("a", "x"));
        said.forget("a");
        assert!(of("a", "x") && of("b", "x"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_said_to_be_one() {
        let said = Said::default();
        let mut lines = 0;
        for whom in 0..10 * REFUSALS_SAID {
            match said.of(&whom.to_string(), "unknown") {
                News::Say => lines += 1,
                News::SayThatThereAreMore => assert_eq!(lines, REFUSALS_SAID, "at once, and once"),
                News::Known => {}
            }
        }
        assert_eq!(lines, REFUSALS_SAID);
        tokio::time::advance(REFUSALS_SAID_FOR).await;
        assert_eq!(said.of("somebody", "unknown"), News::Say);
    }
}
