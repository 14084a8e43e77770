//! What the gateway knows of each cluster: that it is expected, how its link stands, and what its agent last reported.
//!
//! Links and agents come and go; the set of expected clusters does not depend on them. One entry a cluster, changed only
//! through the [`Registry`]; everybody else gets a [`Fleet`] of plain values or a [`Leg`] to send a request over.

mod entry;
mod known;
mod link;
mod snapshots;
mod tables;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dashmap::DashMap;
use kubeplex_link::liveness::Liveness;
use kubeplex_proto::control::Report;
use kubeplex_proto::ids::{ClusterId, InstanceId};
use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::status::LegStatus;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::carrier::Carrier;
use crate::clock::Steady;
use crate::fleet::Fleet;
use entry::Entry;
use link::Link;
pub(crate) use link::{Candidate, Claim, LinkId, Standing, Taken};
use snapshots::Snapshots;
use tables::SharedTables;

/// All clusters. Clones share them.
#[derive(Clone, Default)]
pub struct Registry(Arc<Shared>);

#[derive(Default)]
struct Shared {
    clusters: DashMap<ClusterId, Entry>,
    tables: SharedTables,
    changes: watch::Sender<u64>,
    snapshots: Snapshots,
    links: AtomicU64,
}

/// A way to a cluster that is linked at this moment.
#[derive(Clone)]
pub struct Leg {
    pub cluster: ClusterId,
    pub carrier: Carrier,
    pub(crate) link: LinkId,
    pub(crate) instance: InstanceId,
}

/// What a cluster's agent pushed of a kind that can be read from its cache now, and would have pushed by now were it
/// otherwise: an answer that came over this link at this revision is the one that would be given again.
#[derive(Debug, Clone)]
pub(crate) struct Vouched {
    pub(crate) link: LinkId,
    pub(crate) revision: u64,
    /// When the kind was last known to be current.
    pub(crate) as_of: Steady,
    /// Until then it holds, unless something is heard of the cluster before.
    pub(crate) until: Instant,
    /// The cluster's, which answers may show.
    pub(crate) labels: Arc<BTreeMap<String, String>>,
}

/// Why no leg can be sent to a cluster.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cluster}: {message}")]
pub struct Unreachable {
    pub cluster: ClusterId,
    /// [`LegStatus::Disconnected`], or [`LegStatus::Error`] for a cluster that is not expected.
    pub status: LegStatus,
    /// How long the cluster has been out of reach, in milliseconds.
    pub since_ms: u64,
    /// For people, without the cluster's name: that there is no link, and for how long.
    pub message: String,
}

impl Registry {
    /// A registry that expects no cluster yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on `id` is expected, with these labels. What is already known of it stays.
    pub fn expect(&self, id: ClusterId, labels: BTreeMap<String, String>) {
        self.0.clusters.entry(id).or_default().label(labels);
        self.announce();
    }

    /// What else a `cluster` argument may call `id`, in place of what it could before.
    pub fn name_also(&self, id: &ClusterId, aliases: Vec<String>) {
        self.change(id, |entry| {
            entry.name_also(aliases);
            true
        });
    }

    /// Expects `id` no more. Its link ends, and answers say nothing of it.
    pub fn forget(&self, id: &ClusterId) {
        if let Some((_, mut entry)) = self.0.clusters.remove(id) {
            entry.dismiss();
            self.announce();
        }
    }

    /// Ends the links of `id`, whose credential is not believed any more.
    pub(crate) fn dismiss(&self, id: &ClusterId) {
        self.change(id, Entry::dismiss);
    }

    /// Whether `id` is expected.
    pub fn expects(&self, id: &ClusterId) -> bool {
        self.0.clusters.contains_key(id)
    }

    /// Everything that is known at this moment, ages right to within 200 ms. While nothing but ages changed it is the same
    /// snapshot.
    pub fn snapshot(&self) -> Fleet {
        // First, so that a snapshot that a change went into only in part is not taken for the one after the change.
        let changes = *self.0.changes.borrow();
        let now = Instant::now();
        self.0
            .snapshots
            .of(changes, now, || self.0.clusters.iter().map(|entry| entry.view(entry.key(), now)).collect())
    }

    /// The way to a cluster.
    ///
    /// # Errors
    /// [`Unreachable`] while the cluster has no link.
    pub fn leg(&self, id: &ClusterId) -> Result<Leg, Unreachable> {
        let Some(entry) = self.0.clusters.get(id) else {
            let message = "this gateway does not expect such a cluster".to_owned();
            return Err(Unreachable { cluster: id.clone(), status: LegStatus::Error, since_ms: 0, message });
        };
        let Some(link) = entry.link() else { return Err(entry.unreachable(id)) };
        let (carrier, instance) = (link.carrier.clone(), link.instance.clone());
        Ok(Leg { cluster: id.clone(), carrier, link: link.id, instance })
    }

    /// What is known for certain of a kind in a cluster, at this moment; `None` where the cluster has to be asked.
    pub(crate) fn vouched(&self, id: &ClusterId, kind: &GroupResource) -> Option<Vouched> {
        self.0.clusters.get(id)?.vouched(kind)
    }

    /// The way to the cluster of `leg` over another link than that one, as soon as there is one. Never resolves while the
    /// link keeps its place.
    ///
    /// # Errors
    /// [`Unreachable`] when the link is gone and no other is there.
    pub(crate) async fn successor(&self, leg: &Leg) -> Result<Leg, Unreachable> {
        let mut changes = self.changes();
        loop {
            match self.leg(&leg.cluster) {
                Ok(same) if same.link == leg.link => {
                    // The registry holds the sender.
                    let _ = changes.changed().await;
                }
                other => return other,
            }
        }
    }

    /// Ticks whenever a cluster, its link or its reports changed. The number means nothing else.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Notes why no agent can be started for a cluster: who starts agents in this process knows, and nobody else.
    pub fn report_problem(&self, id: &ClusterId, problem: String) {
        self.change(id, |entry| {
            entry.problem(problem);
            true
        });
    }

    /// Gives `candidate` a place with the cluster `id`; it is told which.
    pub(crate) fn attach(&self, id: &ClusterId, candidate: Candidate, claim: Claim) -> Result<LinkId, Taken> {
        let mut entry = self.0.clusters.get_mut(id).ok_or(Taken::Unexpected)?;
        let link = LinkId(self.0.links.fetch_add(1, Ordering::Relaxed));
        entry.attach(Link::new(link, candidate), claim)?;
        drop(entry);
        self.announce();
        Ok(link)
    }

    /// The link that serves a cluster while `standby` stands by.
    pub(crate) fn served_beside(&self, id: &ClusterId, standby: LinkId) -> Option<(LinkId, Carrier)> {
        let entry = self.0.clusters.get(id).filter(|entry| entry.stands_by(standby))?;
        entry.link().map(|link| (link.id, link.carrier.clone()))
    }

    /// Gives the place of the link `dead`, which was found so, to the one that stands by.
    pub(crate) fn take_over(&self, id: &ClusterId, standby: LinkId, dead: LinkId) {
        self.change(id, |entry| entry.take_over(standby, dead));
    }

    /// Notes that the process behind `standby` and the one that serves have been alive side by side for too long. Returns
    /// the latter.
    pub(crate) fn rivals(&self, id: &ClusterId, standby: LinkId) -> Option<InstanceId> {
        let serving = self.0.clusters.get_mut(id)?.rivals(standby);
        self.announce();
        serving
    }

    /// The link has ended.
    pub(crate) fn detach(&self, id: &ClusterId, link: LinkId) {
        self.change(id, |entry| entry.detach(link));
    }

    /// What the silence of a link means.
    pub(crate) fn judge(&self, id: &ClusterId, link: LinkId, liveness: Liveness) {
        self.change(id, |entry| entry.judge(link, liveness));
    }

    /// Takes over a report that came over a link.
    pub(crate) fn report(&self, id: &ClusterId, link: LinkId, mut report: Report) {
        if report == Report::default() {
            if let Some(mut entry) = self.0.clusters.get_mut(id) {
                entry.heartbeat(link);
            }
            return;
        }
        let discovery = report.discovery.take().map(|table| self.0.tables.share(table));
        self.change(id, |entry| entry.report(link, report, discovery));
    }

    /// Notes why the latest attempt at a link came to nothing, for as long as there is none.
    pub(crate) fn note_no_link(&self, id: &ClusterId, why: &str) {
        self.change(id, |entry| entry.note_no_link(why));
    }

    fn change(&self, id: &ClusterId, change: impl FnOnce(&mut Entry) -> bool) {
        let changed = self.0.clusters.get_mut(id).is_some_and(|mut entry| change(&mut entry));
        if changed {
            self.announce();
        }
    }

    fn announce(&self) {
        self.0.changes.send_modify(|count| *count = count.wrapping_add(1));
    }
}
