//! Kinds: their identity over clusters, and what one cluster's discovery says of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The identity of a kind over all clusters: API group (empty for core) and plural resource name. The version is each
/// cluster's own affair.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupResource {
    pub group: String,
    pub resource: String,
}

impl GroupResource {
    pub fn new(group: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { group: group.into(), resource: resource.into() }
    }
}

/// As kubectl writes it: `pods`, `deployments.apps`.
impl fmt::Display for GroupResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.resource)?;
        if self.group.is_empty() {
            return Ok(());
        }
        f.write_str(".")?;
        f.write_str(&self.group)
    }
}

impl FromStr for GroupResource {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (resource, group) = text.split_once('.').unwrap_or((text, ""));
        Ok(Self::new(group, resource))
    }
}

/// Whether objects of a kind live in namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Scope {
    Namespaced,
    Cluster,
}

/// One kind as a cluster's discovery describes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KindInfo {
    #[serde(flatten)]
    pub id: GroupResource,
    /// The version that the cluster prefers for this resource.
    pub version: String,
    /// Every version that serves this resource, preferred first.
    #[serde(default)]
    pub versions: Vec<String>,
    /// `Pod`, `Deployment`, …
    pub kind: String,
    #[serde(default)]
    pub singular: String,
    #[serde(default)]
    pub short_names: Vec<String>,
    #[serde(default)]
    pub categories: Vec<String>,
    pub scope: Scope,
    #[serde(default)]
    pub verbs: Vec<String>,
}

impl KindInfo {
    /// `v1` or `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.id.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.id.group, self.version)
        }
    }

    pub fn has_verb(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| known == verb)
    }
}

/// All kinds of one cluster, in the order in which a bare name is looked up: core first, then the groups by discovery's
/// priority.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KindTable {
    pub kinds: Vec<KindInfo>,
    /// Groups whose aggregated API server did not answer, with what it said.
    #[serde(default)]
    pub failed_groups: Vec<(String, String)>,
}

impl KindTable {
    pub fn get(&self, id: &GroupResource) -> Option<&KindInfo> {
        self.kinds.iter().find(|kind| &kind.id == id)
    }
}
