//! What there is to know of a problem over clusters.

use std::collections::BTreeSet;

use kubeplex_proto::column::same_column;
use kubeplex_proto::duration::human_duration;
use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::problems::{Problem, ProblemObject, ProblemSeverity};
use kubeplex_proto::sort::KeyValue;
use serde_json::Value;

use super::next;
use crate::clock::Steady;
use crate::escape::one_line;
use crate::merge::FleetProblem;
use crate::render::word;
use crate::request::{Field, LegId, ProblemsQuery};
use crate::tools::clusters_list::Shown;

/// Names in a cell; of more the number.
const MAX_NAMED: usize = 3;
/// Pieces of evidence in a cell, and characters of each.
const MAX_EVIDENCE: usize = 2;
const EVIDENCE_CHARS: usize = 160;

/// At which moment problems are read, as answers to what.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) query: &'a ProblemsQuery,
    pub(super) now: Steady,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tools) enum ProblemColumn {
    /// `critical`, `warning`, `info`.
    Severity,
    Cause,
    /// What it is wrong with: `deployments/cart`.
    Object,
    Namespace,
    Clusters,
    /// How many objects, and of which kind: `12 pods`.
    Objects,
    Message,
    /// What shows it, in the cluster's words.
    Evidence,
    /// What else is wrong because of it.
    Symptoms,
    /// How long it is so.
    FirstSeen,
    /// How long ago it was so last, where it is not so now.
    LastSeen,
    /// Some of the objects.
    Examples,
    /// A call that says more.
    Next,
}

impl ProblemColumn {
    pub(in crate::tools) const ALL: [Self; 13] = [
        Self::Severity,
        Self::Cause,
        Self::Object,
        Self::Namespace,
        Self::Clusters,
        Self::Objects,
        Self::Message,
        Self::Evidence,
        Self::Symptoms,
        Self::FirstSeen,
        Self::LastSeen,
        Self::Examples,
        Self::Next,
    ];

    pub(in crate::tools) fn name(self) -> &'static str {
        match self {
            Self::Severity => "severity",
            Self::Cause => "cause",
            Self::Object => "object",
            Self::Namespace => "namespace",
            Self::Clusters => "clusters",
            Self::Objects => "objects",
            Self::Message => "message",
            Self::Evidence => "evidence",
            Self::Symptoms => "symptoms",
            Self::FirstSeen => "firstSeen",
            Self::LastSeen => "lastSeen",
            Self::Examples => "examples",
            Self::Next => "next",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| same_column(column.name(), name))
    }

    /// When it is shown.
    pub(in crate::tools) fn shown(self) -> Shown {
        match self {
            Self::Symptoms | Self::LastSeen => Shown::InTrouble,
            Self::Examples => Shown::OnRequest,
            _ => Shown::Always,
        }
    }

    /// Whether it reads otherwise as time passes.
    pub(super) fn moves(self) -> bool {
        matches!(self, Self::FirstSeen | Self::LastSeen)
    }

    pub(super) fn cell(self, reading: Reading<'_>, problem: &FleetProblem<'_>) -> Value {
        let (_, first) = problem.first();
        match self {
            Self::Severity => word(&problem.severity()).into(),
            Self::Cause => said(&first.cause),
            Self::Object => said(&named(&first.subject)),
            Self::Namespace => few(problem.namespaces(), "namespaces"),
            Self::Clusters => few(names(reading.query, problem), "clusters"),
            Self::Objects => said(&counted(problem.objects(), kind_of(first))),
            Self::Message => said(&first.message),
            Self::Evidence => evidence(first),
            Self::Symptoms => symptoms(problem),
            Self::FirstSeen => human_duration(problem.first_seen_ago_ms(reading.now)).into(),
            Self::LastSeen => {
                problem.last_seen_ago_ms(reading.now).map_or(Value::Null, |ago| human_duration(ago).into())
            }
            Self::Examples => examples(problem),
            Self::Next => next::call(reading.query, problem),
        }
    }

    fn sort_value(self, reading: Reading<'_>, problem: &FleetProblem<'_>) -> KeyValue {
        let count = |count: u64| KeyValue::from_integer(i64::try_from(count).unwrap_or(i64::MAX));
        match self {
            Self::Severity => KeyValue::from_integer(match problem.severity() {
                ProblemSeverity::Info => 0,
                ProblemSeverity::Warning => 1,
                ProblemSeverity::Critical => 2,
            }),
            Self::Clusters => count(problem.clusters().len() as u64),
            Self::Objects => count(problem.objects()),
            // Of times since a moment the moment counts: it does not move between two pages.
            Self::FirstSeen => KeyValue::from_ms(problem.first_seen_ms().saturating_neg()),
            Self::LastSeen => KeyValue::from_ms(problem.last_seen_ms().unwrap_or(i64::MAX).saturating_neg()),
            other => match other.cell(reading, problem) {
                Value::String(text) => KeyValue::text(&text),
                _ => KeyValue::Missing,
            },
        }
    }
}

impl Reading<'_> {
    pub(super) fn cell(self, field: &Field, problem: &FleetProblem<'_>) -> Value {
        match field {
            Field::Object(word) => {
                ProblemColumn::parse(word).map_or(Value::Null, |column| column.cell(self, problem))
            }
            Field::Namespace => ProblemColumn::Namespace.cell(self, problem),
            Field::Cluster => ProblemColumn::Clusters.cell(self, problem),
            Field::ClusterLabel(label) => {
                let clusters = problem.clusters().into_iter().filter_map(|leg| self.query.targets.get(leg.0));
                let values: BTreeSet<&str> =
                    clusters.filter_map(|target| Some(target.cluster.labels.get(label)?.as_str())).collect();
                said(&values.into_iter().collect::<Vec<_>>().join(", "))
            }
        }
    }

    pub(super) fn sort_value(self, field: &Field, problem: &FleetProblem<'_>) -> KeyValue {
        match field {
            Field::Object(word) => ProblemColumn::parse(word)
                .map_or(KeyValue::Missing, |column| column.sort_value(self, problem)),
            other => match self.cell(other, problem) {
                Value::String(text) => KeyValue::text(&text),
                _ => KeyValue::Missing,
            },
        }
    }
}

/// As a tool takes it: `deployments/cart`. Groups of Kubernetes' own kinds need not be said.
pub(super) fn named(object: &ProblemObject) -> String {
    let GroupResource { group, resource } = &object.kind;
    match group.contains('.') && !group.ends_with(".k8s.io") {
        true => format!("{}/{}", object.kind, object.name),
        false => format!("{resource}/{}", object.name),
    }
}

/// The kind of the objects, where it is one.
fn kind_of(problem: &Problem) -> Option<&GroupResource> {
    let mut kinds = problem.examples.iter().map(|example| &example.kind);
    let first = kinds.next()?;
    kinds.all(|kind| kind == first).then_some(first)
}

fn counted(count: u64, kind: Option<&GroupResource>) -> String {
    match kind {
        Some(kind) if count == 1 => format!("1 {}", singular(&kind.resource)),
        Some(kind) => format!("{count} {}", kind.resource),
        None => format!("{count} objects"),
    }
}

/// Of `ingresses`, `storageclasses` and `networkpolicies` too.
fn singular(resource: &str) -> String {
    match (resource.strip_suffix("ies"), resource.strip_suffix("sses"), resource.strip_suffix('s')) {
        (Some(stem), ..) => format!("{stem}y"),
        (_, Some(stem), _) => format!("{stem}ss"),
        (_, _, Some(stem)) => stem.to_owned(),
        _ => resource.to_owned(),
    }
}

fn names<'a>(query: &'a ProblemsQuery, problem: &FleetProblem<'_>) -> impl Iterator<Item = &'a str> {
    let clusters = problem.clusters().into_iter();
    clusters.filter_map(|leg: LegId| Some(query.targets.get(leg.0)?.cluster.id.as_str()))
}

fn few<'n>(names: impl IntoIterator<Item = &'n str>, noun: &str) -> Value {
    let names: Vec<&str> = names.into_iter().collect();
    if names.len() > MAX_NAMED { format!("{} {noun}", names.len()).into() } else { said(&names.join(", ")) }
}

fn evidence(problem: &Problem) -> Value {
    let pieces = problem.evidence.iter().take(MAX_EVIDENCE).map(|evidence| short(&evidence.text));
    said(&pieces.collect::<Vec<_>>().join("; "))
}

fn short(text: &str) -> String {
    match text.char_indices().nth(EVIDENCE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// `50 pods NodeLost, 1 deployment RolloutStuck`: added up over all places.
fn symptoms(problem: &FleetProblem<'_>) -> Value {
    let mut alike: Vec<(&str, &GroupResource, u64)> = Vec::new();
    for symptom in problem.places.iter().flat_map(|(_, problem)| &problem.symptoms) {
        let same =
            alike.iter_mut().find(|(cause, kind, _)| *cause == symptom.cause && **kind == symptom.kind);
        match same {
            Some((.., count)) => *count += symptom.objects,
            None => alike.push((&symptom.cause, &symptom.kind, symptom.objects)),
        }
    }
    alike.sort_by_key(|(.., count)| std::cmp::Reverse(*count));
    let told =
        alike.into_iter().map(|(cause, kind, count)| format!("{} {cause}", counted(count, Some(kind))));
    said(&told.collect::<Vec<_>>().join(", "))
}

fn examples(problem: &FleetProblem<'_>) -> Value {
    let examples = problem.places.iter().flat_map(|(_, problem)| &problem.examples).take(MAX_NAMED);
    said(&examples.map(named).collect::<Vec<_>>().join(", "))
}

fn said(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { one_line(text).into() }
}
