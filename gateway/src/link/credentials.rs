//! Which cluster a token speaks for. Only the configuration says so, never the agent.

use kubeplex_proto::ids::ClusterId;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use crate::config::{ExpectedCluster, TokenHash};

/// The tokens that are believed.
#[derive(Clone, Default)]
pub struct Credentials(Vec<(TokenHash, ClusterId)>);

impl Credentials {
    /// The tokens of these clusters.
    pub fn of<'a>(clusters: impl IntoIterator<Item = &'a ExpectedCluster>) -> Self {
        let with_token = |cluster: &ExpectedCluster| cluster.token.map(|token| (token, cluster.id.clone()));
        Self(clusters.into_iter().filter_map(with_token).collect())
    }

    /// The cluster that `token` speaks for. Takes as long for any token: every hash is compared, whole.
    pub(super) fn cluster(&self, token: &str) -> Option<&ClusterId> {
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let (mut found, mut at) = (Choice::from(0), 0_u64);
        for (index, (hash, _)) in (0_u64..).zip(&self.0) {
            let equal = hash.0.ct_eq(&digest);
            at.conditional_assign(&index, equal);
            found |= equal;
        }
        let index = bool::from(found).then(|| usize::try_from(at).ok())??;
        self.0.get(index).map(|(_, cluster)| cluster)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_speaks_for_its_cluster_alone() {
        let expected = |id: &str, token: Option<&str>| ExpectedCluster {
            id: ClusterId::new(id).unwrap(),
            labels: std::collections::BTreeMap::new(),
            token: token.map(|token| TokenHash(Sha256::digest(token).into())),
        };
        let clusters = [expected("a", Some("alpha")), expected("local", None), expected("b", Some("beta"))];
        let credentials = Credentials::of(&clusters);
        for (token, cluster) in [("alpha", Some("a")), ("beta", Some("b")), ("gamma", None), ("", None)] {
            assert_eq!(credentials.cluster(token).map(ClusterId::as_str), cluster, "{token}");
        }
        assert_eq!(Credentials::default().cluster("alpha"), None);
    }
}
