//! What is worth a line of its own: a cluster that settles, or changes its mind.

use std::collections::HashMap;

use kubeplex_gateway::fleet::{ClusterView, Fleet};
use kubeplex_proto::ids::ClusterId;

use super::{ClusterState, GOES_ON, Tone, line, name_width};

/// Remembers what was said of each cluster.
#[derive(Debug, Default)]
pub(super) struct News {
    said: HashMap<ClusterId, ClusterState>,
}

impl News {
    /// The lines that are new since the last call.
    pub(super) fn of(&mut self, fleet: &Fleet) -> Vec<(Tone, String)> {
        let width = name_width(fleet);
        let clusters = self.clusters(fleet);
        let lines = clusters.iter().map(|cluster| {
            let state = ClusterState::of(cluster);
            (state.tone(), line(cluster, &state, width))
        });
        lines.collect()
    }

    /// The clusters that there is something new to say of.
    pub(super) fn clusters<'f>(&mut self, fleet: &'f Fleet) -> Vec<&'f ClusterView> {
        let mut clusters = Vec::new();
        for cluster in fleet.clusters() {
            let state = ClusterState::of(cluster);
            if state.is_settled() && !self.said.get(&cluster.id).is_some_and(|said| said.says_as_much(&state))
            {
                self.said.insert(cluster.id.clone(), state);
                clusters.push(cluster.as_ref());
            }
        }
        clusters
    }

    /// What is left to say before the next steps: of the clusters that have not settled.
    pub(super) fn rest(&mut self, fleet: &Fleet) -> Vec<(Tone, String)> {
        let (mut lines, width) = (self.of(fleet), name_width(fleet));
        for cluster in fleet.clusters() {
            let state = ClusterState::of(cluster);
            if !state.is_settled() {
                lines.push((state.tone(), format!("{} ({GOES_ON})", line(cluster, &state, width))));
            }
        }
        lines
    }

    /// All of this has been said by somebody else.
    pub(super) fn know(&mut self, fleet: &Fleet) {
        let states = fleet.clusters().iter().map(|cluster| (cluster.id.clone(), ClusterState::of(cluster)));
        self.said = states.collect();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use kubeplex_gateway::fleet::{ClusterView, LinkState};

    use super::*;

    fn said(lines: Vec<(Tone, String)>) -> Vec<String> {
        lines.into_iter().map(|(_, line)| line).collect()
    }

    #[test]
    fn a_state_is_said_once_and_no_cluster_is_forgotten() {
        let expected = |name: &str| ClusterView::expected(ClusterId::new(name).unwrap(), BTreeMap::new(), 0);
        let (mut eu, far) = (expected("eu"), expected("far-away"));
        let mut news = News::default();
        let fleet = |eu: &ClusterView| Fleet::new(vec![Arc::new(eu.clone()), Arc::new(far.clone())]);
        assert!(news.of(&fleet(&eu)).is_empty());
        eu.link = LinkState::Connected;
        Arc::make_mut(&mut eu.report).api_problem = "connection refused".to_owned();
        assert_eq!(said(news.of(&fleet(&eu))), ["eu        not ready: connection refused (still trying)"]);
        assert!(news.of(&fleet(&eu)).is_empty());
        assert_eq!(said(news.rest(&fleet(&eu))), ["far-away  connecting (goes on in the background)"]);

        Arc::make_mut(&mut eu.report).api_problem.clear();
        Arc::make_mut(&mut eu.report).kubernetes_version = "v1.35.2".to_owned();
        Arc::make_mut(&mut eu.report).ready = true;
        assert_eq!(said(news.of(&fleet(&eu))), ["eu        ready: v1.35.2, 0 nodes, 0 objects cached"]);
        Arc::make_mut(&mut eu.report).nodes = 3;
        assert!(news.of(&fleet(&eu)).is_empty(), "another count is no news");
        eu.link = LinkState::Lost;
        news.know(&fleet(&eu));
        assert!(news.of(&fleet(&eu)).is_empty(), "it was said elsewhere");
    }
}
