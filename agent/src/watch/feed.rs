//! One watch's end of a kind: where it writes, and where it says how far that can be believed.

use std::sync::Arc;

use kubeplex_proto::control::SyncState;
use tokio::time::Instant;

use super::handle::KindHandle;
use crate::api::{Query, collection_path};
use crate::cache::Part;

/// One part of a kind, for the one watch that feeds it.
#[derive(Clone)]
pub(crate) struct Feed {
    pub(super) handle: Arc<KindHandle>,
    pub(super) part: Part,
    /// Among the parts.
    place: usize,
}

impl Feed {
    pub(super) fn new(handle: Arc<KindHandle>, part: Part, place: usize) -> Self {
        Self { handle, part, place }
    }

    /// Where the part is listed and watched.
    pub(super) fn path(&self) -> String {
        let path = collection_path(&self.handle.info, self.part.namespace.as_deref());
        match self.part.types.selector() {
            Some(selector) => Query::of(path).with("fieldSelector", &selector).build(),
            None => path,
        }
    }

    pub(super) fn state(&self) -> SyncState {
        self.handle.with_belief(self.place, |belief| belief.state)
    }

    pub(super) fn set_state(&self, state: SyncState, message: Option<String>) {
        let changed = self.handle.with_belief(self.place, |belief| {
            let changed = belief.state != state || belief.message != message;
            (belief.state, belief.message) = (state, message);
            changed
        });
        if changed {
            self.handle.believe_anew();
        }
    }

    pub(super) fn current_at(&self, at: Instant) {
        self.handle.with_belief(self.place, |belief| belief.current_at(at));
    }

    /// When the part was last known to be current.
    pub(super) fn as_of(&self) -> Option<Instant> {
        self.handle.with_belief(self.place, |belief| belief.as_of())
    }

    pub(super) fn current_never(&self) {
        self.handle.with_belief(self.place, |belief| belief.current_never());
    }

    pub(super) fn reopened_at(&self, at: Instant) {
        self.handle.with_belief(self.place, |belief| belief.reopened_at(at));
    }

    pub(super) fn reopening_failed(&self) {
        self.handle.with_belief(self.place, |belief| belief.reopening_failed());
    }
}
