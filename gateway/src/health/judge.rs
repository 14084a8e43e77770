//! One cluster's verdict.

use kubeplex_proto::health::HealthFacts;

use super::{HealthThresholds, Minor, parts};

/// How a cluster is, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Verdict {
    Healthy,
    /// It does less than it should, or will soon.
    Degraded,
    /// Nobody told.
    Unknown,
    /// It does not do its work.
    Critical,
}

/// Why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) verdict: Verdict,
    /// Begins with what it is about: `nodes: …`.
    pub(crate) text: String,
}

/// What there is to judge by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look<'a> {
    /// The API server's version; empty where it never told.
    pub(crate) version: &'a str,
    /// Why there are no facts.
    pub(crate) failure: Option<&'a str>,
    pub(crate) facts: Option<&'a HealthFacts>,
    /// Why they are old, where they are.
    pub(crate) stale: Option<&'a str>,
    /// The cluster's time, in milliseconds since 1970.
    pub(crate) now_ms: i64,
    /// The cluster's clock less its agent's, in milliseconds.
    pub(crate) clock_offset_ms: i64,
    /// The newest release of the clusters asked.
    pub(crate) newest: Option<Minor>,
}

impl Verdict {
    pub(crate) const WORST_FIRST: [Self; 4] = [Self::Critical, Self::Unknown, Self::Degraded, Self::Healthy];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unknown => "unknown",
            Self::Critical => "critical",
        }
    }
}

impl Reason {
    pub(super) fn new(verdict: Verdict, text: String) -> Self {
        Self { verdict, text }
    }

    pub(super) fn degraded(text: String) -> Self {
        Self::new(Verdict::Degraded, text)
    }

    pub(super) fn critical(text: String) -> Self {
        Self::new(Verdict::Critical, text)
    }
}

/// Parts that are not known, each with its own reason; of more only the first says why.
const MOST_UNKNOWN: usize = 2;

/// All reasons, the worst first. A part that is not known says nothing against the cluster; where neither nodes nor workloads
/// are, there is nothing to judge by.
pub(crate) fn judge(look: Look<'_>, thresholds: &HealthThresholds) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if let Some(failure) = look.failure {
        reasons.push(Reason::new(Verdict::Unknown, format!("no answer: {failure}")));
    }
    if let Some(facts) = look.facts {
        reasons.extend(parts::api(&facts.api, thresholds));
        reasons.extend(facts.nodes.iter().flat_map(|nodes| parts::nodes(nodes, look.version, thresholds)));
        reasons.extend(facts.workloads.iter().flat_map(|workloads| parts::workloads(workloads, thresholds)));
        reasons.extend(facts.capacity.iter().flat_map(|capacity| parts::capacity(capacity, thresholds)));
        let certificates = facts.certificates.iter();
        reasons.extend(certificates.flat_map(|told| parts::certificates(told, look.now_ms, thresholds)));
        reasons.extend(parts::deprecated(&facts.deprecated, look.version, thresholds));
        reasons.extend(parts::clock(look.clock_offset_ms, thresholds));
        reasons.extend(look.stale.map(|why| Reason::degraded(format!("data: {why}"))));
        if facts.nodes.is_none() && facts.workloads.is_none() {
            let text = "no judgement: neither nodes nor workloads can be seen".to_owned();
            reasons.push(Reason::new(Verdict::Unknown, text));
        }
        reasons.extend(not_known(&facts.not_known));
    }
    reasons.extend(parts::release(look.version, look.newest, thresholds));
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.verdict));
    reasons
}

/// What keeps one part from being known mostly keeps the others, too.
fn not_known(parts: &[String]) -> Vec<Reason> {
    let reason = |why: &str| Reason::new(Verdict::Healthy, format!("not known: {why}"));
    let (first, others) = match parts {
        [first, others @ ..] if parts.len() > MOST_UNKNOWN => (first, others),
        few => return few.iter().map(|why| reason(why)).collect(),
    };
    let (part, why) = first.split_once(": ").unwrap_or((first, "no reason was given"));
    let others = others.iter().map(|other| other.split_once(": ").map_or(other.as_str(), |(part, _)| part));
    vec![reason(&format!("{part}, {}: {why}", others.collect::<Vec<_>>().join(", ")))]
}

/// What reasons come to.
pub(crate) fn verdict(reasons: &[Reason]) -> Verdict {
    reasons.iter().map(|reason| reason.verdict).max().unwrap_or(Verdict::Healthy)
}

#[cfg(test)]
mod tests;
