//! Follows the cluster: what it serves, which kinds are to be watched from the start, whose columns changed, who is idle.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use kubeplex_link::reason;
use kubeplex_proto::kind::{GroupResource, KindTable};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use super::blueprint::Blueprint;
use super::discovered::{DISCOVERY_TRUSTED_FOR, Discovered};
use super::slots::Reason;
use super::{Shared, announcements, builtin, cluster, columns};
use crate::discovery::Discovery;
use crate::watch::spread;

/// Changes of CRDs and APIServices come in bursts, and what they announce is served a moment later.
const AFTER_CHANGE: Duration = Duration::from_millis(500);

/// A second look, because discovery follows a new CRD with some delay.
const AFTER_CHANGE_AGAIN: Duration = Duration::from_secs(5);

/// While a group fails, and nothing tells when it no longer does.
const WHILE_GROUPS_FAIL: Duration = Duration::from_secs(60);

/// Between two glances at the revisions of CRDs and APIServices, and between two looks at discovery.
const GLANCE: Duration = Duration::from_millis(200);

const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_MOST: Duration = Duration::from_secs(30);

/// Runs until it is dropped. A bug in it must not leave the agent without it.
pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        let round = AssertUnwindSafe(follow_cluster(Arc::clone(&shared))).catch_unwind();
        if round.await.is_err() {
            tracing::error!("following what the cluster serves met a bug; it begins anew soon");
        }
        sleep(RETRY_MOST).await;
    }
}

async fn follow_cluster(shared: Arc<Shared>) {
    let mut upkeep = Upkeep {
        discovery: Discovery::default(),
        announcers: None,
        failures: 0,
        plan: Plan::default(),
        shared: Arc::clone(&shared),
    };
    upkeep.look(Occasion::Asked).await;
    let announced = Notify::new();
    let hearing = Box::pin(announcements::hear(&shared, &announced));
    tokio::join!(upkeep.follow(&announced), columns::settle(&shared), hearing);
}

struct Upkeep {
    shared: Arc<Shared>,
    discovery: Discovery,
    /// The state of the kinds that announce changes of discovery, when last seen.
    announcers: Option<Announcers>,
    failures: u32,
    plan: Plan,
}

/// When to look next; `again` follows `next`.
#[derive(Debug, Default)]
struct Plan {
    next: Option<Instant>,
    again: Option<Instant>,
}

/// Of CRDs and APIServices: which store, and its revision.
type Announcers = [Option<(usize, u64)>; 2];

impl Upkeep {
    /// `announced` tells of changes where what announces them is not watched.
    async fn follow(&mut self, announced: &Notify) {
        let mut changed = self.shared.changed.subscribe();
        let rediscover = Arc::clone(&self.shared.context.rediscover);
        loop {
            let look_at = self.plan.next;
            let idle_at = self.shared.drop_idle(Instant::now());
            tokio::select! {
                () = rediscover.notified() => self.look(Occasion::Asked).await,
                () = announced.notified() => self.plan_after_change(),
                () = at(look_at) => self.look(Occasion::Planned).await,
                () = at(idle_at) => continue,
                // The sender is in `shared`, so this can't fail.
                _ = changed.changed() => self.glance(),
            }
            sleep(GLANCE).await;
        }
    }

    /// Whether CRDs or APIServices have changed.
    fn glance(&mut self) {
        let now = [builtin::crds(), builtin::apiservices()].map(|id| self.announcer(&id));
        if self.announcers.replace(now).is_some_and(|before| before != now) {
            self.plan_after_change();
        }
    }

    fn plan_after_change(&mut self) {
        let now = Instant::now();
        self.plan = Plan { next: Some(now + AFTER_CHANGE), again: Some(now + AFTER_CHANGE_AGAIN) };
    }

    fn announcer(&self, id: &GroupResource) -> Option<(usize, u64)> {
        let handle = self.shared.handle(id)?;
        let revision = handle.store.read().revision();
        Some((Arc::as_ptr(&handle).addr(), revision))
    }

    /// Asks the cluster what it serves, and acts on it.
    async fn look(&mut self, occasion: Occasion) {
        let asked_at = Some(Instant::now());
        let outcome = self.discovery.refresh(&self.shared.api).await;
        let before = self.shared.discovered.borrow().clone();
        let looks = before.looks + 1;
        match outcome {
            Ok(table) => {
                self.failures = 0;
                self.plan_after(&table);
                let changed = *before.table != table;
                let table = if changed { Arc::new(table) } else { before.table };
                let at = Some(Instant::now());
                let latest = Discovered { table, looks, asked_at, at, failure: None, adapted: false };
                self.shared.discovered.send_replace(latest);
                self.adapt().await;
                let announced = changed || occasion == Occasion::Planned;
                // A watch that is not found although discovery names its kind asks for a look itself, again and again.
                let absent_for = if announced { Duration::ZERO } else { DISCOVERY_TRUSTED_FOR };
                self.shared.retry_absent(absent_for);
                self.shared.discovered.send_modify(|latest| latest.adapted = true);
                cluster::refresh_version(&self.shared).await;
                if changed {
                    self.shared.tick();
                }
            }
            Err(error) => {
                let failure = reason(&error);
                // What keeps the agent from its server was told when that became known.
                if before.failure.as_ref() != Some(&failure) && self.shared.api.problem().is_empty() {
                    tracing::warn!("the cluster can't be discovered: {failure}");
                }
                self.plan_retry();
                self.shared.discovered.send_replace(Discovered { looks, failure: Some(failure), ..before });
                self.shared.tick();
            }
        }
    }

    fn plan_after(&mut self, table: &KindTable) {
        let while_failing = (!table.failed_groups.is_empty()).then(|| Instant::now() + WHILE_GROUPS_FAIL);
        self.plan = Plan { next: self.plan.again.take().or(while_failing), again: None };
    }

    fn plan_retry(&mut self) {
        let pause = RETRY_FIRST.saturating_mul(1 << self.failures.min(10)).min(RETRY_MOST);
        self.failures += 1;
        self.plan.next = Some(Instant::now() + spread(pause));
    }

    /// Watches what is watched from the start and has appeared, and lists again what is served otherwise than before.
    async fn adapt(&self) {
        let shared = &self.shared;
        let table = Arc::clone(&shared.discovered.borrow().table);
        for id in builtin::from_start(shared.config.watch()) {
            let Some(info) = table.get(&id).filter(|_| !shared.config.deny().kind(&id)) else { continue };
            if let Some(blueprint) = Blueprint::from_cache(shared, info) {
                shared.start(blueprint, Reason::FromStart);
            }
        }
        for known in shared.blueprints() {
            let Some(info) = table.get(&known.info.id) else { continue };
            let wanted = match Blueprint::from_cache(shared, info) {
                Some(blueprint) => blueprint,
                // Columns are those of a version, and nobody tells when they change within one.
                None if info.version == known.info.version => {
                    Blueprint { info: info.clone(), columns: known.columns.clone() }
                }
                None => Blueprint::of(shared, info).await,
            };
            shared.reshape(&known, wanted);
        }
    }
}

/// Why there is a look at discovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occasion {
    /// Somebody misses a kind.
    Asked,
    /// Something was announced, or a failure is to be tried again.
    Planned,
}

/// Never, where there is no time.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
