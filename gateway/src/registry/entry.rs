//! One cluster: its link and what it last reported. A plain value; the registry locks it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use kubeplex_link::activity::Activity;
use kubeplex_link::liveness::Liveness;
use kubeplex_proto::control::{ClusterReport, KindReport, Report};
use kubeplex_proto::ids::{ClusterId, Epoch, InstanceId};
use kubeplex_proto::kind::{GroupResource, KindTable};
use kubeplex_proto::status::LegStatus;
use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{LinkId, Unreachable};
use crate::carrier::Carrier;
use crate::clock::{millis, now_ms};
use crate::fleet::{ClusterView, LinkState};

/// A view is used again for so long, if nothing but its ages changed: a busy gateway takes thousands a second, and a view
/// copies what is known of every kind. Ages are shown in seconds.
const VIEW_LIFE: Duration = Duration::from_millis(200);

/// What is known of one cluster.
pub(super) struct Entry {
    labels: BTreeMap<String, String>,
    link: Option<Link>,
    state: LinkState,
    since: Instant,
    /// The same moment, in milliseconds since 1970.
    changed_ms: i64,
    /// When the last link that ended was last heard.
    heard_before: Option<Instant>,
    agent_version: String,
    report: ClusterReport,
    kinds: Option<Arc<KindTable>>,
    caches: HashMap<GroupResource, TimedReport>,
    view: Mutex<Option<(Instant, Arc<ClusterView>)>>,
}

/// The link that serves a cluster.
pub(super) struct Link {
    pub(super) id: LinkId,
    pub(super) instance: InstanceId,
    pub(super) epoch: Epoch,
    pub(super) carrier: Carrier,
    pub(super) activity: Activity,
    pub(super) reports: Reports,
    pub(super) replaced: CancellationToken,
}

/// Whether what the entry holds is this link's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reports {
    /// Still an earlier link's: the first report, which is complete, replaces it.
    Inherited,
    Own,
}

struct TimedReport {
    report: KindReport,
    received: Instant,
}

impl Default for Entry {
    fn default() -> Self {
        Self {
            labels: BTreeMap::new(),
            link: None,
            state: LinkState::Never,
            since: Instant::now(),
            changed_ms: now_ms(),
            heard_before: None,
            agent_version: String::new(),
            report: ClusterReport::default(),
            kinds: None,
            caches: HashMap::new(),
            view: Mutex::new(None),
        }
    }
}

impl Entry {
    pub(super) fn label(&mut self, labels: BTreeMap<String, String>) {
        self.labels = labels;
        self.outdate();
    }

    pub(super) fn link(&self) -> Option<&Link> {
        self.link.as_ref()
    }

    /// The carrier of the link, whichever its liveness.
    pub(super) fn carrier(&self, id: &ClusterId) -> Result<Carrier, Unreachable> {
        self.link.as_ref().map(|link| link.carrier.clone()).ok_or_else(|| self.unreachable(id))
    }

    /// Puts a link into its place; the one before is told that it was replaced.
    pub(super) fn attach(&mut self, link: Link, agent_version: String) {
        self.agent_version = agent_version;
        if let Some(before) = self.link.replace(link) {
            self.heard_before = Some(before.activity.heard_at());
            before.replaced.cancel();
        }
        self.enter(LinkState::Connected);
    }

    /// Removes a link, if it is still in its place.
    pub(super) fn detach(&mut self, id: LinkId) -> bool {
        let Some(link) = self.link.take_if(|link| link.id == id) else { return false };
        self.heard_before = Some(link.activity.heard_at());
        self.enter(LinkState::Lost);
        true
    }

    /// Takes over what the silence of the link means. A lost link is detached by its driver.
    pub(super) fn judge(&mut self, id: LinkId, liveness: Liveness) -> bool {
        let state = match liveness {
            Liveness::Alive => LinkState::Connected,
            Liveness::Suspect => LinkState::Suspect,
            Liveness::Lost => return self.detach(id),
        };
        let changes = self.link.as_ref().is_some_and(|link| link.id == id) && self.state != state;
        if changes {
            self.enter(state);
        }
        changes
    }

    /// Takes over a report of the link `id`. `discovery` is the report's, shared.
    pub(super) fn report(&mut self, id: LinkId, report: Report, discovery: Option<Arc<KindTable>>) -> bool {
        let Some(link) = self.link.as_mut().filter(|link| link.id == id) else { return false };
        if link.reports == Reports::Inherited {
            link.reports = Reports::Own;
            self.caches.clear();
        }
        let received = Instant::now();
        for kind in report.dropped {
            self.caches.remove(&kind);
        }
        for report in report.kinds {
            self.caches.insert(report.kind.clone(), TimedReport { report, received });
        }
        self.kinds = discovery.or_else(|| self.kinds.take());
        if let Some(cluster) = report.cluster {
            self.report = cluster;
        }
        self.outdate();
        true
    }

    /// Why no agent can be started for the cluster; the first report of one that could replaces it.
    pub(super) fn problem(&mut self, problem: String) {
        self.report.api_problem = problem;
        self.outdate();
    }

    /// The cluster as it is now, its ages right to within 200 ms.
    pub(super) fn view(&self, id: &ClusterId) -> Arc<ClusterView> {
        let mut kept = self.view.lock();
        if let Some((taken, view)) = &*kept
            && taken.elapsed() < VIEW_LIFE
        {
            return Arc::clone(view);
        }
        let view = Arc::new(self.compose(id));
        *kept = Some((Instant::now(), Arc::clone(&view)));
        view
    }

    fn compose(&self, id: &ClusterId) -> ClusterView {
        let heard = self.link.as_ref().map(|link| link.activity.heard_at()).or(self.heard_before);
        let caches = self.caches.iter().map(|(kind, timed)| (kind.clone(), timed.aged()));
        ClusterView {
            id: id.clone(),
            labels: self.labels.clone(),
            link: self.state,
            link_since_ms: millis(self.since.elapsed()),
            link_changed_ms: self.changed_ms,
            heard_ms_ago: heard.map(|heard| millis(heard.elapsed())),
            agent_version: self.agent_version.clone(),
            report: self.report.clone(),
            kinds: self.kinds.clone(),
            caches: caches.collect(),
        }
    }

    fn unreachable(&self, id: &ClusterId) -> Unreachable {
        let since = self.since.elapsed();
        let message = if self.state == LinkState::Never && !self.report.api_problem.is_empty() {
            format!("no agent could be started for {id}: {}", self.report.api_problem)
        } else if self.state == LinkState::Never {
            format!("the agent of {id} has not connected since this gateway expects it, {}", in_words(since))
        } else {
            format!("no link to the agent of {id} for {}", in_words(since))
        };
        Unreachable { status: LegStatus::Disconnected, since_ms: millis(since), message }
    }

    fn enter(&mut self, state: LinkState) {
        // A suspect link that is heard again has not been connected anew.
        self.state = state;
        self.since = Instant::now();
        self.changed_ms = now_ms();
        self.outdate();
    }

    fn outdate(&mut self) {
        *self.view.get_mut() = None;
    }
}

impl TimedReport {
    fn aged(&self) -> KindReport {
        let mut report = self.report.clone();
        report.age_ms = report.age_ms.map(|age_ms| age_ms.saturating_add(millis(self.received.elapsed())));
        report
    }
}

/// `40 s`, `4 min`, `3 h`, `2 d`.
fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}
