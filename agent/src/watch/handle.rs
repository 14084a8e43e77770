//! One watched kind: its store, and how far it can be believed.

use std::time::Duration;

use kubeplex_proto::column::same_column;
use kubeplex_proto::control::{KindReport, SyncState};
use kubeplex_proto::kind::KindInfo;
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::cache::{KindShape, KindStore, unused_revisions};

/// How far a kind can be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindStatus {
    pub state: SyncState,
    /// When the rows were last known to be current; `None` while they never were.
    pub as_of: Option<Instant>,
    /// Why, where the state is not `synced`; what is missing, where it is.
    pub message: Option<String>,
}

/// One watched kind. Readers hold it as long as they read; a kind that changes its version or its columns gets a new one.
pub struct KindHandle {
    pub info: KindInfo,
    pub store: RwLock<KindStore>,
    shape: KindShape,
    status: Mutex<Believed>,
    /// Follows the state in `status`, for those who wait for it.
    state: watch::Sender<SyncState>,
    /// Told of every change that a report would show.
    changed: watch::Sender<u64>,
    last_used: Mutex<Instant>,
}

struct Believed {
    status: KindStatus,
    /// `as_of` before a watch was re-established that has not yet proven itself by an event.
    before_reopening: Option<Instant>,
    /// When the server last said that there is nothing to read.
    refused_at: Option<Instant>,
}

impl KindHandle {
    /// A kind that nothing is known of yet. `changed` is incremented at every change that a report would show.
    pub(crate) fn new(info: KindInfo, shape: KindShape, changed: watch::Sender<u64>) -> Self {
        let status = KindStatus { state: SyncState::Syncing, as_of: None, message: None };
        Self {
            info,
            store: RwLock::new(KindStore::counting_from(shape.clone(), unused_revisions())),
            shape,
            status: Mutex::new(Believed { status, before_reopening: None, refused_at: None }),
            state: watch::Sender::new(SyncState::Syncing),
            changed,
            last_used: Mutex::new(Instant::now()),
        }
    }

    pub fn status(&self) -> KindStatus {
        self.status.lock().status.clone()
    }

    /// Waits until the first list is there or known to fail, but not longer than `until`.
    pub async fn synced(&self, until: Instant) -> KindStatus {
        let mut state = self.state.subscribe();
        // The sender lives as long as self, so only the timeout ends this early.
        let _ = tokio::time::timeout_at(until, state.wait_for(|state| *state != SyncState::Syncing)).await;
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
        self.status.lock().status.state == SyncState::Syncing
    }

    /// How long ago the rows were last known to be current.
    pub fn age(&self) -> Option<Duration> {
        self.status.lock().status.as_of.map(|as_of| as_of.elapsed())
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
        let mut narrow = self.shape.columns.defs().iter().filter(|def| !def.wide);
        narrow.position(|def| same_column(&def.column.name, name))
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

    pub(crate) fn set_state(&self, state: SyncState, message: Option<String>) {
        {
            let mut believed = self.status.lock();
            if believed.status.state == state && believed.status.message == message {
                return;
            }
            believed.status.state = state;
            believed.status.message = message;
        }
        self.state.send_replace(state);
        self.tick();
    }

    /// The rows were current at `at`.
    pub(crate) fn current_at(&self, at: Instant) {
        let mut believed = self.status.lock();
        believed.status.as_of = believed.status.as_of.max(Some(at));
        believed.before_reopening = None;
    }

    /// There are no rows that could be current.
    pub(crate) fn current_never(&self) {
        let mut believed = self.status.lock();
        believed.status.as_of = None;
        believed.before_reopening = None;
        believed.refused_at = Some(Instant::now());
    }

    /// Whether the kind is absent, and the server said so at least this long ago.
    pub(crate) fn is_absent_for(&self, time: Duration) -> bool {
        let believed = self.status.lock();
        believed.status.state == SyncState::Absent
            && believed.refused_at.is_some_and(|at| at.elapsed() >= time)
    }

    /// A watch stands again: proof, unless the next thing it says is that it can't go on from there.
    pub(crate) fn reopened_at(&self, at: Instant) {
        let mut believed = self.status.lock();
        believed.before_reopening = believed.status.as_of;
        believed.status.as_of = Some(at);
    }

    /// The watch that stood again proved nothing.
    pub(crate) fn reopening_failed(&self) {
        let mut believed = self.status.lock();
        if let Some(before) = believed.before_reopening.take() {
            believed.status.as_of = Some(before);
        }
    }

    /// Something that a report shows has changed.
    pub(crate) fn tick(&self) {
        self.changed.send_modify(|ticks| *ticks += 1);
    }
}
