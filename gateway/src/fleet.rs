//! What the gateway knows of its clusters at one moment: plain values, so that the stages that decide on them stay pure.

mod caches;
mod trouble;

use std::collections::BTreeMap;
use std::sync::Arc;

use kubeplex_proto::control::{ClusterReport, SyncState};
use kubeplex_proto::ids::{ClusterId, InstanceId};
use kubeplex_proto::kind::{GroupResource, KindTable};

use crate::clock::Steady;

pub use caches::Caches;
pub(crate) use trouble::Trouble;

/// Every expected cluster (configured or enrolled, seen or not), ordered by name. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Fleet {
    clusters: Arc<[Arc<ClusterView>]>,
}

/// One cluster as the registry knew it when the snapshot was taken. All durations are relative to that moment. What is
/// large is shared with the registry, so that a snapshot copies pointers.
#[derive(Debug, Clone)]
pub struct ClusterView {
    pub id: ClusterId,
    /// What else a `cluster` argument may call it.
    pub aliases: Arc<[String]>,
    /// From the gateway's configuration, never from the agent.
    pub labels: Arc<BTreeMap<String, String>>,
    pub link: LinkState,
    /// How long the link has been in this state.
    pub link_since_ms: u64,
    /// When it came to that, by the gateway's clock in milliseconds since 1970: unlike the age it stays the same from page
    /// to page.
    pub link_changed_ms: i64,
    /// When the last byte came over the link; `None` while none ever did.
    pub heard: Option<Steady>,
    /// Empty while no agent ever said hello.
    pub agent_version: Arc<str>,
    /// Why the latest attempt at a link came to nothing, and what would mend it; empty once there was one.
    pub no_link: Arc<str>,
    /// The process whose reports `report` and `caches` are: revisions of different processes have nothing to do with each
    /// other. `None` while none has reported.
    pub instance: Option<InstanceId>,
    /// A second process that showed the cluster's token while the first one answers.
    pub standby: Option<Standby>,
    /// The last report; all zero and empty while there was none.
    pub report: Arc<ClusterReport>,
    /// `None` while nobody said it, and for callers who may not know it.
    pub nodes: Option<Nodes>,
    /// The cluster's discovery; `None` while its API server was never heard to answer it. Kept after the link is lost.
    pub kinds: Option<Arc<KindTable>>,
    /// Kinds that the agent caches, last known, with ages counted up to the snapshot.
    pub caches: Caches,
}

/// How many nodes a cluster has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nodes {
    pub ready: u64,
    pub all: u64,
}

impl Nodes {
    /// As a report has them, where its agent holds them: none seen is not none.
    pub fn of(report: &ClusterReport, caches: &Caches) -> Option<Self> {
        let held = caches.get(&GroupResource::new("", "nodes"))?.state;
        let known = matches!(held, SyncState::Synced | SyncState::Stale);
        known.then_some(Self { ready: report.nodes_ready, all: report.nodes })
    }
}

/// An agent that takes its cluster over when the one that serves it leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standby {
    pub instance: InstanceId,
    pub side_by_side: SideBySide,
}

/// What two agents of one cluster are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SideBySide {
    /// A rolling update.
    Handover,
    /// Both have been alive for too long: a mistake, or somebody with a stolen token.
    Rivals,
}

/// How a cluster's link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkState {
    /// Expected, and never yet linked since this gateway started.
    Never,
    Connected,
    /// Silent for longer than heartbeats allow; still used.
    Suspect,
    Lost,
}

impl LinkState {
    /// Whether a leg may be sent.
    pub fn is_usable(self) -> bool {
        matches!(self, Self::Connected | Self::Suspect)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Connected => "connected",
            Self::Suspect => "suspect",
            Self::Lost => "lost",
        }
    }
}

impl Fleet {
    /// Orders the clusters by name; of two with one name the first stays.
    pub fn new(mut clusters: Vec<Arc<ClusterView>>) -> Self {
        clusters.sort_by(|a, b| a.id.cmp(&b.id));
        clusters.dedup_by(|a, b| a.id == b.id);
        Self { clusters: clusters.into() }
    }

    /// Whether both are the same snapshot. Two that were taken apart are not, even where they say the same.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.clusters, &other.clusters)
    }

    pub fn clusters(&self) -> &[Arc<ClusterView>] {
        &self.clusters
    }

    pub fn get(&self, id: &ClusterId) -> Option<&Arc<ClusterView>> {
        self.clusters.binary_search_by(|cluster| cluster.id.cmp(id)).ok().map(|at| &self.clusters[at])
    }
}

impl ClusterView {
    /// A cluster that is expected for so long and of which nothing is known yet.
    pub fn expected(id: ClusterId, labels: BTreeMap<String, String>, since_ms: u64) -> Self {
        Self {
            id,
            aliases: Arc::default(),
            labels: Arc::new(labels),
            link: LinkState::Never,
            link_since_ms: since_ms,
            link_changed_ms: 0_i64.saturating_sub_unsigned(since_ms),
            heard: None,
            agent_version: Arc::default(),
            no_link: Arc::default(),
            instance: None,
            standby: None,
            report: Arc::default(),
            nodes: None,
            kinds: None,
            caches: Caches::default(),
        }
    }

    /// Everything it is called, its own name first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.aliases.iter().map(String::as_str))
    }

    /// How many objects of a kind the cluster last reported, for kinds that it caches.
    pub fn last_known_objects(&self, kind: &GroupResource) -> Option<u64> {
        self.caches.get(kind).filter(|report| report.age_ms.is_some()).map(|report| report.objects)
    }

    /// The age of the least recent proof over all cached kinds that were ever current, in milliseconds.
    pub fn data_age_ms(&self) -> Option<u64> {
        self.caches.oldest_age_ms()
    }
}

#[cfg(test)]
mod tests {
    use kubeplex_proto::control::KindReport;

    use super::*;

    #[test]
    fn clusters_are_ordered_and_found_by_name() {
        let view = |name| Arc::new(ClusterView::expected(ClusterId::new(name).unwrap(), BTreeMap::new(), 0));
        let fleet = Fleet::new(vec![view("b"), view("a"), view("b")]);
        let names: Vec<_> = fleet.clusters().iter().map(|cluster| cluster.id.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        let b = ClusterId::new("b").unwrap();
        assert!(fleet.get(&b).is_some());
    }

    #[test]
    fn nodes_are_counted_where_they_are_seen() {
        let report = ClusterReport { nodes_ready: 2, nodes: 3, ..ClusterReport::default() };
        assert_eq!(Nodes::of(&report, &Caches::default()), None, "its agent does not watch them");
        for (state, known) in [
            (SyncState::Synced, true),
            (SyncState::Stale, true),
            (SyncState::Syncing, false),
            (SyncState::Forbidden, false),
            (SyncState::Error, false),
        ] {
            let mut caches = Caches::default();
            let kind = GroupResource::new("", "nodes");
            caches.insert(KindReport { kind, state, revision: 1, objects: 3, age_ms: None, message: None });
            let nodes = Nodes::of(&report, &caches);
            assert_eq!(nodes, known.then_some(Nodes { ready: 2, all: 3 }), "{state:?}");
        }
    }
}
