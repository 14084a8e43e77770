//! From what is wrong with single objects to problems: replicas under their workload, symptoms under their cause.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::problems::{Problem, ProblemsRequest};
use kubeplex_proto::visibility::Visibility;

use super::engine::{Found, Kept};
use super::row::Row;
use super::{ObjectRef, Severity};

/// Causes of causes that are followed.
const CAUSES: usize = 8;

/// What is above these made them for a purpose of its own, and is not what people call their workload.
const WORKLOADS: [(&str, &str); 4] =
    [("apps", "deployments"), ("apps", "statefulsets"), ("apps", "daemonsets"), ("batch", "cronjobs")];

/// Objects with which something is wrong.
pub(super) type FoundOf = (Arc<ObjectRef>, Arc<Kept>);

/// Which problems are wanted, of which objects.
pub(crate) struct Wanted<'a> {
    pub(crate) visibility: &'a Visibility,
    /// `None`: all.
    pub(crate) request: Option<&'a ProblemsRequest>,
    /// Objects that are meant as well, because they are there for those that the request names.
    pub(crate) beside: &'a BTreeSet<ObjectRef>,
    /// The cluster's time.
    pub(crate) now_ms: i64,
}

/// A finding of an object.
#[derive(Clone, Copy)]
pub(super) struct One<'a> {
    pub(super) object: &'a ObjectRef,
    pub(super) kept: &'a Kept,
    pub(super) found: &'a Found,
}

/// Findings that are one row.
type Key<'a> = (&'a ObjectRef, &'static str, &'a str);

struct Folding<'a> {
    wanted: &'a Wanted<'a>,
    /// What the caller may see.
    seen: BTreeMap<&'a ObjectRef, &'a Kept>,
}

/// The problems, the gravest first. What a caller may not see is neither counted nor named.
pub(super) fn problems(found: &[FoundOf], wanted: &Wanted<'_>) -> Vec<Problem> {
    let shows = |object: &ObjectRef| shows(wanted.visibility, object);
    let seen = found.iter().filter(|(object, _)| shows(object));
    let folding = Folding { wanted, seen: seen.map(|(object, kept)| (&**object, &**kept)).collect() };
    let mut problems: Vec<Problem> =
        folding.rows().into_values().filter_map(|row| row.tell(wanted)).collect();
    problems.sort_by(|a, b| {
        let gravest = b.severity.cmp(&a.severity).then(b.objects.cmp(&a.objects));
        gravest.then(b.first_seen_ms.cmp(&a.first_seen_ms)).then_with(|| a.subject.cmp(&b.subject))
    });
    problems
}

impl<'a> Folding<'a> {
    fn rows(&self) -> BTreeMap<Key<'a>, Row<'a>> {
        let mut rows: BTreeMap<Key<'a>, Row<'a>> = BTreeMap::new();
        let mut symptoms = Vec::new();
        for (object, kept) in &self.seen {
            for found in &kept.findings {
                let one = One { object, kept, found };
                // Of causes in a circle none is the last: each is told by itself.
                match self.cause(one).filter(|cause| self.cause(*cause).is_none()) {
                    None => self.row(&mut rows, one).add(one, self.is_meant(one)),
                    Some(cause) => symptoms.push((cause, one)),
                }
            }
        }
        for (cause, symptom) in symptoms {
            self.row(&mut rows, cause).add_symptom(symptom, self.is_meant(symptom));
        }
        rows
    }

    fn row<'r>(&self, rows: &'r mut BTreeMap<Key<'a>, Row<'a>>, one: One<'a>) -> &'r mut Row<'a> {
        let subject = self.subject(one);
        let key = (subject, one.found.finding.cause, one.found.finding.message.as_str());
        rows.entry(key).or_insert_with(|| Row::of(subject))
    }

    /// What a finding is a consequence of in the end, where that is known and may be seen.
    fn cause(&self, one: One<'a>) -> Option<One<'a>> {
        let mut passed: BTreeSet<&ObjectRef> = BTreeSet::from([one.object]);
        let mut at = one;
        for _ in 0..CAUSES {
            let Some(because_of) = &at.found.finding.because_of else { break };
            let Some((object, kept)) = self.seen.get_key_value(because_of) else { break };
            if !passed.insert(*object) {
                break;
            }
            at = One { object, kept, found: gravest(kept)? };
        }
        (at.object != one.object).then_some(at)
    }

    /// The workload, as far up as the caller sees.
    fn subject(&self, one: One<'a>) -> &'a ObjectRef {
        let mut subject = one.object;
        for owner in &one.kept.owners {
            if is_workload(subject) || !shows(self.wanted.visibility, owner) {
                break;
            }
            subject = owner;
        }
        subject
    }

    fn is_meant(&self, one: One<'_>) -> bool {
        self.wanted.beside.contains(one.object)
            || self.wanted.request.is_none_or(|request| {
                std::iter::once(one.object).chain(&one.kept.owners).any(|object| is_asked(request, object))
            })
    }
}

/// What stands for an object as a cause: what is not itself a consequence, before what is.
fn gravest(kept: &Kept) -> Option<&Found> {
    kept.findings.iter().max_by_key(|found| (found.finding.because_of.is_none(), found.finding.severity))
}

fn is_workload(object: &ObjectRef) -> bool {
    WORKLOADS.iter().any(|(group, resource)| object.kind.group == *group && object.kind.resource == *resource)
}

/// Whether a request names the object itself.
pub(crate) fn is_asked(request: &ProblemsRequest, object: &ObjectRef) -> bool {
    let any = |patterns: &[kubeplex_proto::pattern::Pattern], name: Option<&str>| {
        patterns.is_empty() || name.is_some_and(|name| patterns.iter().any(|pattern| pattern.matches(name)))
    };
    request.kind.as_ref().is_none_or(|kind| object.kind == *kind)
        && any(&request.namespaces, object.namespace.as_deref())
        && any(&request.names, Some(&object.name))
}

pub(crate) fn shows(visibility: &Visibility, object: &ObjectRef) -> bool {
    let seen = visibility.for_kind(&object.kind);
    if object.kind == GroupResource::new("", "namespaces") {
        return seen.shows_namespace(&object.name);
    }
    seen.shows(object.namespace.as_deref(), &object.name)
}

/// As it is told.
pub(super) fn told(severity: Severity) -> kubeplex_proto::problems::ProblemSeverity {
    use kubeplex_proto::problems::ProblemSeverity;
    match severity {
        Severity::Info => ProblemSeverity::Info,
        Severity::Warning => ProblemSeverity::Warning,
        Severity::Critical => ProblemSeverity::Critical,
    }
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
