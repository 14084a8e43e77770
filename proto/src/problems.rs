//! Problems: what is wrong in a cluster now, folded at the edge. Answered as [gathered](crate::gather) items.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::call::CallContext;
use crate::events::Moment;
use crate::kind::GroupResource;
use crate::pattern::Pattern;

/// Which problems are meant. A question about objects means what descends from them, too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProblemsRequest {
    pub context: CallContext,
    /// Of objects of this kind; without it, of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<GroupResource>,
    /// Empty: all that are visible.
    #[serde(default)]
    pub namespaces: Vec<Pattern>,
    #[serde(default)]
    pub names: Vec<Pattern>,
    /// Last seen then or later …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Moment>,
    /// … and then or earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    /// At least so severe.
    #[serde(default)]
    pub severity: ProblemSeverity,
    /// The most that are sent, the gravest first.
    pub limit: u32,
}

/// How much it matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProblemSeverity {
    /// Will matter, or matters little.
    #[default]
    Info,
    /// Something does less than it should.
    Warning,
    /// Something does not do its work.
    Critical,
}

/// What is wrong with one object, or with several of one workload for the same cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The cause's name: `CrashLoop`.
    pub cause: String,
    pub severity: ProblemSeverity,
    /// One sentence, the same for the same cause wherever it is.
    pub message: String,
    /// What the objects belong to: their workload, or the one object itself.
    pub subject: ProblemObject,
    /// How many objects it is wrong with, of which kind, and some of them.
    pub objects: u64,
    pub examples: Vec<ProblemObject>,
    /// Of the first example, the best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<ProblemEvidence>,
    /// Since when, in milliseconds since 1970 by the cluster's clock: where nothing tells, since the agent knows.
    pub first_seen_ms: i64,
    /// When it was last so, where that is not now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen_ms: Option<i64>,
    /// What else is wrong because of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub symptoms: Vec<Symptom>,
    /// Which tool says more of the first example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<ProblemNext>,
}

/// An object by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProblemObject {
    pub kind: GroupResource,
    /// `None` for a cluster-scoped object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    pub name: String,
}

/// What shows a problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProblemEvidence {
    /// `condition`, `event`, `container`, `field`; an agent of another version may know more.
    pub source: String,
    pub text: String,
    /// In milliseconds since 1970, where it has a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<i64>,
}

/// Consequences of one cause that are alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Symptom {
    pub cause: String,
    pub kind: GroupResource,
    pub objects: u64,
    pub examples: Vec<ProblemObject>,
}

/// A tool that says more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProblemNext {
    pub tool: String,
    /// Beside cluster, namespace, kind and name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub arguments: Map<String, Value>,
}

/// How many problems a cluster has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProblemCounts {
    pub critical: u64,
    pub warning: u64,
    pub info: u64,
}

impl ProblemCounts {
    /// Of every severity.
    pub fn all(self) -> u64 {
        self.critical + self.warning + self.info
    }
}
