//! Which cluster a token speaks for. Only the configuration says so, never the agent.

use kubeplex_proto::ids::ClusterId;

use crate::config::ExpectedCluster;
use crate::tokens::Tokens;

/// The tokens that are believed.
#[derive(Clone, Default)]
pub struct Credentials(Tokens<ClusterId>);

impl Credentials {
    /// The tokens of these clusters.
    pub fn of<'a>(clusters: impl IntoIterator<Item = &'a ExpectedCluster>) -> Self {
        let with_token = |cluster: &ExpectedCluster| cluster.token.map(|token| (token, cluster.id.clone()));
        Self(clusters.into_iter().filter_map(with_token).collect())
    }

    /// The cluster that `token` speaks for.
    pub(super) fn cluster(&self, token: &str) -> Option<&ClusterId> {
        self.0.find(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TokenHash;

    #[test]
    fn a_token_speaks_for_its_cluster_alone() {
        let expected = |id: &str, token: Option<&str>| ExpectedCluster {
            id: ClusterId::new(id).unwrap(),
            labels: std::collections::BTreeMap::new(),
            token: token.map(TokenHash::of),
        };
        let clusters = [expected("a", Some("alpha")), expected("local", None), expected("b", Some("beta"))];
        let credentials = Credentials::of(&clusters);
        for (token, cluster) in [("alpha", Some("a")), ("beta", Some("b")), ("gamma", None)] {
            assert_eq!(credentials.cluster(token).map(ClusterId::as_str), cluster, "{token}");
        }
    }
}
