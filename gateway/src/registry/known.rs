//! What the agents of one cluster have said about it.

use std::sync::Arc;

use kubeplex_proto::control::{ClusterReport, KindReport, Report};
use kubeplex_proto::ids::InstanceId;
use kubeplex_proto::kind::KindTable;

use crate::clock::Steady;
use crate::fleet::Caches;
use crate::limits::{REPORTED_KINDS, REPORTED_MESSAGE};

/// The sum of one process's reports, beside what only an earlier one knew.
#[derive(Clone, Default)]
pub(super) struct Known {
    /// The process whose reports these are.
    pub(super) instance: Option<InstanceId>,
    pub(super) report: Arc<ClusterReport>,
    pub(super) kinds: Option<Arc<KindTable>>,
    pub(super) caches: Caches,
}

impl Known {
    /// Forgets what counts from one link to the next: the first report of `instance`, which is complete, follows.
    pub(super) fn begin(&mut self, instance: InstanceId) {
        self.instance = Some(instance);
        self.caches.clear();
    }

    /// Takes over a report that came at `now`. `discovery` is the report's, shared.
    pub(super) fn add(&mut self, report: Report, discovery: Option<Arc<KindTable>>, now: Steady) {
        self.caches = self.caches.at(now);
        report.dropped.iter().for_each(|kind| self.caches.remove(kind));
        report.kinds.into_iter().for_each(|report| self.keep(report));
        // An agent whose API server has not answered yet knows of no kind, and says so; what another agent knew stays.
        self.kinds = discovery.filter(|table| !table.kinds.is_empty()).or_else(|| self.kinds.take());
        if let Some(cluster) = report.cluster {
            self.report = Arc::new(cluster);
        }
    }

    /// What no agent has to tell is not kept: more kinds than there can be, and messages that nobody would read to the end.
    fn keep(&mut self, mut report: KindReport) {
        if self.caches.len() >= REPORTED_KINDS && self.caches.get(&report.kind).is_none() {
            return;
        }
        if let Some(message) = &mut report.message {
            message.truncate(message.floor_char_boundary(REPORTED_MESSAGE));
            message.shrink_to_fit();
        }
        self.caches.insert(report);
    }

    /// What `later`, another process's, leaves of this.
    pub(super) fn give_way(&mut self, later: Self) {
        let kinds = later.kinds.or_else(|| self.kinds.take());
        *self = Self { kinds, ..later };
    }
}
