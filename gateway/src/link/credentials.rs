//! Which cluster a token speaks for, and whether it still does. Only the configuration says so, never the agent.

use std::sync::Arc;

use kubeplex_proto::ids::ClusterId;
use parking_lot::RwLock;

use crate::config::{ExpectedCluster, TokenHash};
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

    /// The cluster that a token speaks for.
    fn cluster(&self, token: &TokenHash) -> Option<&ClusterId> {
        self.0.find(token)
    }
}

/// The tokens that are believed at this moment. Clones share them.
#[derive(Clone)]
pub(super) struct BelievedNow(Arc<RwLock<Credentials>>);

/// That somebody has shown a token of a cluster, which may be taken back.
pub(super) struct Believed {
    now: BelievedNow,
    token: TokenHash,
    cluster: ClusterId,
}

impl BelievedNow {
    pub(super) fn new(credentials: Credentials) -> Self {
        Self(Arc::new(RwLock::new(credentials)))
    }

    pub(super) fn replace(&self, credentials: Credentials) {
        *self.0.write() = credentials;
    }

    pub(super) fn believe(&self, token: &str) -> Option<Believed> {
        let token = TokenHash::of(token);
        let cluster = self.0.read().cluster(&token).cloned()?;
        Some(Believed { now: self.clone(), token, cluster })
    }
}

impl Believed {
    pub(super) fn cluster(&self) -> &ClusterId {
        &self.cluster
    }

    /// Whether the token speaks for the cluster at this moment.
    pub(super) fn holds(&self) -> bool {
        self.now.0.read().cluster(&self.token) == Some(&self.cluster)
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
        let now = BelievedNow::new(Credentials::of(&clusters));
        for (token, cluster) in [("alpha", Some("a")), ("beta", Some("b")), ("gamma", None)] {
            let believed = now.believe(token);
            assert_eq!(believed.as_ref().map(|believed| believed.cluster().as_str()), cluster, "{token}");
        }
        let (alpha, beta) = (now.believe("alpha").unwrap(), now.believe("beta").unwrap());
        now.replace(Credentials::of(&[expected("b", Some("alpha")), expected("b", Some("beta"))]));
        assert!(!alpha.holds(), "it speaks for another cluster now");
        assert!(beta.holds());
        now.replace(Credentials::default());
        assert!(!beta.holds());
    }
}
