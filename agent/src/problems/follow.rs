//! Keeps the verdicts of one cluster true as it changes: a task that is told what changed, and judges off the way of those
//! who write stores.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::problems::{Problem, ProblemCounts, ProblemSeverity};
use kubeplex_proto::visibility::Visibility;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::analysers::{self, Judges};
use super::cluster::{Belief, Cluster};
use super::engine::{Engine, Room};
use super::fold::{FoundOf, Wanted, problems};
use super::inbox::Inbox;
use super::judge::judge;
use super::sight::Sight;
use crate::cache;
use crate::clock::ClusterClock;
use crate::config::{AgentConfig, WatchMode};
use crate::kinds::{KindHandle, Kinds, Opened};
use crate::limits::{PROBLEM_BATCH, PROBLEM_LOOKS, PROBLEM_OBJECTS};
use crate::workers::Workers;

/// Changes come in bursts; what they come to is judged once.
const PAUSE: Duration = Duration::from_millis(100);

/// No alarm is waited for longer: the cluster's clock may be set meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Whatever one look found to be missing, the next one has; what that misses, too, the answer says.
const LOOKS: usize = 2;

/// What is wrong in one cluster. Clones share everything.
#[derive(Clone)]
pub(crate) struct Problems(Arc<Shared>);

struct Shared {
    kinds: Kinds,
    clock: ClusterClock,
    workers: Workers,
    inbox: Arc<Inbox>,
    engine: Mutex<Engine>,
    watch: WatchMode,
    /// How long nobody must have asked for nothing to be followed, where kinds are watched on demand.
    idle_after: Duration,
    asked: watch::Sender<Asked>,
    /// The last round that is over, by the number of the ask that it was begun after.
    done: watch::Sender<u64>,
    /// Kinds that analysers looked for and that nobody watches.
    missed: Mutex<BTreeSet<GroupResource>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Asked {
    count: u64,
    at: Option<Instant>,
}

/// What readers had when the verdicts were last made: which store, and how far it is believed.
type Known = BTreeMap<GroupResource, (usize, Belief)>;

/// What is known at the moment.
pub(crate) struct Looked {
    pub(super) found: Vec<FoundOf>,
    /// Objects for which there was no room.
    pub(crate) left_out: usize,
    /// The kinds that verdicts hang on, as far as the cluster serves them.
    pub(crate) kinds: Vec<(GroupResource, Opened)>,
}

impl Problems {
    /// Follows what `inbox` tells of `kinds`. Runs on `tracker` until `cancel`.
    pub(crate) fn start(
        (watch, idle_after): (WatchMode, Duration),
        (kinds, inbox): (Kinds, Arc<Inbox>),
        clock: ClusterClock,
        workers: Workers,
        tracker: &TaskTracker,
        cancel: CancellationToken,
        span: tracing::Span,
    ) -> Self {
        let room = Room { objects: PROBLEM_OBJECTS, looks: PROBLEM_LOOKS };
        let shared = Arc::new(Shared {
            kinds,
            clock,
            workers,
            inbox,
            engine: Mutex::new(Engine::new(room)),
            watch,
            idle_after,
            asked: watch::Sender::default(),
            done: watch::Sender::default(),
            missed: Mutex::default(),
        });
        let following = Box::pin(follow(Arc::clone(&shared)));
        tracker.spawn(async move { cancel.run_until_cancelled(following).await }.instrument(span));
        Self(shared)
    }

    /// How kinds are watched, and for how long without use.
    pub(crate) fn settings(config: &AgentConfig) -> (WatchMode, Duration) {
        (config.watch(), config.limits().on_demand_idle)
    }

    /// What is wrong now, as far as it can be known until then: kinds that nobody watches yet are opened and waited for. Of those
    /// that are not watched from the start, cert-manager's among them, nothing is known before somebody asks.
    /// A kind that is asked `about` is one of those that are opened.
    pub(crate) async fn look(&self, until: Instant, about: Option<&GroupResource>) -> Looked {
        let shared = &self.0;
        shared.asked.send_modify(|asked| asked.at = Some(Instant::now()));
        let mut kinds = Vec::new();
        for _ in 0..LOOKS {
            kinds = shared.open(until, about).await;
            let handles = kinds.iter().filter_map(|(_, opened)| match opened {
                Opened::Handle(handle) => Some(handle.synced(until)),
                _ => None,
            });
            join_all(handles).await;
            shared.settled(until).await;
            if shared.missed.lock().iter().all(|missed| kinds.iter().any(|(kind, _)| kind == missed)) {
                break;
            }
        }
        let engine = shared.engine.lock();
        Looked { found: engine.found(), left_out: engine.left_out(), kinds }
    }

    /// Takes some milliseconds for thousands of objects: call it off the async threads.
    pub(crate) fn fold(looked: &Looked, wanted: &Wanted<'_>) -> Vec<Problem> {
        problems(&looked.found, wanted)
    }
}

impl Shared {
    /// Whether verdicts are made at all.
    fn is_active(&self) -> bool {
        let recently = |at: Instant| at.elapsed() < self.idle_after;
        self.watch == WatchMode::Builtin || self.asked.borrow().at.is_some_and(recently)
    }

    /// Definitions are megabytes of schemas: where kinds are watched on demand, they are not.
    fn wanted(&self) -> BTreeSet<GroupResource> {
        let crds = GroupResource::new("apiextensions.k8s.io", "customresourcedefinitions");
        let is_light = |kind: &GroupResource| self.watch == WatchMode::Builtin || *kind != crds;
        kinds().chain(self.missed.lock().iter().cloned()).filter(is_light).collect()
    }

    /// The kinds that verdicts hang on. One that the cluster does not serve is left out.
    async fn open(&self, until: Instant, about: Option<&GroupResource>) -> Vec<(GroupResource, Opened)> {
        let failed = || Opened::Failed("the agent is still finding out what the cluster serves".to_owned());
        let open = async |kind: GroupResource| {
            let opened = timeout_at(until, self.kinds.open(&kind, None)).await;
            (kind, opened.unwrap_or_else(|_| failed()))
        };
        // Which kinds there are is known when one of them is open.
        let pods = open(GroupResource::new("", "pods")).await;
        let discovery = self.kinds.discovery();
        let served = |kind: &GroupResource| *kind != pods.0 && discovery.get(kind).is_some();
        let wanted: BTreeSet<_> = self.wanted().into_iter().chain(about.cloned()).collect();
        let others: Vec<_> = wanted.into_iter().filter(served).collect();
        let mut opened = join_all(others.into_iter().map(open)).await;
        opened.insert(0, pods);
        opened
    }

    /// Waits until what is known by now is judged.
    async fn settled(&self, until: Instant) {
        let mut done = self.done.subscribe();
        let mut count = 0;
        self.asked.send_modify(|asked| {
            asked.count += 1;
            count = asked.count;
        });
        // The sender lives as long as self.
        let _ = timeout_at(until, done.wait_for(|done| *done >= count)).await;
    }

    fn next_alarm(&self) -> Duration {
        let Some(at_ms) = self.engine.lock().next_alarm_ms() else { return LONGEST_SLEEP };
        let left_ms = at_ms.saturating_sub(self.clock.cluster_now_ms());
        Duration::from_millis(u64::try_from(left_ms).unwrap_or_default()).min(LONGEST_SLEEP)
    }

    /// Notes which kinds are other than they were known to be.
    fn glance(&self, known: &mut Known) -> Vec<Arc<KindHandle>> {
        let handles = self.kinds.all_watched();
        let now: Known = handles
            .iter()
            .map(|handle| (handle.info.id.clone(), (Arc::as_ptr(handle).addr(), Belief::of(handle))))
            .collect();
        if *known != now {
            let mut engine = self.engine.lock();
            let of_either = known.keys().chain(now.keys());
            let changed = of_either.filter(|kind| known.get(*kind) != now.get(*kind));
            for kind in changed.collect::<BTreeSet<_>>() {
                engine.anew(kind, judges(kind, now.contains_key(kind)).is_some());
            }
            *known = now;
        }
        handles
    }

    fn cluster(&self, handles: &[Arc<KindHandle>]) -> Cluster {
        let handles = handles.iter().map(|handle| (handle.info.id.clone(), Arc::clone(handle)));
        Cluster::new(handles.collect(), self.kinds.discovery(), self.clock.cluster_now_ms())
    }

    /// Judges what is due, until nothing is that was when it began.
    async fn round(self: &Arc<Self>, known: &mut Known) {
        let handles = self.glance(known);
        if self.inbox.is_empty() && self.engine.lock().is_idle(self.clock.cluster_now_ms()) {
            return;
        }
        let (mut first, mut judged) = (true, 0);
        loop {
            let (shared, handles, takes) = (Arc::clone(self), handles.clone(), std::mem::take(&mut first));
            let work = self.workers.run(move || {
                let cluster = shared.cluster(&handles);
                if takes {
                    shared.note_changes(&cluster);
                }
                let judges = |kind: &GroupResource| judges(kind, cluster.watches(kind));
                let taken = step(&shared.engine, &cluster, PROBLEM_BATCH, &judges);
                shared.missed.lock().extend(cluster.into_missed());
                taken
            });
            // What panics inside an analyser is caught there.
            let taken = work.await.unwrap_or_default();
            judged += taken;
            if taken < PROBLEM_BATCH {
                break;
            }
        }
        match judged {
            0 => return,
            // What it took to read very many is not needed for the few that change from now on.
            PROBLEM_BATCH.. => cache::rest(),
            _ => {}
        }
        let shared = Arc::clone(self);
        let watched: Vec<GroupResource> = handles.iter().map(|handle| handle.info.id.clone()).collect();
        let counted = self.workers.run(move || {
            let mut engine = shared.engine.lock();
            engine.retry_left_out(
                kinds().chain(watched.into_iter().filter(|kind| judges(kind, true).is_some())),
            );
            let found = engine.found();
            drop(engine);
            counts(&found, shared.clock.cluster_now_ms())
        });
        if let Ok(counts) = counted.await {
            self.kinds.note_problems(Some(counts));
        }
    }

    fn note_changes(&self, cluster: &Cluster) {
        let changes = self.inbox.take();
        let mut engine = self.engine.lock();
        for kind in &changes.kinds {
            engine.anew(kind, judges(kind, cluster.watches(kind)).is_some());
        }
        for object in changes.into_objects() {
            let is_judged = judges(&object.kind, cluster.watches(&object.kind)).is_some();
            engine.changed(object, is_judged, cluster);
        }
    }

    fn forget(&self, known: &mut Known) {
        self.inbox.open(false);
        self.engine.lock().clear();
        self.missed.lock().clear();
        known.clear();
        self.kinds.note_problems(None);
    }
}

/// Judges up to so many objects that are due, and says how many there were: as many as that, and there may be more.
pub(super) fn step(
    engine: &Mutex<Engine>,
    sight: &dyn Sight,
    most: usize,
    judges: &dyn Fn(&GroupResource) -> Option<&'static Judges>,
) -> usize {
    let taken = engine.lock().take(most, sight);
    for object in &taken {
        // A bug in an analyser costs the verdicts on objects that it meets it at.
        let judged = catch_unwind(AssertUnwindSafe(|| judge(judges(&object.kind)?, object, sight)));
        let judged = judged.unwrap_or_else(|_| {
            tracing::error!(kind = %object.kind, namespace = object.namespace, name = object.name, "an analyser of problems met a bug: the object is not judged");
            None
        });
        engine.lock().put(Arc::clone(object), judged, sight.now_ms());
    }
    taken.len()
}

async fn follow(shared: Arc<Shared>) {
    let mut known = Known::new();
    let mut changed = shared.kinds.changed();
    let mut asked = shared.asked.subscribe();
    loop {
        let goal = asked.borrow_and_update().count;
        if shared.is_active() {
            shared.inbox.open(true);
            shared.round(&mut known).await;
        } else {
            shared.forget(&mut known);
        }
        shared.done.send_replace(goal);
        if shared.is_active() {
            // Who asks does not wait for the pause.
            tokio::select! {
                () = sleep(PAUSE) => {}
                _ = asked.changed() => continue,
            }
            tokio::select! {
                () = shared.inbox.told() => {}
                // Both senders live as long as `shared`.
                _ = changed.changed() => {}
                _ = asked.changed() => {}
                () = sleep(shared.next_alarm()) => {}
            }
        } else {
            let _ = asked.changed().await;
        }
    }
}

/// What judges a kind: analysers of its own or, while it is watched, those of any kind.
fn judges(kind: &GroupResource, is_watched: bool) -> Option<&'static Judges> {
    let is_kind = |group: &str, resource: &str| group == kind.group && resource == kind.resource;
    let own = analysers::ALL.iter().find(|judges| is_kind(judges.group, judges.resource));
    let is_judged =
        is_watched && !analysers::UNJUDGED.iter().any(|(group, resource)| is_kind(group, resource));
    own.or_else(|| is_judged.then_some(&analysers::OTHERS))
}

fn kinds() -> impl Iterator<Item = GroupResource> {
    analysers::ALL.iter().map(|judges| GroupResource::new(judges.group, judges.resource))
}

/// Of all that there is, whoever may see it.
fn counts(found: &[FoundOf], now_ms: i64) -> ProblemCounts {
    let visibility = Visibility::everything();
    let mut counts = ProblemCounts::default();
    let wanted = Wanted { visibility: &visibility, request: None, beside: &BTreeSet::new(), now_ms };
    for problem in problems(found, &wanted) {
        match problem.severity {
            ProblemSeverity::Critical => counts.critical += 1,
            ProblemSeverity::Warning => counts.warning += 1,
            ProblemSeverity::Info => counts.info += 1,
        }
    }
    counts
}
