//! Callers as the configuration of a gateway has them.

use kubeplex_gateway::config::TokenHash;

/// The section of a caller of such a reach: every kind, and nothing that is of the whole cluster.
pub fn section(user: &str, token: &str, clusters: &[&str], namespaces: &[&str]) -> String {
    let hash = TokenHash::of(token);
    format!(
        "[[caller]]\nuser = \"{user}\"\ntoken_sha256 = \"{hash}\"\nclusters = {clusters:?}\nnamespaces = {namespaces:?}\n\
         kinds = [\"*\"]\ncluster_scoped = []\n"
    )
}
