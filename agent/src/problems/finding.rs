//! What analysers find.

use kubeplex_proto::kind::GroupResource;

/// Something that is wrong with one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The cause's name, one of a closed set: `CrashLoop`, `ImageNotFound`. Findings of one cause fold.
    pub cause: &'static str,
    pub severity: Severity,
    /// One sentence that names the cause, the same for all replicas of a workload: names of pods, times and counts do not
    /// belong into it.
    pub message: String,
    /// What shows it, the best first.
    pub evidence: Vec<Evidence>,
    /// Since when, in milliseconds since 1970 by the cluster's clock, where that is told.
    pub since_ms: Option<i64>,
    /// When it was last seen to be so, where that is another moment than now.
    pub last_seen_ms: Option<i64>,
    /// The object whose own problem this is a consequence of: where that has one, this is one of its symptoms.
    pub because_of: Option<ObjectRef>,
    /// Which tool says more, and of what, where that is not the object itself.
    pub next: Option<Next>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Will matter, or matters little: a certificate that expires in three weeks.
    Info,
    /// Something does less than it should.
    Warning,
    /// Something does not do its work.
    Critical,
}

/// What shows a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    pub source: Source,
    /// As the cluster words it, with the field's or the reason's name before it.
    pub text: String,
    /// In milliseconds since 1970, where it has a time.
    pub at_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Condition,
    Event,
    /// How a container ended, or why it waits.
    Container,
    /// Any other field of an object.
    Field,
}

/// A tool that says more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    pub tool: &'static str,
    /// Beside cluster, namespace, kind and name, which are the object's.
    pub arguments: Vec<(&'static str, serde_json::Value)>,
}

/// An object by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    pub kind: GroupResource,
    /// `None` for a cluster-scoped object.
    pub namespace: Option<String>,
    pub name: String,
}

/// All that is wrong with one object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    pub findings: Vec<Finding>,
    /// When time alone may change the verdict, in milliseconds since 1970 by the cluster's clock: the earliest of them.
    pub look_again_ms: Option<i64>,
}

impl Verdict {
    pub fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// The verdict may be another one then.
    pub fn look_again(&mut self, at_ms: i64) {
        self.look_again_ms = Some(self.look_again_ms.map_or(at_ms, |known| known.min(at_ms)));
    }
}
