//! One watched kind: its store, and how far it can be believed, part by part.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kubeplex_proto::control::{KindReport, SyncState};
use kubeplex_proto::kind::KindInfo;
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;
use tokio::time::Instant;

use super::belief::{self, Belief, KindStatus, Seen};
use super::feed::Feed;
use crate::cache::{self, KindShape, KindStore, Part, unused_revisions};

/// One watched kind. Readers hold it as long as they read; a kind that changes its version or its columns gets a new one.
pub struct KindHandle {
    pub info: KindInfo,
    pub store: RwLock<KindStore>,
    shape: Arc<KindShape>,
    /// How far each part can be believed. There is one at least.
    beliefs: Mutex<Vec<Belief>>,
    /// What they came to when last looked at.
    seen: Mutex<Seen>,
    /// Follows the state that they come to, for those who wait for it.
    state: watch::Sender<SyncState>,
    /// Told of every change that a report would show.
    changed: watch::Sender<u64>,
    last_used: Mutex<Instant>,
    /// Whether the store's upkeep is under way.
    tending: AtomicBool,
}

impl KindHandle {
    /// A kind that nothing is known of yet. `changed` is incremented at every change that a report would show.
    pub(crate) fn new(info: KindInfo, shape: KindShape, changed: watch::Sender<u64>) -> Self {
        let shape = Arc::new(shape);
        Self {
            info,
            store: RwLock::new(KindStore::counting_from(Arc::clone(&shape), unused_revisions())),
            shape,
            beliefs: Mutex::new(vec![Belief::of(None)]),
            seen: Mutex::new(Seen::All),
            state: watch::Sender::new(SyncState::Syncing),
            changed,
            last_used: Mutex::new(Instant::now()),
            tending: AtomicBool::new(false),
        }
    }

    pub fn status(&self) -> KindStatus {
        belief::of_all(&self.beliefs.lock())
    }

    /// Waits until the first list is there or known to fail, but not longer than `until`.
    pub async fn synced(&self, until: Instant) -> KindStatus {
        if *self.state.borrow() == SyncState::Syncing {
            let mut state = self.state.subscribe();
            let listed = state.wait_for(|state| *state != SyncState::Syncing);
            // The sender lives as long as self, so only the timeout ends this early.
            let _ = tokio::time::timeout_at(until, listed).await;
        }
        self.status()
    }

    /// Waits until the server has told what there is, or that there is nothing to tell; failures are waited out.
    pub(crate) async fn told(&self) {
        let mut state = self.state.subscribe();
        let known = |state: &SyncState| !matches!(state, SyncState::Syncing | SyncState::Error);
        // The sender lives as long as self.
        let _ = state.wait_for(known).await;
    }

    /// Whether the first list is still under way, so that an answer that waits for it is one it filled. Ask before waiting.
    pub fn first_use(&self) -> bool {
        self.status().state == SyncState::Syncing
    }

    /// How long ago the rows were last known to be current.
    pub fn age(&self) -> Option<Duration> {
        self.status().as_of.map(|as_of| as_of.elapsed())
    }

    /// The kind, as the control stream reports it.
    pub fn report(&self) -> KindReport {
        let status = self.status();
        let store = self.store.read();
        KindReport {
            kind: self.info.id.clone(),
            state: status.state,
            revision: store.revision(),
            objects: store.len() as u64,
            age_ms: status.as_of.map(|as_of| as_of.elapsed().as_millis() as u64),
            message: status.message,
        }
    }

    /// The place of a column among a row's cells, which are those of the columns that are not wide.
    pub(crate) fn narrow_column(&self, name: &str) -> Option<usize> {
        self.shape.narrow_column(name)
    }

    /// What ingest must know of the kind; no lock needed.
    pub(crate) fn store_shape(&self) -> &KindShape {
        &self.shape
    }

    /// Somebody reads this kind.
    pub(crate) fn touch_use(&self) {
        self.used_at(Instant::now());
    }

    pub(crate) fn used_at(&self, at: Instant) {
        let mut last_used = self.last_used.lock();
        *last_used = at.max(*last_used);
    }

    pub(crate) fn last_used(&self) -> Instant {
        *self.last_used.lock()
    }

    /// Nothing is known any more: from here on these parts are fed, each by a watch of its own.
    pub(crate) fn divide(self: &Arc<Self>, parts: Vec<Part>) -> Vec<Feed> {
        *self.beliefs.lock() = parts.iter().map(|part| Belief::of(part.namespace.as_deref())).collect();
        self.believe_anew();
        let feed = |(place, part)| Feed::new(Arc::clone(self), part, place);
        parts.into_iter().enumerate().map(feed).collect()
    }

    /// Of a part that there is not any more, nothing is changed that anybody sees.
    pub(super) fn with_belief<T>(&self, place: usize, with: impl FnOnce(&mut Belief) -> T) -> T {
        let mut beliefs = self.beliefs.lock();
        match beliefs.get_mut(place) {
            Some(belief) => with(belief),
            None => with(&mut Belief::of(None)),
        }
    }

    /// What the parts say may come to something else now.
    pub(super) fn believe_anew(&self) {
        let KindStatus { state, seen, .. } = self.status();
        // Answers say what is seen: one that is kept by its revision must not outlive it.
        let sees_otherwise = std::mem::replace(&mut *self.seen.lock(), seen.clone()) != seen;
        if sees_otherwise {
            self.store.write().touch();
        }
        self.state.send_if_modified(|known| std::mem::replace(known, state) != state);
        self.tick();
    }

    /// What the only part is said to be.
    #[cfg(test)]
    pub(crate) fn set_state(&self, state: SyncState, message: Option<String>) {
        self.with_belief(0, |belief| (belief.state, belief.message) = (state, message));
        self.believe_anew();
    }

    /// The watches of the kind broke down, all of them.
    pub(crate) fn broke_down(&self, message: &str) {
        for belief in self.beliefs.lock().iter_mut() {
            belief.break_down(message);
        }
        self.believe_anew();
    }

    /// The right to tend the store, until it is dropped; `None` while somebody does.
    pub(super) fn tend(self: &Arc<Self>) -> Option<Tending> {
        let is_free = !self.tending.swap(true, Ordering::AcqRel);
        is_free.then(|| Tending(Arc::clone(self)))
    }

    /// Whether the kind is absent, and the server said so at least this long ago.
    pub(crate) fn is_absent_for(&self, time: Duration) -> bool {
        let Some(before) = Instant::now().checked_sub(time) else { return false };
        self.beliefs.lock().iter().all(|belief| belief.is_absent_since(before))
    }

    /// When the server last said that it does not know the kind's path, by its latest part.
    pub(crate) fn absent_since(&self) -> Instant {
        self.beliefs.lock().iter().filter_map(Belief::refused_at).max().unwrap_or_else(Instant::now)
    }

    /// Something that a report shows has changed.
    pub(crate) fn tick(&self) {
        self.changed.send_modify(|ticks| *ticks += 1);
    }
}

/// Somebody tends the store of a kind.
pub(super) struct Tending(Arc<KindHandle>);

impl Tending {
    /// Takes up to a second; call it off the async threads.
    pub(super) fn run(self) {
        cache::tend(&self.0.store);
    }
}

impl Drop for Tending {
    fn drop(&mut self) {
        self.0.tending.store(false, Ordering::Release);
    }
}
