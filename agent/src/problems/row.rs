//! One problem while it is put together.

use std::collections::{BTreeMap, BTreeSet};

use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::problems::{Problem, ProblemEvidence, ProblemNext, ProblemObject, Symptom};

use super::ObjectRef;
use super::finding::{Evidence, Next, Source};
use super::fold::{One, Wanted, told};
use crate::limits::{PROBLEM_EVIDENCE, PROBLEM_EXAMPLES, PROBLEM_SYMPTOMS};

/// Findings of one cause in one workload, and their consequences.
pub(super) struct Row<'a> {
    subject: &'a ObjectRef,
    /// With whether somebody asked for it.
    own: Vec<(One<'a>, bool)>,
    symptoms: Vec<(One<'a>, bool)>,
}

impl<'a> Row<'a> {
    pub(super) fn of(subject: &'a ObjectRef) -> Self {
        Self { subject, own: Vec::new(), symptoms: Vec::new() }
    }

    pub(super) fn add(&mut self, one: One<'a>, is_meant: bool) {
        self.own.push((one, is_meant));
    }

    pub(super) fn add_symptom(&mut self, one: One<'a>, is_meant: bool) {
        self.symptoms.push((one, is_meant));
    }

    /// `None` where it is not asked for. A cause is told where one of its symptoms is asked for, and then with all of its own
    /// objects.
    pub(super) fn tell(&self, wanted: &Wanted<'_>) -> Option<Problem> {
        let is_meant = self.own.iter().chain(&self.symptoms).any(|(_, is_meant)| *is_meant);
        if !is_meant {
            return None;
        }
        let own_is_meant = self.own.iter().any(|(_, is_meant)| *is_meant);
        let own = self.own.iter().filter(|(_, is_meant)| *is_meant || !own_is_meant);
        let mut own: Vec<One<'a>> = own.map(|(one, _)| *one).collect();
        own.sort_by_key(|one| (since_ms(one), one.object));
        let symptoms = self.symptoms.iter().filter(|(_, is_meant)| *is_meant || own_is_meant);
        let symptoms: Vec<One<'a>> = symptoms.map(|(one, _)| *one).collect();
        let first = own.first()?;
        let severity = told(own.iter().map(|one| one.found.finding.severity).max()?);
        let last_seen = own.iter().map(|one| one.found.finding.last_seen_ms);
        // One that is so now is seen later than all that were.
        let last_seen_ms = last_seen.max_by_key(|at| at.unwrap_or(i64::MAX)).flatten();
        if !in_time(last_seen_ms, wanted) || wanted.request.is_some_and(|request| severity < request.severity)
        {
            return None;
        }
        let objects: BTreeSet<&ObjectRef> = own.iter().map(|one| one.object).collect();
        Some(Problem {
            cause: first.found.finding.cause.to_owned(),
            severity,
            message: first.found.finding.message.clone(),
            subject: named(self.subject),
            objects: objects.len() as u64,
            examples: examples(own.iter().map(|one| one.object)),
            evidence: first.found.finding.evidence.iter().take(PROBLEM_EVIDENCE).map(evidence).collect(),
            first_seen_ms: since_ms(first),
            last_seen_ms,
            symptoms: folded(&symptoms),
            next: first.found.finding.next.as_ref().map(next),
        })
    }
}

fn since_ms(one: &One<'_>) -> i64 {
    one.found.finding.since_ms.unwrap_or(one.found.found_ms)
}

fn in_time(last_seen_ms: Option<i64>, wanted: &Wanted<'_>) -> bool {
    let Some(request) = wanted.request else { return true };
    let seen_ms = last_seen_ms.unwrap_or(wanted.now_ms);
    request.since.is_none_or(|since| seen_ms >= since.at_ms(wanted.now_ms))
        && request.until.is_none_or(|until| seen_ms <= until.at_ms(wanted.now_ms))
}

/// By what they are and of which kind, the commonest first.
fn folded(symptoms: &[One<'_>]) -> Vec<Symptom> {
    let mut alike: BTreeMap<(&str, &GroupResource), BTreeSet<&ObjectRef>> = BTreeMap::new();
    for one in symptoms {
        alike.entry((one.found.finding.cause, &one.object.kind)).or_default().insert(one.object);
    }
    let symptom = |((cause, kind), objects): ((&str, &GroupResource), BTreeSet<&ObjectRef>)| Symptom {
        cause: cause.to_owned(),
        kind: kind.clone(),
        objects: objects.len() as u64,
        examples: examples(objects.into_iter()),
    };
    let mut folded: Vec<Symptom> = alike.into_iter().map(symptom).collect();
    folded.sort_by(|a, b| b.objects.cmp(&a.objects).then_with(|| a.cause.cmp(&b.cause)));
    folded.truncate(PROBLEM_SYMPTOMS);
    folded
}

/// Some of them, each once.
fn examples<'o>(objects: impl Iterator<Item = &'o ObjectRef>) -> Vec<ProblemObject> {
    let mut examples: Vec<ProblemObject> = Vec::new();
    for object in objects.map(named) {
        if examples.len() < PROBLEM_EXAMPLES && !examples.contains(&object) {
            examples.push(object);
        }
    }
    examples
}

fn named(object: &ObjectRef) -> ProblemObject {
    let ObjectRef { kind, namespace, name } = object.clone();
    ProblemObject { kind, namespace, name }
}

fn evidence(evidence: &Evidence) -> ProblemEvidence {
    let source = match evidence.source {
        Source::Condition => "condition",
        Source::Event => "event",
        Source::Container => "container",
        Source::Field => "field",
    };
    ProblemEvidence { source: source.to_owned(), text: evidence.text.clone(), at_ms: evidence.at_ms }
}

fn next(next: &Next) -> ProblemNext {
    let arguments = next.arguments.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    ProblemNext { tool: next.tool.to_owned(), arguments: arguments.collect() }
}
