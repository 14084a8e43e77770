//! The watched kinds: starting, replacing and dropping them.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use kubeplex_proto::kind::GroupResource;
use tokio::time::{Instant, sleep};
use tokio_util::sync::DropGuard;
use tracing::Instrument;

use super::Shared;
use super::blueprint::Blueprint;
use crate::watch::{self, Exit, KindHandle};

/// The pause before a kind whose watch broke down is begun anew.
const RESTART_PAUSE: Duration = Duration::from_secs(30);

/// Every watched kind, by its identity.
#[derive(Default)]
pub(super) struct Slots {
    by_id: BTreeMap<GroupResource, Slot>,
}

struct Slot {
    reason: Reason,
    /// What readers get.
    current: Run,
    /// What takes its place once it is filled.
    next: Option<Run>,
}

/// One store and the watch that feeds it.
struct Run {
    handle: Arc<KindHandle>,
    blueprint: Blueprint,
    /// Ends the watch when the run is dropped.
    _stop: DropGuard,
}

/// Why a kind is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// It always is.
    FromStart,
    /// Somebody asked; it goes when nobody does any more.
    Asked,
}

impl Shared {
    pub(super) fn handle(&self, id: &GroupResource) -> Option<Arc<KindHandle>> {
        self.slots.lock().by_id.get(id).map(|slot| Arc::clone(&slot.current.handle))
    }

    /// The store that is being filled to replace the one that readers have, or that one.
    pub(super) fn newest_handle(&self, id: &GroupResource) -> Option<Arc<KindHandle>> {
        self.slots.lock().by_id.get(id).map(|slot| Arc::clone(&slot.newest().handle))
    }

    /// In the order of their names.
    pub(super) fn handles(&self) -> Vec<Arc<KindHandle>> {
        self.slots.lock().by_id.values().map(|slot| Arc::clone(&slot.current.handle)).collect()
    }

    /// The kinds that are watched from the start.
    pub(super) fn vital_handles(&self) -> Vec<Arc<KindHandle>> {
        let slots = self.slots.lock();
        let vital = slots.by_id.values().filter(|slot| slot.reason == Reason::FromStart);
        vital.map(|slot| Arc::clone(&slot.current.handle)).collect()
    }

    /// Watches a kind, unless somebody was quicker. Where too many are watched on demand, the one unused longest goes.
    pub(super) fn start(self: &Arc<Self>, blueprint: Blueprint, reason: Reason) -> Arc<KindHandle> {
        let mut dropped = Vec::new();
        let handle = {
            let mut slots = self.slots.lock();
            if let Some(slot) = slots.by_id.get_mut(&blueprint.info.id) {
                // Whoever asked first, a kind that is watched from the start is not dropped when nobody asks any more.
                if reason == Reason::FromStart {
                    slot.reason = reason;
                }
                return Arc::clone(&slot.current.handle);
            }
            if reason == Reason::Asked {
                dropped = slots.make_room(self.config.limits().on_demand_kinds);
            }
            let current = self.run(blueprint);
            let handle = Arc::clone(&current.handle);
            slots.by_id.insert(handle.info.id.clone(), Slot { reason, current, next: None });
            handle
        };
        drop(dropped);
        self.tick();
        handle
    }

    /// Fills a new store for a kind beside the one that readers have, which it then replaces.
    pub(super) fn replace(self: &Arc<Self>, blueprint: Blueprint) {
        let mut slots = self.slots.lock();
        if let Some(slot) = slots.by_id.get_mut(&blueprint.info.id) {
            slot.next = Some(self.run(blueprint));
        }
    }

    /// From what each kind's newest store is made.
    pub(super) fn blueprints(&self) -> Vec<Blueprint> {
        self.slots.lock().by_id.values().map(|slot| slot.newest().blueprint.clone()).collect()
    }

    /// Those of kinds whose columns the server failed to tell.
    pub(super) fn unsettled(&self) -> Vec<Blueprint> {
        let slots = self.slots.lock();
        let newest = slots.by_id.values().map(|slot| &slot.newest().blueprint);
        newest.filter(|blueprint| !blueprint.is_settled()).cloned().collect()
    }

    /// Makes a kind what is `wanted`, with a store of its own where its rows are others; unless it is not the `known` one
    /// any more.
    pub(super) fn reshape(self: &Arc<Self>, known: &Blueprint, wanted: Blueprint) {
        let mut slots = self.slots.lock();
        let slot = slots.by_id.get_mut(&known.info.id).filter(|slot| slot.newest().blueprint == *known);
        let Some(slot) = slot.filter(|_| wanted != *known) else { return };
        if wanted.makes_the_same(known) {
            slot.newest_mut().blueprint = wanted;
            return;
        }
        tracing::info!(kind = %wanted.info.id, kind.version = wanted.info.version, "the kind has changed: it is listed again");
        slot.next = Some(self.run(wanted));
    }

    /// Begins those kinds anew that discovery names, although for some time they are absent.
    pub(super) fn retry_absent(self: &Arc<Self>, absent_for: Duration) {
        let table = Arc::clone(&self.discovered.borrow().table);
        let absent = |slot: &&Slot| slot.next.is_none() && slot.current.handle.is_absent_for(absent_for);
        let served: Vec<Blueprint> = {
            let slots = self.slots.lock();
            let absent = slots.by_id.values().filter(absent).map(|slot| slot.current.blueprint.clone());
            absent.filter(|blueprint| table.get(&blueprint.info.id).is_some()).collect()
        };
        served.into_iter().for_each(|blueprint| self.replace(blueprint));
    }

    /// Drops the kinds that nobody used for long. Says when to look again.
    pub(super) fn drop_idle(&self, now: Instant) -> Option<Instant> {
        let idle_after = self.config.limits().on_demand_idle;
        let (dropped, next) = {
            let mut slots = self.slots.lock();
            let idle = |slot: &Slot| slot.on_demand() && slot.current.handle.last_used() + idle_after <= now;
            let dropped: Vec<Slot> =
                slots.by_id.extract_if(.., |_, slot| idle(slot)).map(|(_, slot)| slot).collect();
            let on_demand = slots.by_id.values().filter(|slot| slot.on_demand());
            (dropped, on_demand.map(|slot| slot.current.handle.last_used() + idle_after).min())
        };
        if !dropped.is_empty() {
            self.tick();
        }
        next
    }

    fn run(self: &Arc<Self>, blueprint: Blueprint) -> Run {
        // Said here, because the question is asked again and again.
        if !blueprint.is_settled() {
            tracing::info!(kind = %blueprint.info.id, "the server could not tell the columns of a kind: until it does, it shows name and age");
            self.columns_unknown.notify_one();
        }
        let shape = blueprint.shape(self);
        let handle = Arc::new(KindHandle::new(blueprint.info.clone(), shape, self.changed.clone()));
        let stop = self.cancel.child_token();
        // In a box, or the task would hold room for it once more at each layer around it.
        let keep = Box::pin(keep(Arc::clone(self), Arc::clone(&handle), blueprint.clone()));
        let stopped = stop.clone();
        let kept = async move { stopped.run_until_cancelled(keep).await };
        self.tracker.spawn(kept.instrument(self.span.clone()));
        Run { handle, blueprint, _stop: stop.drop_guard() }
    }

    /// Gives readers the store that is filled now, where it was being filled to replace another.
    fn promote(&self, handle: &Arc<KindHandle>) {
        let replaced = {
            let mut slots = self.slots.lock();
            let Some(slot) = slots.by_id.get_mut(&handle.info.id) else { return };
            match slot.next.take_if(|next| Arc::ptr_eq(&next.handle, handle)) {
                Some(next) => {
                    next.handle.used_at(slot.current.handle.last_used());
                    std::mem::replace(&mut slot.current, next)
                }
                None => return,
            }
        };
        drop(replaced);
        self.tick();
    }
}

/// Watches one kind until it is stopped. A watch that ends by itself is replaced by another with a store of its own.
pub(super) async fn keep(shared: Arc<Shared>, handle: Arc<KindHandle>, blueprint: Blueprint) {
    let promoted = async {
        handle.told().await;
        shared.promote(&handle);
        std::future::pending::<()>().await;
    };
    let watched = AssertUnwindSafe(watch::run(shared.context.clone(), Arc::clone(&handle))).catch_unwind();
    let exit = tokio::select! {
        exit = watched => exit,
        () = promoted => return,
    };
    if !matches!(exit, Ok(Exit::Rebuild)) {
        tracing::error!(kind = %handle.info.id, "the watch broke down; a new one begins soon");
        handle.broke_down("the watch broke down inside the agent");
        sleep(RESTART_PAUSE).await;
    }
    shared.replace(blueprint);
}

impl Slots {
    fn make_room(&mut self, most: usize) -> Vec<Slot> {
        let mut dropped = Vec::new();
        while self.by_id.values().filter(|slot| slot.on_demand()).count() >= most.max(1) {
            let unused_longest = self
                .by_id
                .iter()
                .filter(|(_, slot)| slot.on_demand())
                .min_by_key(|(_, slot)| slot.current.handle.last_used())
                .map(|(id, _)| id.clone());
            let Some(slot) = unused_longest.and_then(|id| self.by_id.remove(&id)) else { break };
            dropped.push(slot);
        }
        dropped
    }
}

impl Slot {
    fn on_demand(&self) -> bool {
        self.reason == Reason::Asked
    }

    fn newest(&self) -> &Run {
        self.next.as_ref().unwrap_or(&self.current)
    }

    fn newest_mut(&mut self) -> &mut Run {
        self.next.as_mut().unwrap_or(&mut self.current)
    }
}
