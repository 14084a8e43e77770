//! Identifiers, each its own type and valid once it exists.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The name of a cluster: one to 253 printable characters without white space, commas or `*`, because a `cluster` argument
/// is a comma list of globs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClusterId(Arc<str>);

/// Why a text can't name a cluster.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" can't name a cluster: 1 to 253 printable characters without spaces, commas, quotes or '*' are wanted"
)]
pub struct InvalidClusterId(String);

impl ClusterId {
    /// # Errors
    /// [`InvalidClusterId`] for a text outside the alphabet above.
    pub fn new(name: impl AsRef<str>) -> Result<Self, InvalidClusterId> {
        let name = name.as_ref();
        let allowed = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, ',' | '*' | '"' | '\'');
        if name.is_empty() || name.len() > 253 || !name.chars().all(allowed) {
            return Err(InvalidClusterId(name.chars().take(80).collect()));
        }
        Ok(Self(name.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ClusterId {
    type Error = InvalidClusterId;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl From<ClusterId> for String {
    fn from(id: ClusterId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

/// One call of a client, the same in every leg and in every log line about it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallId(pub String);

/// One process of an agent, drawn at random when it starts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstanceId(pub String);

/// Counts the links that one agent process has opened; the higher replaces the lower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);
