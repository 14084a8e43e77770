//! One cluster: its link and what it last reported. A plain value; the registry locks it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kubeplex_link::activity::Activity;
use kubeplex_link::liveness::Liveness;
use kubeplex_proto::control::{ClusterReport, Report};
use kubeplex_proto::ids::{ClusterId, Epoch, InstanceId};
use kubeplex_proto::kind::KindTable;
use kubeplex_proto::status::LegStatus;
use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{LinkId, Unreachable};
use crate::carrier::Carrier;
use crate::clock::{millis, now_ms};
use crate::fleet::{Caches, ClusterView, LinkState, Nodes, Trouble};

/// A view is used again for so long, if nothing but its ages changed: a busy gateway takes thousands a second. Ages are
/// shown in seconds.
const VIEW_LIFE: Duration = Duration::from_millis(200);

/// What is known of one cluster.
pub(super) struct Entry {
    /// What the times of `caches` are counted from, and the same moment in milliseconds since 1970.
    born: Instant,
    born_ms: u64,
    labels: Arc<BTreeMap<String, String>>,
    link: Option<Link>,
    state: LinkState,
    since: Instant,
    /// The same moment, in milliseconds since 1970.
    changed_ms: i64,
    /// When the last link that ended was last heard.
    heard_before: Option<Instant>,
    agent_version: Arc<str>,
    report: Arc<ClusterReport>,
    kinds: Option<Arc<KindTable>>,
    caches: Caches,
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

impl Default for Entry {
    fn default() -> Self {
        Self {
            born: Instant::now(),
            born_ms: u64::try_from(now_ms()).unwrap_or_default(),
            labels: Arc::default(),
            link: None,
            state: LinkState::Never,
            since: Instant::now(),
            changed_ms: now_ms(),
            heard_before: None,
            agent_version: Arc::default(),
            report: Arc::default(),
            kinds: None,
            caches: Caches::default(),
            view: Mutex::new(None),
        }
    }
}

impl Entry {
    pub(super) fn label(&mut self, labels: BTreeMap<String, String>) {
        self.labels = Arc::new(labels);
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
        self.agent_version = agent_version.into();
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
        // First, so that the table of reports is nobody else's and is not copied to be changed.
        self.outdate();
        self.caches = self.caches.at(self.time_ms());
        report.dropped.iter().for_each(|kind| self.caches.remove(kind));
        report.kinds.into_iter().for_each(|report| self.caches.insert(report));
        // An agent whose API server has not answered yet knows of no kind, and says so; what another agent knew stays.
        self.kinds = discovery.filter(|table| !table.kinds.is_empty()).or_else(|| self.kinds.take());
        if let Some(cluster) = report.cluster {
            self.report = Arc::new(cluster);
        }
        true
    }

    /// Why no agent can be started for the cluster; the first report of one that could replaces it.
    pub(super) fn problem(&mut self, problem: String) {
        Arc::make_mut(&mut self.report).api_problem = problem;
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
        ClusterView {
            id: id.clone(),
            labels: Arc::clone(&self.labels),
            link: self.state,
            link_since_ms: millis(self.since.elapsed()),
            link_changed_ms: self.changed_ms,
            heard_ms_ago: heard.map(|heard| millis(heard.elapsed())),
            agent_version: Arc::clone(&self.agent_version),
            report: Arc::clone(&self.report),
            nodes: Nodes::of(&self.report),
            kinds: self.kinds.clone(),
            caches: self.caches.at(self.time_ms()),
        }
    }

    /// Now, by the clock of `caches`.
    fn time_ms(&self) -> u64 {
        self.born_ms.saturating_add(millis(self.born.elapsed()))
    }

    fn unreachable(&self, id: &ClusterId) -> Unreachable {
        let since_ms = millis(self.since.elapsed());
        let trouble = Trouble::of_link(self.state, since_ms, &self.report.api_problem);
        let message = trouble.map_or_else(|| "no link".to_owned(), |trouble| trouble.message);
        Unreachable { cluster: id.clone(), status: LegStatus::Disconnected, since_ms, message }
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
