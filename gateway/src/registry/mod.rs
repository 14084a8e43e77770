//! What the gateway knows of each cluster: that it is expected, how its link stands, and what its agent last reported.
//!
//! Links and agents come and go; the set of expected clusters does not depend on them. One entry a cluster, changed only
//! through the [`Registry`]; everybody else gets a [`Fleet`] of plain values or a [`Leg`] to send a request over.

mod entry;
mod tables;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dashmap::DashMap;
use kubeplex_link::activity::Activity;
use kubeplex_link::liveness::Liveness;
use kubeplex_proto::control::{Hello, Report};
use kubeplex_proto::ids::{ClusterId, InstanceId};
use kubeplex_proto::status::LegStatus;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::carrier::Carrier;
use crate::fleet::Fleet;
use entry::{Entry, Link, Reports};
use tables::SharedTables;

/// All clusters. Clones share them.
#[derive(Clone, Default)]
pub struct Registry(Arc<Shared>);

#[derive(Default)]
struct Shared {
    clusters: DashMap<ClusterId, Entry>,
    tables: SharedTables,
    changes: watch::Sender<u64>,
    links: AtomicU64,
}

/// A way to a cluster that is linked at this moment.
#[derive(Clone)]
pub struct Leg {
    pub cluster: ClusterId,
    pub carrier: Carrier,
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

/// One link, unique while this gateway runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct LinkId(u64);

/// A link that asks for its cluster's place in the registry.
#[derive(Clone)]
pub(crate) struct Candidate {
    pub(crate) hello: Hello,
    pub(crate) carrier: Carrier,
    pub(crate) activity: Activity,
    /// Cancelled when another link takes the place.
    pub(crate) replaced: CancellationToken,
}

/// Why a link did not get its cluster's place.
pub(crate) enum Taken {
    /// Nobody expects the cluster.
    Unexpected,
    /// By a link of the same process that is as new or newer.
    Newer,
    /// By another process. If it is found dead, its place may be asked for again, naming it.
    Other { link: LinkId, instance: InstanceId, carrier: Carrier },
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

    /// Whether `id` is expected.
    pub fn expects(&self, id: &ClusterId) -> bool {
        self.0.clusters.contains_key(id)
    }

    /// Everything that is known at this moment, ages right to within 200 ms.
    pub fn snapshot(&self) -> Fleet {
        Fleet::new(self.0.clusters.iter().map(|entry| entry.view(entry.key())).collect())
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
        entry.carrier(id).map(|carrier| Leg { cluster: id.clone(), carrier })
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

    /// Gives `candidate` the place of the cluster `id`, over a link that it outdates or that was found `dead`.
    pub(crate) fn attach(
        &self,
        id: &ClusterId,
        candidate: Candidate,
        dead: Option<LinkId>,
    ) -> Result<LinkId, Taken> {
        let mut entry = self.0.clusters.get_mut(id).ok_or(Taken::Unexpected)?;
        let Candidate { hello, carrier, activity, replaced } = candidate;
        if let Some(link) = entry.link().filter(|link| Some(link.id) != dead) {
            if link.instance != hello.instance {
                let (instance, carrier) = (link.instance.clone(), link.carrier.clone());
                return Err(Taken::Other { link: link.id, instance, carrier });
            }
            if link.epoch >= hello.epoch {
                return Err(Taken::Newer);
            }
        }
        let link_id = LinkId(self.0.links.fetch_add(1, Ordering::Relaxed));
        let Hello { instance, epoch, agent_version, .. } = hello;
        let reports = Reports::Inherited;
        let link = Link { id: link_id, instance, epoch, carrier, activity, reports, replaced };
        entry.attach(link, agent_version);
        drop(entry);
        self.announce();
        Ok(link_id)
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
            return;
        }
        let discovery = report.discovery.take().map(|table| self.0.tables.share(table));
        self.change(id, |entry| entry.report(link, report, discovery));
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
