//! Plain lines for a pipe: one when a cluster settles, or changes its mind.

use std::collections::HashMap;
use std::fmt::Write as _;

use kubeplex_gateway::fleet::Fleet;
use kubeplex_proto::ids::ClusterId;

use super::ClusterState;

/// Remembers what was said of each cluster.
#[derive(Debug, Default)]
pub(super) struct Lines {
    said: HashMap<ClusterId, ClusterState>,
}

impl Lines {
    /// The lines that are new since the last call.
    pub(super) fn update(&mut self, fleet: &Fleet) -> String {
        let mut text = String::new();
        for cluster in fleet.clusters() {
            let state = ClusterState::of(cluster);
            if state.is_settled() && self.said.get(&cluster.id) != Some(&state) {
                // Writing to a String can't fail.
                let _ = writeln!(text, "{}  {}", cluster.id, state.describe());
                self.said.insert(cluster.id.clone(), state);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use kubeplex_gateway::fleet::ClusterView;

    use super::*;

    #[test]
    fn a_state_is_said_once() {
        let mut cluster = ClusterView::expected(ClusterId::new("eu").unwrap(), BTreeMap::new(), 0);
        let mut lines = Lines::default();
        assert_eq!(lines.update(&Fleet::new(vec![Arc::new(cluster.clone())])), "");
        cluster.report.api_problem = "connection refused".to_owned();
        let fleet = Fleet::new(vec![Arc::new(cluster)]);
        assert_eq!(lines.update(&fleet), "eu  not ready: connection refused (still trying)\n");
        assert_eq!(lines.update(&fleet), "");
    }
}
