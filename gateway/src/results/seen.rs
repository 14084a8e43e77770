//! Where the page of a question was seen last, for whoever asks the same again before anything is heard of the clusters.
//!
//! A question is understood once for a snapshot of the fleet, and this stays beside it: while there is no newer snapshot,
//! nothing that clusters vouch for has changed, so the page need not be looked for nor compared with that anew.

use std::sync::{Arc, OnceLock, Weak};

use tokio::time::Instant;

use super::pages::{Page, Shown};
use crate::clock::Steady;
use crate::identify::Caller;
use crate::policy::Permit;
use crate::request::Request;

/// Room for one sight of a question's page. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen(Arc<OnceLock<Note>>);

#[derive(Debug)]
struct Note {
    caller: Caller,
    request: Arc<Request>,
    /// Whether it is kept any longer is not decided here.
    page: Weak<Page>,
    vouched: Steady,
    until: Instant,
}

impl Seen {
    /// The page that a permit is for, if it was seen and still shows what it did.
    pub(super) fn of(&self, permit: &Permit, now: Instant) -> Option<Shown> {
        let note = self.0.get()?;
        // Nobody has to trust who keeps the note beside the question.
        if !(permit.is_for(&note.request) && permit.caller().is(&note.caller)) {
            return None;
        }
        let shown = Shown { page: note.page.upgrade()?, vouched: note.vouched, until: note.until };
        shown.holds(now).then_some(shown)
    }

    pub(super) fn note(&self, permit: &Permit, shown: &Shown) {
        self.0.get_or_init(|| Note {
            caller: permit.caller().clone(),
            request: permit.share(),
            page: Arc::downgrade(&shown.page),
            vouched: shown.vouched,
            until: shown.until,
        });
    }
}
