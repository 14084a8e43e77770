//! Who may call, and what they may see.

use kubeplex_proto::call::Identity;
use kubeplex_proto::visibility::{Reach, Visibility};
use serde::{Deserialize, Serialize};

use super::{ConfigError, TokenHash, check};

/// The name of whoever calls a gateway that knows no tokens. No token can name it.
pub const LOCAL_USER: &str = "local";

/// Somebody who is known by a token. Several may be the same user: each token has a reach of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredCaller {
    pub identity: Identity,
    pub token: TokenHash,
    /// The clusters that exist for them.
    pub clusters: Reach,
    /// What they may see in each of these.
    pub visibility: Visibility,
}

/// A `[[caller]]` section as it is written: what is not named is not visible.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a section")]
pub struct CallerSection {
    pub user: String,
    pub groups: Vec<String>,
    /// SHA-256 of the token, in hexadecimal.
    pub token_sha256: String,
    /// Patterns over the names of clusters.
    pub clusters: Vec<String>,
    /// Patterns over namespaces; `*` reaches objects that are in none, too.
    pub namespaces: Vec<String>,
    /// Patterns over `pods`, `deployments.apps`: what is visible in these namespaces.
    pub kinds: Vec<String>,
    /// Patterns over `nodes`, `clusterroles.rbac.authorization.k8s.io`: what is visible of objects in no namespace.
    pub cluster_scoped: Vec<String>,
}

impl CallerSection {
    /// What the section means.
    ///
    /// # Errors
    /// [`ConfigError::Wrong`] with every value that can't be used.
    pub fn check(&self) -> Result<ConfiguredCaller, ConfigError> {
        check::caller(self)
    }

    /// As it stands in a configuration file.
    pub fn to_toml(&self) -> String {
        // Of what both can say, TOML's strings and lists are written as JSON's.
        let json = |value: &[String]| serde_json::to_string(value).unwrap_or_default();
        let mut lines = vec![
            "[[caller]]".to_owned(),
            format!("user = {}", serde_json::Value::from(self.user.as_str())),
            format!("token_sha256 = {}", serde_json::Value::from(self.token_sha256.as_str())),
        ];
        let lists = [
            ("groups", &self.groups),
            ("clusters", &self.clusters),
            ("namespaces", &self.namespaces),
            ("kinds", &self.kinds),
            ("cluster_scoped", &self.cluster_scoped),
        ];
        let named = lists.iter().filter(|(_, list)| !list.is_empty());
        lines.extend(named.map(|(key, list)| format!("{key} = {}", json(list))));
        lines.join("\n")
    }
}
