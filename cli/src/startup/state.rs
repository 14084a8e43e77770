//! How far one cluster has come, as one line can say it.

use kubeplex_gateway::fleet::{ClusterView, LinkState};
use kubeplex_proto::control::SyncState;

/// Kinds that may not be read and are named one by one.
const MOST_NAMED: usize = 4;

/// The state of a cluster while the gateway starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterState {
    Connecting,
    /// Kinds synced, kinds watched, objects so far.
    Syncing {
        synced: usize,
        watched: usize,
        objects: u64,
    },
    Ready {
        version: String,
        nodes: u64,
        objects: u64,
        /// Kinds that were to be watched and may not be, in order.
        forbidden: Vec<String>,
    },
    /// It is served, but not whole, or not at all yet: the agent goes on trying.
    Problem(String),
    /// There is no agent yet, and why; who starts it says whether that is tried again.
    NotStarted(String),
}

/// How a line about a state should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Busy,
    Good,
    Warning,
}

impl ClusterState {
    pub fn of(cluster: &ClusterView) -> Self {
        let report = &cluster.report;
        if cluster.link == LinkState::Lost {
            return Self::Problem("the link was lost".to_owned());
        }
        if !report.api_problem.is_empty() {
            let problem = report.api_problem.clone();
            let never = cluster.link == LinkState::Never;
            return if never { Self::NotStarted(problem) } else { Self::Problem(problem) };
        }
        if cluster.link == LinkState::Never || report.kubernetes_version.is_empty() {
            return Self::Connecting;
        }
        let objects = cluster.caches.reports().map(|cache| cache.objects).sum();
        if report.ready {
            let (version, nodes) = (report.kubernetes_version.clone(), report.nodes);
            return Self::Ready { version, nodes, objects, forbidden: forbidden(cluster) };
        }
        let synced = cluster.caches.reports().filter(|cache| cache.state != SyncState::Syncing).count();
        Self::Syncing { synced, watched: cluster.caches.len(), objects }
    }

    /// Whether waiting longer may not change anything.
    pub fn is_settled(&self) -> bool {
        !matches!(self, Self::Connecting | Self::Syncing { .. })
    }

    /// Whether `other` would be no news to who has heard this: counts change all the time.
    pub(super) fn says_as_much(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ready { version, forbidden, .. }, Self::Ready { version: now, forbidden: denied, .. }) => {
                version == now && forbidden == denied
            }
            _ => self == other,
        }
    }

    pub fn tone(&self) -> Tone {
        match self {
            Self::Connecting | Self::Syncing { .. } => Tone::Busy,
            Self::Ready { forbidden, .. } if forbidden.is_empty() => Tone::Good,
            Self::Ready { .. } | Self::Problem(_) | Self::NotStarted(_) => Tone::Warning,
        }
    }

    pub fn describe(&self) -> String {
        match self {
            Self::Connecting => "connecting".to_owned(),
            Self::Syncing { synced, watched, objects } => {
                format!("syncing: {synced} of {watched} kinds, {objects} objects")
            }
            Self::Ready { version, nodes, objects, forbidden } => {
                let nodes = match nodes {
                    _ if forbidden.iter().any(|kind| kind == "nodes") => String::new(),
                    1 => ", 1 node".to_owned(),
                    nodes => format!(", {nodes} nodes"),
                };
                format!("ready: {version}{nodes}, {objects} objects cached{}", may_not_read(forbidden))
            }
            Self::Problem(problem) => format!("not ready: {problem} (still trying)"),
            Self::NotStarted(problem) => format!("not started: {problem}"),
        }
    }
}

fn forbidden(cluster: &ClusterView) -> Vec<String> {
    let denied = cluster.caches.reports().filter(|cache| cache.state == SyncState::Forbidden);
    let mut kinds: Vec<_> = denied.map(|cache| cache.kind.to_string()).collect();
    kinds.sort_unstable();
    kinds
}

fn may_not_read(kinds: &[String]) -> String {
    let named = kinds.iter().take(MOST_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match kinds.len() {
        0 => String::new(),
        count if count <= MOST_NAMED => format!("; forbidden: {named}"),
        count => format!("; forbidden: {named} and {} more", count - MOST_NAMED),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use kubeplex_proto::control::{ClusterReport, KindReport};
    use kubeplex_proto::ids::ClusterId;
    use kubeplex_proto::kind::GroupResource;

    use super::*;

    fn cluster() -> ClusterView {
        ClusterView::expected(ClusterId::new("eu").unwrap(), BTreeMap::new(), 0)
    }

    fn report(cluster: &mut ClusterView) -> &mut ClusterReport {
        Arc::make_mut(&mut cluster.report)
    }

    #[test]
    fn a_cluster_passes_from_connecting_to_ready() {
        let mut cluster = cluster();
        assert_eq!(ClusterState::of(&cluster), ClusterState::Connecting);
        cluster.link = LinkState::Connected;
        report(&mut cluster).kubernetes_version = "v1.35.2".to_owned();
        assert_eq!(ClusterState::of(&cluster).describe(), "syncing: 0 of 0 kinds, 0 objects");
        report(&mut cluster).ready = true;
        report(&mut cluster).nodes = 1;
        assert_eq!(ClusterState::of(&cluster).describe(), "ready: v1.35.2, 1 node, 0 objects cached");
        assert_eq!(ClusterState::of(&cluster).tone(), Tone::Good);
        report(&mut cluster).api_problem = "connection refused".to_owned();
        assert!(ClusterState::of(&cluster).is_settled());
        assert_eq!(ClusterState::of(&cluster).describe(), "not ready: connection refused (still trying)");
    }

    #[test]
    fn who_starts_the_agent_says_whether_that_is_tried_again() {
        let mut cluster = cluster();
        report(&mut cluster).api_problem = "no such file".to_owned();
        assert_eq!(ClusterState::of(&cluster).describe(), "not started: no such file");
    }

    #[test]
    fn what_may_not_be_read_is_said() {
        let mut cluster = cluster();
        cluster.link = LinkState::Connected;
        report(&mut cluster).kubernetes_version = "v1.35.2".to_owned();
        report(&mut cluster).ready = true;
        let mut forbid = |resource: &str| {
            let kind = GroupResource::new("", resource);
            let state = SyncState::Forbidden;
            cluster.caches.insert(KindReport {
                kind,
                state,
                revision: 0,
                objects: 0,
                age_ms: None,
                message: None,
            });
            ClusterState::of(&cluster)
        };
        forbid("nodes");
        let two = forbid("namespaces");
        assert_eq!(two.describe(), "ready: v1.35.2, 0 objects cached; forbidden: namespaces, nodes");
        assert_eq!(two.tone(), Tone::Warning);
        forbid("pods");
        forbid("events");
        assert!(forbid("services").describe().ends_with("events, namespaces, nodes, pods and 1 more"));
    }
}
