//! What there is to know of a cluster.

use kubeplex_proto::column::same_column;
use kubeplex_proto::duration::human_duration;
use kubeplex_proto::problems::ProblemCounts;
use kubeplex_proto::sort::KeyValue;
use serde_json::{Map, Value};

use crate::clock::Steady;
use crate::escape::one_line;
use crate::fleet::{ClusterView, LinkState};

/// A clock that is off by more is said.
const WORTH_SAYING_MS: u64 = 5_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tools) enum ClusterColumn {
    Name,
    /// `never`, `connected`, `suspect`, `lost`.
    Link,
    /// How long the link has been so.
    LinkAge,
    /// The oldest proof over the cached kinds.
    DataAge,
    Version,
    /// Ready of all.
    Nodes,
    /// How many, by severity; `0` where its agent looks for them and finds none.
    Problems,
    Labels,
    /// The cluster's clock less the agent's, where it is worth saying.
    ClockOffset,
    /// What stands between the agent and its API server, and an agent too many.
    Problem,
    Agent,
    Label(String),
}

/// When a column is in an answer for which nobody chose columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tools) enum Shown {
    Always,
    /// Where some cluster has something to say in it.
    InTrouble,
    /// Never; it has to be asked for.
    OnRequest,
}

impl ClusterColumn {
    pub(in crate::tools) const ALL: [Self; 11] = [
        Self::Name,
        Self::Link,
        Self::LinkAge,
        Self::DataAge,
        Self::Version,
        Self::Nodes,
        Self::Problems,
        Self::Labels,
        Self::ClockOffset,
        Self::Problem,
        Self::Agent,
    ];

    pub(in crate::tools) fn name(&self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Link => "link",
            Self::LinkAge => "linkAge",
            Self::DataAge => "dataAge",
            Self::Version => "version",
            Self::Nodes => "nodes",
            Self::Problems => "problems",
            Self::Labels => "labels",
            Self::ClockOffset => "clockOffset",
            Self::Problem => "problem",
            Self::Agent => "agent",
            Self::Label(_) => "label",
        }
    }

    /// By name, or `labels.region`.
    pub(super) fn parse(name: &str) -> Option<Self> {
        if let Some(label) = name.strip_prefix("labels.") {
            return Some(Self::Label(label.to_owned()));
        }
        Self::ALL.into_iter().find(|column| same_column(column.name(), name))
    }

    /// When it is shown.
    pub(in crate::tools) fn shown(&self) -> Shown {
        match self {
            Self::Name
            | Self::Link
            | Self::LinkAge
            | Self::DataAge
            | Self::Version
            | Self::Nodes
            | Self::Labels => Shown::Always,
            Self::Problems | Self::ClockOffset | Self::Problem => Shown::InTrouble,
            Self::Agent | Self::Label(_) => Shown::OnRequest,
        }
    }

    pub(super) fn cell(&self, cluster: &ClusterView) -> Value {
        let report = &cluster.report;
        match self {
            Self::Name => cluster.id.as_str().into(),
            Self::Link => cluster.link.as_str().into(),
            Self::LinkAge => age(cluster.link_since_ms),
            Self::DataAge => cluster.data_age_ms().map_or(Value::Null, age),
            Self::Version => said(&report.kubernetes_version),
            Self::Nodes => {
                cluster.nodes.map_or(Value::Null, |nodes| format!("{}/{}", nodes.ready, nodes.all).into())
            }
            Self::Problems => report.problems.map_or(Value::Null, problems),
            Self::Labels => labels(cluster),
            Self::ClockOffset if report.clock_offset_ms.unsigned_abs() <= WORTH_SAYING_MS => Value::Null,
            Self::ClockOffset => offset(report.clock_offset_ms).into(),
            Self::Problem => said(&cluster.problem()),
            Self::Agent => said(&cluster.agent_version),
            Self::Label(label) => cluster.labels.get(label).map_or(Value::Null, |value| said(value)),
        }
    }

    pub(super) fn sort_value(&self, cluster: &ClusterView) -> KeyValue {
        let until_now = |moment: Steady| KeyValue::from_ms(moment.as_ms().saturating_neg());
        let count = |count: u64| i64::try_from(count).map_or(KeyValue::Missing, KeyValue::from_integer);
        match self {
            // An age grows as the moment that it counts from falls.
            Self::LinkAge => KeyValue::from_ms(cluster.link_changed_ms.saturating_neg()),
            Self::DataAge => cluster.caches.oldest_proof().map_or(KeyValue::Missing, until_now),
            Self::Nodes => cluster.nodes.map_or(KeyValue::Missing, |nodes| count(nodes.all)),
            Self::Problems => cluster.report.problems.map_or(KeyValue::Missing, gravity),
            Self::ClockOffset => KeyValue::from_ms(cluster.report.clock_offset_ms),
            Self::Link => KeyValue::from_integer(match cluster.link {
                LinkState::Connected => 0,
                LinkState::Suspect => 1,
                LinkState::Lost => 2,
                LinkState::Never => 3,
            }),
            Self::Labels => KeyValue::Missing,
            other => other.cell(cluster).as_str().map_or(KeyValue::Missing, KeyValue::by_value),
        }
    }
}

fn age(ms: u64) -> Value {
    human_duration(i64::try_from(ms).unwrap_or(i64::MAX)).into()
}

/// `null` while it was never said.
fn said(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { one_line(text).into() }
}

/// `2 critical, 1 info`.
fn problems(counts: ProblemCounts) -> Value {
    let ProblemCounts { critical, warning, info } = counts;
    let counts = [(critical, "critical"), (warning, "warning"), (info, "info")];
    let told =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, severity)| format!("{count} {severity}"));
    let told = told.collect::<Vec<_>>().join(", ");
    if told.is_empty() { 0.into() } else { told.into() }
}

/// One that is critical weighs more than any number of others.
fn gravity(counts: ProblemCounts) -> KeyValue {
    const MORE: u64 = 1_000_000;
    let ProblemCounts { critical, warning, info } = counts;
    let weight = (critical.min(MORE) * MORE + warning.min(MORE - 1)) * MORE + info.min(MORE - 1);
    KeyValue::from_integer(i64::try_from(weight).unwrap_or(i64::MAX))
}

fn labels(cluster: &ClusterView) -> Value {
    let labels = cluster.labels.iter().map(|(key, value)| (key.clone(), said(value)));
    labels.collect::<Map<_, _>>().into()
}

/// `+7s`, `-2m5s`.
fn offset(ms: i64) -> String {
    let sign = if ms < 0 { '-' } else { '+' };
    format!("{sign}{}", human_duration(i64::try_from(ms.unsigned_abs()).unwrap_or(i64::MAX)))
}
