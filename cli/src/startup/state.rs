//! How far one cluster has come, as one line can say it.

use kubeplex_gateway::fleet::{ClusterView, LinkState};
use kubeplex_proto::control::SyncState;

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
    },
    /// It is served, but not whole, or not at all yet: the agent goes on trying.
    Problem(String),
}

impl ClusterState {
    pub fn of(cluster: &ClusterView) -> Self {
        let report = &cluster.report;
        if cluster.link == LinkState::Lost {
            return Self::Problem("the link was lost".to_owned());
        }
        if !report.api_problem.is_empty() {
            return Self::Problem(report.api_problem.clone());
        }
        if cluster.link == LinkState::Never || report.kubernetes_version.is_empty() {
            return Self::Connecting;
        }
        let objects = cluster.caches.values().map(|cache| cache.objects).sum();
        if report.ready {
            return Self::Ready { version: report.kubernetes_version.clone(), nodes: report.nodes, objects };
        }
        let synced = cluster.caches.values().filter(|cache| cache.state != SyncState::Syncing).count();
        Self::Syncing { synced, watched: cluster.caches.len(), objects }
    }

    /// Whether waiting longer may not change anything.
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Ready { .. } | Self::Problem(_))
    }

    pub fn describe(&self) -> String {
        match self {
            Self::Connecting => "connecting".to_owned(),
            Self::Syncing { synced, watched, objects } => {
                format!("syncing: {synced} of {watched} kinds, {objects} objects")
            }
            Self::Ready { version, nodes, objects } => {
                let nodes = if *nodes == 1 { "1 node".to_owned() } else { format!("{nodes} nodes") };
                format!("ready: {version}, {nodes}, {objects} objects cached")
            }
            Self::Problem(problem) => format!("not ready: {problem} (still trying)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kubeplex_proto::ids::ClusterId;

    use super::*;

    #[test]
    fn a_cluster_passes_from_connecting_to_ready() {
        let mut cluster = ClusterView::expected(ClusterId::new("eu").unwrap(), BTreeMap::new(), 0);
        assert_eq!(ClusterState::of(&cluster), ClusterState::Connecting);
        cluster.link = LinkState::Connected;
        cluster.report.kubernetes_version = "v1.35.2".to_owned();
        assert_eq!(ClusterState::of(&cluster).describe(), "syncing: 0 of 0 kinds, 0 objects");
        cluster.report.ready = true;
        cluster.report.nodes = 1;
        assert_eq!(ClusterState::of(&cluster).describe(), "ready: v1.35.2, 1 node, 0 objects cached");
        cluster.report.api_problem = "connection refused".to_owned();
        assert!(ClusterState::of(&cluster).is_settled());
        assert!(ClusterState::of(&cluster).describe().contains("connection refused"));
    }
}
