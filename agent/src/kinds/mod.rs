//! Which kinds of the cluster are watched, and for how long.
//!
//! Some are watched from the start, the others from their first use until nobody uses them any more. [`open`](Kinds::open)
//! is the way to a kind; [`upkeep`] follows the cluster: what it serves, which columns its CRDs declare.

mod announcements;
mod blueprint;
mod builtin;
mod cluster;
mod columns;
mod discovered;
mod slots;
mod upkeep;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use kubeplex_proto::control::{ClusterReport, KindReport};
use kubeplex_proto::kind::{GroupResource, KindInfo, KindTable};
use kubeplex_proto::problems::ProblemCounts;
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span};

use self::blueprint::Blueprint;
use self::cluster::ClusterFacts;
use self::discovered::{DISCOVERY_TRUSTED_FOR, Discovered};
use self::slots::Slots;
use crate::api::Api;
use crate::cache::{KindShape, MemoryReport, is_secrets};
use crate::config::{AgentConfig, SecretsWatch, WatchMode};
use crate::redact::DigestKey;
pub use crate::watch::{KindHandle, KindStatus, Seen};
use crate::watch::{OwnRights, WatchContext, Witnesses};
use crate::workers::Workers;

/// All kinds of one cluster. Clones share everything.
#[derive(Clone)]
pub struct Kinds {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    config: AgentConfig,
    api: Api,
    digest_key: DigestKey,
    context: WatchContext,
    tracker: TaskTracker,
    cancel: CancellationToken,
    /// Says in logs which cluster this is.
    span: Span,
    slots: Mutex<Slots>,
    discovered: watch::Sender<Discovered>,
    facts: Mutex<ClusterFacts>,
    changed: watch::Sender<u64>,
    /// Told when a kind is watched without its columns.
    columns_unknown: Notify,
}

/// What is known of a kind that is to be read live.
#[derive(Clone)]
pub enum Known {
    /// The cluster has it. Its shape is that of the watched kind, or would be: nothing where only the server knows it.
    Kind(Box<KindInfo>, Option<Box<KindShape>>),
    Absent,
    Denied(String),
    Failed(String),
}

/// What became of a request for a kind.
#[derive(Clone)]
pub enum Opened {
    /// It is watched, though perhaps not yet synced.
    Handle(Arc<KindHandle>),
    /// The cluster has no such kind, or does not serve it in the version asked for.
    Absent,
    /// The cluster has the kind, but it can't be watched: it can only be read live.
    Unwatchable(KindInfo),
    /// The agent's configuration keeps this kind out, in a sentence.
    Denied(String),
    /// The cluster can't say now whether it has the kind, for this reason.
    Failed(String),
}

impl Kinds {
    /// Begins to watch what is watched from the start; `witnesses` are told what becomes of its objects. Everything runs on
    /// `tracker` and ends with `cancel`.
    pub(crate) fn start(
        config: AgentConfig,
        api: Api,
        tracker: &TaskTracker,
        workers: Workers,
        witnesses: Witnesses,
        cancel: CancellationToken,
        span: Span,
    ) -> Self {
        let context = WatchContext {
            api: api.clone(),
            deny: Arc::new(config.deny().clone()),
            namespaces: Arc::new(config.namespaces().clone()),
            secret_data: config.secrets().data(),
            timings: *config.timings(),
            rights: Arc::new(OwnRights::new(api.clone(), config.timings().open)),
            workers,
            lists: Arc::new(Semaphore::new(config.limits().lists_at_once.max(1))),
            streaming: Arc::new(AtomicBool::new(true)),
            scout: Arc::new(Semaphore::new(1)),
            witnesses,
            rediscover: Arc::new(Notify::new()),
        };
        let shared = Arc::new(Shared {
            config,
            api,
            digest_key: DigestKey::new(rand::random()),
            context,
            tracker: tracker.clone(),
            cancel: cancel.clone(),
            span: span.clone(),
            slots: Mutex::default(),
            discovered: watch::Sender::default(),
            facts: Mutex::default(),
            changed: watch::Sender::default(),
            columns_unknown: Notify::new(),
        });
        let (upkeep, problems) =
            (upkeep::run(Arc::clone(&shared)), cluster::tell_problems(Arc::clone(&shared)));
        let following = Box::pin(async move { tokio::join!(upkeep, problems) });
        tracker.spawn(async move { cancel.run_until_cancelled(following).await }.instrument(span));
        Self { shared }
    }

    /// What the cluster serves, as last discovered; empty before that.
    pub fn discovery(&self) -> Arc<KindTable> {
        Arc::clone(&self.shared.discovered.borrow().table)
    }

    /// The same, once the cluster has said so for the first time. Give it a deadline by dropping it.
    pub(crate) async fn discovered(&self) -> Arc<KindTable> {
        let mut discovered = self.shared.discovered.subscribe();
        // The sender lives as long as self.
        let _ = discovered.wait_for(|known| known.at.is_some()).await;
        self.discovery()
    }

    /// Finds a kind, and starts to watch it where nobody does. Where nothing was discovered yet it waits for that, so give
    /// it a deadline by dropping it.
    pub async fn open(&self, id: &GroupResource, version: Option<&str>) -> Opened {
        let id = &builtin::canonical(id);
        if let Some(reason) = self.shared.denial(id) {
            return Opened::Denied(reason);
        }
        if let Some(handle) = self.shared.handle(id) {
            handle.touch_use();
            let handle = self.shared.tried_again(handle).await;
            return if serves(&handle.info, version) { Opened::Handle(handle) } else { Opened::Absent };
        }
        let info = match self.shared.find(id).await {
            Ok(Some(info)) if serves(&info, version) => info,
            Ok(_) => return Opened::Absent,
            Err(reason) => return Opened::Failed(reason),
        };
        if !(info.has_verb("list") && info.has_verb("watch")) {
            return Opened::Unwatchable(info);
        }
        let blueprint = Blueprint::of(&self.shared, &info).await;
        Opened::Handle(self.shared.start(blueprint, slots::Reason::Asked))
    }

    /// What became of a kind whose path the server does not know: that says that it does not serve this version, and not yet
    /// that it serves none. Waits as [`open`](Self::open) does.
    pub(crate) async fn reopened(&self, handle: &Arc<KindHandle>, version: Option<&str>) -> Opened {
        let id = &handle.info.id;
        match self.shared.find_after(id, handle.absent_since()).await {
            Ok(Some(info)) if serves(&info, version) => match self.shared.newest_handle(id) {
                Some(newer) if !Arc::ptr_eq(&newer, handle) => Opened::Handle(newer),
                _ => Opened::Failed(named_in_vain(id)),
            },
            Ok(_) => Opened::Absent,
            Err(reason) => Opened::Failed(reason),
        }
    }

    /// What there is to know of a kind before it is read live. Watches nothing; waits as [`open`](Self::open) does.
    pub async fn known(&self, id: &GroupResource, version: Option<&str>) -> Known {
        let id = &builtin::canonical(id);
        if let Some(reason) = self.shared.denial(id) {
            return Known::Denied(reason);
        }
        self.described(id, version, self.shared.find(id).await).await
    }

    /// The same, by what the cluster said after `moment`.
    pub(crate) async fn known_after(
        &self,
        id: &GroupResource,
        version: Option<&str>,
        moment: Instant,
    ) -> Known {
        let id = &builtin::canonical(id);
        self.described(id, version, self.shared.find_after(id, moment).await).await
    }

    async fn described(
        &self,
        id: &GroupResource,
        version: Option<&str>,
        found: Result<Option<KindInfo>, String>,
    ) -> Known {
        let info = match found {
            Ok(Some(info)) if serves(&info, version) => info,
            Ok(_) => return Known::Absent,
            Err(reason) => return Known::Failed(reason),
        };
        let shape = match self.shared.handle(id).filter(|handle| handle.info == info) {
            Some(handle) => Some(handle.store_shape().clone()),
            None if !info.has_verb("watch") => None,
            None => {
                let blueprint = Blueprint::of(&self.shared, &info).await;
                blueprint.tells_columns().then(|| blueprint.shape(&self.shared))
            }
        };
        Known::Kind(Box::new(info), shape.map(Box::new))
    }

    /// A kind that is watched already; nobody begins to watch it for this.
    pub(crate) fn watched(&self, id: &GroupResource) -> Option<Arc<KindHandle>> {
        self.shared.handle(id)
    }

    /// All of them, by name.
    pub(crate) fn all_watched(&self) -> Vec<Arc<KindHandle>> {
        self.shared.handles()
    }

    /// Every watched kind, by name.
    pub fn snapshot(&self) -> Vec<KindReport> {
        // Reports look into the stores, so not under the lock of the slots.
        self.shared.handles().iter().map(|handle| handle.report()).collect()
    }

    /// How many problems there are, for the report; `None` where nobody looks for them.
    pub(crate) fn note_problems(&self, counts: Option<ProblemCounts>) {
        cluster::note_problems(&self.shared, counts);
    }

    /// What each watched kind's store costs.
    pub fn memory(&self) -> Vec<(GroupResource, MemoryReport)> {
        let of = |handle: &Arc<KindHandle>| (handle.info.id.clone(), handle.store.read().memory());
        self.shared.handles().iter().map(of).collect()
    }

    /// The cluster as a whole.
    pub fn cluster(&self) -> ClusterReport {
        cluster::report(&self.shared)
    }

    /// Ticks when anything in [`snapshot`](Self::snapshot), [`cluster`](Self::cluster) or [`discovery`](Self::discovery)
    /// may have changed. Nobody has to wait for every tick.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }
}

/// The kinds that ship with Kubernetes and are watched, whether from the start or once somebody asks.
pub(crate) fn of_kubernetes() -> Vec<GroupResource> {
    builtin::from_start(WatchMode::Builtin)
}

/// Why a kind is neither there nor absent: discovery may be about to change, or the server is at odds with itself.
pub(crate) fn named_in_vain(id: &GroupResource) -> String {
    format!("the API server names {id} among what it serves, and does not find it")
}

fn serves(info: &KindInfo, version: Option<&str>) -> bool {
    version.is_none_or(|version| info.versions.iter().any(|served| served == version))
}

impl Shared {
    fn tick(&self) {
        self.changed.send_modify(|ticks| *ticks += 1);
    }

    /// Why the agent's configuration keeps a kind out, where it does.
    fn denial(&self, id: &GroupResource) -> Option<String> {
        if self.config.deny().kind(id) {
            return Some(format!("the agent's configuration keeps {id} out of its reach"));
        }
        let never = is_secrets(id) && self.config.secrets() == SecretsWatch::Never;
        never.then(|| {
            "the agent's configuration keeps secrets out of its reach; watch = \"metadata\" under [secrets] lets it show \
             their names, labels and types"
                .to_owned()
        })
    }

    /// A kind that was absent may be back, and nothing may tell: then discovery is asked, and the kind tried where it is named.
    async fn tried_again(self: &Arc<Self>, handle: Arc<KindHandle>) -> Arc<KindHandle> {
        let known = self.discovered.borrow().clone();
        if !handle.is_absent_for(DISCOVERY_TRUSTED_FOR) || known.is_fresh() {
            return handle;
        }
        self.look_again(known.looks).await;
        self.retry_absent(DISCOVERY_TRUSTED_FOR);
        self.newest_handle(&handle.info.id).unwrap_or(handle)
    }
}

#[cfg(test)]
mod tests;
