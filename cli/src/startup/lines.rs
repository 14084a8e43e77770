//! Plain lines for a pipe: one when a cluster settles, or changes its mind.

use std::collections::HashMap;
use std::fmt::Write as _;

use kubeplex_gateway::fleet::Fleet;
use kubeplex_proto::ids::ClusterId;

use super::{ClusterState, GOES_ON, line, name_width};

/// Remembers what was said of each cluster.
#[derive(Debug, Default)]
pub(super) struct Lines {
    said: HashMap<ClusterId, ClusterState>,
}

impl Lines {
    /// The lines that are new since the last call.
    pub(super) fn update(&mut self, fleet: &Fleet) -> String {
        self.news(fleet, ClusterState::is_settled)
    }

    /// What is left to say: of the clusters that have not settled.
    pub(super) fn finish(mut self, fleet: &Fleet) -> String {
        let mut text = self.update(fleet);
        let unsettled = self.news(fleet, |state| !state.is_settled());
        text.extend(unsettled.lines().map(|line| format!("{line} ({GOES_ON})\n")));
        text
    }

    fn news(&mut self, fleet: &Fleet, worth_saying: impl Fn(&ClusterState) -> bool) -> String {
        let (mut text, width) = (String::new(), name_width(fleet));
        for cluster in fleet.clusters() {
            let state = ClusterState::of(cluster);
            if worth_saying(&state) && self.said.get(&cluster.id) != Some(&state) {
                // Writing to a String can't fail.
                let _ = writeln!(text, "{}", line(cluster, &state, width));
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

    use kubeplex_gateway::fleet::{ClusterView, LinkState};

    use super::*;

    #[test]
    fn a_state_is_said_once_and_no_cluster_is_forgotten() {
        let expected = |name: &str| ClusterView::expected(ClusterId::new(name).unwrap(), BTreeMap::new(), 0);
        let (mut eu, far) = (expected("eu"), expected("far-away"));
        let mut lines = Lines::default();
        let fleet = |eu: &ClusterView| Fleet::new(vec![Arc::new(eu.clone()), Arc::new(far.clone())]);
        assert_eq!(lines.update(&fleet(&eu)), "");
        eu.link = LinkState::Connected;
        Arc::make_mut(&mut eu.report).api_problem = "connection refused".to_owned();
        assert_eq!(lines.update(&fleet(&eu)), "eu        not ready: connection refused (still trying)\n");
        assert_eq!(lines.update(&fleet(&eu)), "");
        assert_eq!(lines.finish(&fleet(&eu)), "far-away  connecting (goes on in the background)\n");
    }
}
