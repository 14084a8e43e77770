//! What the watches of one cluster share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::rights::OwnRights;
use super::timings::WatchTimings;
use super::witness::Witnesses;
use crate::api::Api;
use crate::config::{Deny, SecretData, WatchedNamespaces};
use crate::workers::Workers;

/// The one server, what may be watched there, and what all watches of it take turns at.
#[derive(Clone)]
pub(crate) struct WatchContext {
    pub(crate) api: Api,
    pub(crate) deny: Arc<Deny>,
    /// Where to watch what can't be watched in the whole cluster.
    pub(crate) namespaces: Arc<WatchedNamespaces>,
    /// From whose data something is told.
    pub(crate) secret_data: SecretData,
    pub(crate) timings: WatchTimings,
    /// What the agent may do.
    pub(crate) rights: Arc<OwnRights>,
    pub(crate) workers: Workers,
    /// One permit a whole list.
    pub(crate) lists: Arc<Semaphore>,
    /// Whether the server takes streamed lists, as far as is known.
    pub(crate) streaming: Arc<AtomicBool>,
    /// One permit, for the watch that asks often while the server does not answer; the others wait for what it hears.
    pub(crate) scout: Arc<Semaphore>,
    /// Who is told what becomes of objects.
    pub(crate) witnesses: Witnesses,
    /// Told when a kind is gone.
    pub(crate) rediscover: Arc<Notify>,
}

impl WatchContext {
    /// Waits until another list may run.
    pub(super) async fn place_for_a_list(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed, so there always is a permit.
        Arc::clone(&self.lists).acquire_owned().await.ok()
    }

    /// The permit to be the scout, unless another is.
    pub(super) fn scout(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.scout).try_acquire_owned().ok()
    }
}
