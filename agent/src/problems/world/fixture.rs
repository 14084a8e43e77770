//! A cluster for tests, from a few objects.

use std::collections::HashSet;
use std::sync::Arc;

use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::selector::LabelSelector;
use serde_json::{Value, json};

use super::{Subject, World};
use crate::problems::analysers::CAUSES;
use crate::problems::{Analyser, Finding, ObjectRef, Verdict};

/// `2026-11-23T12:00:00Z`.
const NOW_MS: i64 = 1_795_435_200_000;

/// Knows every kind, unless it is told otherwise.
#[derive(Default)]
pub struct Fixture {
    objects: Vec<(GroupResource, Arc<Value>)>,
    events: Vec<(String, Arc<Value>)>,
    unknown: HashSet<GroupResource>,
}

/// So many minutes before now, as the API writes it.
pub fn ago(minutes: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(NOW_MS - minutes * 60_000);
    at.expect("a time in range").to_string()
}

impl Fixture {
    pub fn new() -> Self {
        Self::default()
    }

    /// Beside the others: an object of a kind as kubectl writes it (`deployments.apps`).
    pub fn with(mut self, kind: &str, object: Value) -> Self {
        self.objects.push((parse(kind), Arc::new(object)));
        self
    }

    /// A warning about the object of this name, five minutes old, seen last a minute ago.
    pub fn warning(self, name: &str, reason: &str, message: &str) -> Self {
        self.event(name, json!({"type": "Warning", "reason": reason, "message": message}))
    }

    /// Any event about the object of this name, by default seen last a minute ago.
    pub fn event(mut self, name: &str, mut event: Value) -> Self {
        if event.get("lastTimestamp").is_none() {
            event["firstTimestamp"] = ago(5).into();
            event["lastTimestamp"] = ago(1).into();
        }
        self.events.push((name.to_owned(), Arc::new(event)));
        self
    }

    pub fn without_knowing(mut self, kind: &str) -> Self {
        self.unknown.insert(parse(kind));
        self
    }

    /// What an analyser says of an object, one line a finding:
    /// `Critical CrashLoop: container app exits with code 1 <- nodes/n1`.
    ///
    /// # Panics
    /// When a cause is found that the table of causes does not have.
    pub fn judge(&self, judge: Analyser, kind: &str, object: &Value) -> (Vec<String>, Verdict) {
        self.judge_written_as(judge, kind, object, None)
    }

    /// The same of an object whose last writer wrote it in this version.
    ///
    /// # Panics
    /// When a cause is found that the table of causes does not have.
    pub fn judge_written_as(
        &self,
        judge: Analyser,
        kind: &str,
        object: &Value,
        written_as: Option<&str>,
    ) -> (Vec<String>, Verdict) {
        let kind = parse(kind);
        let mut verdict = Verdict::default();
        judge(&Subject { kind: &kind, object, written_as }, self, &mut verdict);
        let lines = verdict.findings.iter().map(line).collect();
        (lines, verdict)
    }
}

fn parse(kind: &str) -> GroupResource {
    kind.parse().unwrap_or_else(|never| match never {})
}

fn line(finding: &Finding) -> String {
    let known = CAUSES.iter().flat_map(|causes| *causes).find(|cause| cause.name == finding.cause);
    let known = known.unwrap_or_else(|| panic!("the table of causes does not have {}", finding.cause));
    assert!(
        known.severities.contains(&finding.severity),
        "the table of causes does not say that {} may be {:?}",
        finding.cause,
        finding.severity
    );
    assert!(!finding.evidence.is_empty(), "nothing shows {}", finding.cause);
    let because = finding.because_of.as_ref().map(|other| format!(" <- {}/{}", other.kind, other.name));
    let Finding { severity, cause, message, .. } = finding;
    format!("{severity:?} {cause}: {message}{}", because.unwrap_or_default())
}

fn is_in(object: &Value, namespace: Option<&str>) -> bool {
    namespace.is_none_or(|namespace| object["metadata"]["namespace"] == namespace)
}

impl World for Fixture {
    fn now_ms(&self) -> i64 {
        NOW_MS
    }

    fn knows(&self, kind: &GroupResource) -> bool {
        !self.unknown.contains(kind)
    }

    fn get(&self, kind: &GroupResource, namespace: Option<&str>, name: &str) -> Option<Arc<Value>> {
        let objects = self.list(kind, namespace);
        objects.into_iter().find(|object| object["metadata"]["name"] == name)
    }

    fn one(&self, kind: &GroupResource, namespace: &str, labels: &LabelSelector) -> Option<Arc<Value>> {
        self.select(kind, namespace, labels).into_iter().next()
    }

    fn select(&self, kind: &GroupResource, namespace: &str, labels: &LabelSelector) -> Vec<Arc<Value>> {
        let objects = self.list(kind, Some(namespace)).into_iter();
        objects
            .filter(|object| labels.matches(|key| object["metadata"]["labels"].get(key)?.as_str()))
            .collect()
    }

    fn list(&self, kind: &GroupResource, namespace: Option<&str>) -> Vec<Arc<Value>> {
        let objects = self.objects.iter().filter(|(of, _)| of == kind && self.knows(kind));
        objects.map(|(_, object)| object).filter(|object| is_in(object, namespace)).cloned().collect()
    }

    fn events_of(&self, object: &ObjectRef) -> Vec<Arc<Value>> {
        let events = self.events.iter().filter(|(name, _)| *name == object.name);
        events.map(|(_, event)| event.clone()).collect()
    }
}
