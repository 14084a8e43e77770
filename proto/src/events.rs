//! Events as they tell of other objects.

use serde::{Deserialize, Serialize};

use crate::pattern::Pattern;

/// Which Events of core/v1 a list means, and that those which tell the same are one row: the newest of each type, reason and
/// object, with how often it was told. Namespaces are those of the objects told of, and so are the rows' own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventQuestion {
    /// Of which kind the objects are that the events tell of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<InvolvedKind>,
    /// What they are called; empty: anything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Pattern>,
    /// Last seen then or later …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Moment>,
    /// … and then or earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
}

impl EventQuestion {
    /// Whether the same events may be meant or not as time passes.
    pub fn moves(&self) -> bool {
        [self.since, self.until].iter().any(|moment| matches!(moment, Some(Moment::Ago(_))))
    }
}

/// A kind as events name it: by its group, whatever the version, and in the singular.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct InvolvedKind {
    /// Empty for core.
    pub group: String,
    /// `Pod`.
    pub kind: String,
}

/// A point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Moment {
    /// So many milliseconds ago, by the cluster's own clock.
    Ago(u64),
    /// Milliseconds since 1970.
    At(i64),
}

impl Moment {
    /// Milliseconds since 1970. `now_ms` is the cluster's time.
    pub fn at_ms(self, now_ms: i64) -> i64 {
        match self {
            Self::Ago(ms) => now_ms.saturating_sub_unsigned(ms),
            Self::At(ms) => ms,
        }
    }
}
