//! One cluster: its link and what it last reported. A plain value; the registry locks it.

use std::collections::BTreeMap;
use std::sync::Arc;

use kubeplex_link::liveness::Liveness;
use kubeplex_proto::control::{Report, SyncState};
use kubeplex_proto::ids::{ClusterId, InstanceId};
use kubeplex_proto::kind::{GroupResource, KindTable};
use kubeplex_proto::status::LegStatus;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::known::Known;
use super::link::{Claim, Link, LinkId, Reports, Standing, Taken};
use super::snapshots::View;
use super::{Unreachable, Vouched};
use crate::clock::{Steady, millis, now_ms};
use crate::fleet::{self, ClusterView, LinkState, Nodes, SideBySide, Trouble};
use crate::limits::{REPORTED_MESSAGE, VOUCHES_FOR};

/// What is known of one cluster.
pub(super) struct Entry {
    labels: Arc<BTreeMap<String, String>>,
    aliases: Arc<[String]>,
    link: Option<Link>,
    standby: Option<Standby>,
    state: LinkState,
    since: Instant,
    /// The same moment, in milliseconds since 1970.
    changed_ms: i64,
    /// When the last link that ended was last heard.
    heard_before: Option<Instant>,
    agent_version: Arc<str>,
    /// Why the latest attempt at a link came to nothing; empty once there was one.
    no_link: Arc<str>,
    known: Known,
    view: Mutex<Option<View>>,
}

/// The link of another process, and what that has reported so far.
struct Standby {
    link: Link,
    known: Known,
    side_by_side: SideBySide,
}

impl Default for Entry {
    fn default() -> Self {
        Self {
            labels: Arc::default(),
            aliases: Arc::default(),
            link: None,
            standby: None,
            state: LinkState::Never,
            since: Instant::now(),
            changed_ms: now_ms(),
            heard_before: None,
            agent_version: Arc::default(),
            no_link: Arc::default(),
            known: Known::default(),
            view: Mutex::new(None),
        }
    }
}

impl Entry {
    pub(super) fn label(&mut self, labels: BTreeMap<String, String>) {
        self.labels = Arc::new(labels);
        self.outdate();
    }

    pub(super) fn name_also(&mut self, aliases: Vec<String>) {
        self.aliases = aliases.into();
        self.outdate();
    }

    /// The link that serves the cluster, whichever its liveness.
    pub(super) fn link(&self) -> Option<&Link> {
        self.link.as_ref()
    }

    /// What the link that serves said of a kind, if it would have said more by now had there been more to say.
    pub(super) fn vouched(&self, kind: &GroupResource) -> Option<Vouched> {
        let link = self.link.as_ref().filter(|link| link.reports == Reports::Own)?;
        // Other bytes are no sign: a control stream may stall while answers flow.
        let until = link.told_at + VOUCHES_FOR;
        let is_heard = self.state == LinkState::Connected && Instant::now() < until;
        let caches = &self.known.caches;
        let report = caches.get(kind).filter(|report| is_heard && report.state == SyncState::Synced)?;
        let (revision, as_of) = (report.revision, caches.proof(kind)?);
        let labels = Arc::clone(&self.labels);
        report.message.is_none().then_some(Vouched { link: link.id, revision, as_of, until, labels })
    }

    /// Gives `link` the place that it asks for.
    pub(super) fn attach(&mut self, link: Link, claim: Claim) -> Result<(), Taken> {
        let Some(serving) = &self.link else {
            self.serve(link, Standing::Replaced);
            return Ok(());
        };
        if serving.instance == link.instance {
            if serving.epoch >= link.epoch {
                return Err(Taken::Newer);
            }
            self.serve(link, Standing::Replaced);
            return Ok(());
        }
        match claim {
            Claim::Over(dead) if dead == serving.id => {
                self.serve(link, Standing::Displaced);
                Ok(())
            }
            Claim::Vacant | Claim::Over(_) => {
                Err(Taken::Other { link: serving.id, carrier: serving.carrier.clone() })
            }
            Claim::Beside => self.stand_by(link),
        }
    }

    fn stand_by(&mut self, link: Link) -> Result<(), Taken> {
        let mut side_by_side = SideBySide::Handover;
        if let Some(before) = &self.standby {
            if before.link.instance != link.instance {
                let serving =
                    self.link.as_ref().map_or_else(|| link.instance.clone(), |link| link.instance.clone());
                return Err(Taken::Crowded { serving, standby: before.link.instance.clone() });
            }
            if before.link.epoch >= link.epoch {
                return Err(Taken::Newer);
            }
            before.link.stands(Standing::Replaced);
            side_by_side = before.side_by_side;
        }
        link.stands(Standing::Standby);
        self.standby = Some(Standby { link, known: Known::default(), side_by_side });
        self.outdate();
        Ok(())
    }

    /// Puts a link into the cluster's place; the one before is told how it stands now.
    fn serve(&mut self, link: Link, before: Standing) {
        self.agent_version = link.agent_version.as_str().into();
        self.no_link = Arc::default();
        link.stands(Standing::Serving);
        // One process is not asked by two links: what it said while it stood by is told again in its first report.
        if let Some(standby) = self.standby.take_if(|standby| standby.link.instance == link.instance) {
            standby.link.stands(Standing::Replaced);
        }
        if let Some(last) = self.link.replace(link) {
            self.heard_before = Some(last.activity.heard_at());
            last.stands(before);
        }
        self.enter(LinkState::Connected);
    }

    /// Gives the cluster's place to the link that stands by, if there is one.
    fn promote(&mut self, before: Standing) -> bool {
        let Some(Standby { link, known, .. }) = self.standby.take() else { return false };
        if link.reports == Reports::Own {
            self.known.give_way(known);
        }
        self.serve(link, before);
        true
    }

    /// The link `dead` was found dead by `standby`, which takes its place.
    pub(super) fn take_over(&mut self, standby: LinkId, dead: LinkId) -> bool {
        let still = self.link.as_ref().is_some_and(|link| link.id == dead) && self.stands_by(standby);
        still && self.promote(Standing::Displaced)
    }

    /// Two processes have been alive side by side for too long. Returns the one that serves.
    pub(super) fn rivals(&mut self, standby: LinkId) -> Option<InstanceId> {
        let serving = self.link.as_ref()?.instance.clone();
        let beside = self.standby.as_mut().filter(|beside| beside.link.id == standby)?;
        beside.side_by_side = SideBySide::Rivals;
        self.outdate();
        Some(serving)
    }

    pub(super) fn stands_by(&self, id: LinkId) -> bool {
        self.standby.as_ref().is_some_and(|standby| standby.link.id == id)
    }

    /// Removes a link, if it still has a place. Where it served the cluster, the one that stands by does from now on.
    pub(super) fn detach(&mut self, id: LinkId) -> bool {
        if self.standby.take_if(|standby| standby.link.id == id).is_some() {
            self.outdate();
            return true;
        }
        if self.link.as_ref().is_none_or(|link| link.id != id) {
            return false;
        }
        if !self.promote(Standing::Replaced) {
            self.heard_before = self.link.take().map(|link| link.activity.heard_at());
            self.enter(LinkState::Lost);
        }
        true
    }

    /// Removes all links, and tells them. Says whether there was one.
    pub(super) fn dismiss(&mut self) -> bool {
        if let Some(standby) = self.standby.take() {
            standby.link.stands(Standing::Dismissed);
        }
        let Some(link) = self.link.take() else { return false };
        link.stands(Standing::Dismissed);
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

    /// The agent said that nothing has changed.
    pub(super) fn heartbeat(&mut self, id: LinkId) {
        let beside = self.standby.as_mut().map(|standby| &mut standby.link);
        if let Some(link) = self.link.as_mut().into_iter().chain(beside).find(|link| link.id == id) {
            link.told_at = Instant::now();
        }
    }

    /// Takes over a report of the link `id`. `discovery` is the report's, shared.
    pub(super) fn report(&mut self, id: LinkId, report: Report, discovery: Option<Arc<KindTable>>) -> bool {
        // First, so that the table of reports is nobody else's and is not copied to be changed.
        self.outdate();
        let serving = self.link.as_mut().map(|link| (link, &mut self.known));
        let beside = self.standby.as_mut().map(|standby| (&mut standby.link, &mut standby.known));
        let Some((link, known)) = serving.into_iter().chain(beside).find(|(link, _)| link.id == id) else {
            return false;
        };
        link.told_at = Instant::now();
        if link.reports == Reports::Inherited {
            link.reports = Reports::Own;
            known.begin(link.instance.clone());
        }
        known.add(report, discovery, Steady::now());
        true
    }

    /// Why no agent can be started for the cluster; the first report of one that could replaces it.
    pub(super) fn problem(&mut self, problem: String) {
        Arc::make_mut(&mut self.known.report).api_problem = problem;
        self.outdate();
    }

    /// Says whether that is new. While a link serves, what becomes of others is nobody's trouble.
    pub(super) fn note_no_link(&mut self, why: &str) -> bool {
        let why = &why[..why.floor_char_boundary(REPORTED_MESSAGE)];
        let new = self.link.is_none() && *self.no_link != *why;
        if new {
            self.no_link = why.into();
            self.outdate();
        }
        new
    }

    /// The cluster as it is now, its ages right to within 200 ms.
    pub(super) fn view(&self, id: &ClusterId, now: Instant) -> View {
        let mut kept = self.view.lock();
        if let Some(view) = kept.as_ref().filter(|view| view.is_good(now)) {
            return view.clone();
        }
        let view = View { taken: now, cluster: Arc::new(self.compose(id)) };
        *kept = Some(view.clone());
        view
    }

    fn compose(&self, id: &ClusterId) -> ClusterView {
        let now = Steady::now();
        let heard = self.link.as_ref().map(|link| link.activity.heard_at()).or(self.heard_before);
        ClusterView {
            id: id.clone(),
            labels: Arc::clone(&self.labels),
            aliases: Arc::clone(&self.aliases),
            link: self.state,
            link_since_ms: millis(self.since.elapsed()),
            link_changed_ms: self.changed_ms,
            heard: heard.map(|heard| now.ago_ms(millis(heard.elapsed()))),
            agent_version: Arc::clone(&self.agent_version),
            no_link: Arc::clone(&self.no_link),
            instance: self.known.instance.clone(),
            standby: self.standby.as_ref().map(|standby| fleet::Standby {
                instance: standby.link.instance.clone(),
                side_by_side: standby.side_by_side,
            }),
            report: Arc::clone(&self.known.report),
            nodes: Nodes::of(&self.known.report, &self.known.caches),
            kinds: self.known.kinds.clone(),
            caches: self.known.caches.at(now),
        }
    }

    pub(super) fn unreachable(&self, id: &ClusterId) -> Unreachable {
        let since_ms = millis(self.since.elapsed());
        let trouble = Trouble::of_link(self.state, since_ms, &self.known.report.api_problem, &self.no_link);
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
