//! What there is to know of a kind over clusters.

use kubeplex_proto::column::same_column;
use kubeplex_proto::kind::Scope;
use kubeplex_proto::sort::KeyValue;
use serde_json::Value;

use crate::escape::one_line;
use crate::merge::ServedKind;
use crate::request::{KindsQuery, LegId};
use crate::tools::clusters_list::Shown;

/// Clusters named in a cell; of more the number.
const MAX_NAMED: usize = 10;

/// The verbs that most kinds have: said in one word.
const USUAL_VERBS: [&str; 8] =
    ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tools) enum KindColumn {
    /// As in `deployments`.
    Name,
    Group,
    /// Preferred first, over all clusters.
    Versions,
    /// As in `Deployment`.
    Kind,
    Namespaced,
    ShortNames,
    Verbs,
    /// How many clusters have it.
    Clusters,
    /// Which do not.
    Missing,
    /// Which do.
    In,
}

impl KindColumn {
    pub(in crate::tools) const ALL: [Self; 10] = [
        Self::Name,
        Self::Group,
        Self::Versions,
        Self::Kind,
        Self::Namespaced,
        Self::ShortNames,
        Self::Verbs,
        Self::Clusters,
        Self::Missing,
        Self::In,
    ];

    pub(in crate::tools) fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Group => "group",
            Self::Versions => "versions",
            Self::Kind => "kind",
            Self::Namespaced => "namespaced",
            Self::ShortNames => "shortNames",
            Self::Verbs => "verbs",
            Self::Clusters => "clusters",
            Self::Missing => "missing",
            Self::In => "in",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| same_column(column.name(), name))
    }

    /// When it is shown.
    pub(in crate::tools) fn shown(self) -> Shown {
        match self {
            Self::Missing => Shown::InTrouble,
            Self::In => Shown::OnRequest,
            _ => Shown::Always,
        }
    }

    pub(super) fn cell(self, query: &KindsQuery, kind: &ServedKind<'_>) -> Value {
        let info = kind.info;
        match self {
            Self::Name => said(&info.id.resource),
            Self::Group => said(&info.id.group),
            Self::Versions => joined(&kind.versions),
            Self::Kind => said(&info.kind),
            Self::Namespaced => (info.scope == Scope::Namespaced).into(),
            Self::ShortNames => joined(&info.short_names),
            Self::Verbs if USUAL_VERBS.iter().all(|verb| info.has_verb(verb)) => "all".into(),
            Self::Verbs => joined(&info.verbs),
            Self::Clusters => kind.served.len().into(),
            Self::Missing => named(query, &kind.missing),
            Self::In => named(query, &kind.served),
        }
    }

    pub(super) fn sort_value(self, query: &KindsQuery, kind: &ServedKind<'_>) -> KeyValue {
        match self {
            Self::Missing => KeyValue::from_integer(i64::try_from(kind.missing.len()).unwrap_or(i64::MAX)),
            other => KeyValue::from_json(&other.cell(query, kind)),
        }
    }
}

fn said(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { one_line(text).into() }
}

fn joined<T: AsRef<str>>(texts: &[T]) -> Value {
    said(&texts.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(","))
}

fn named(query: &KindsQuery, legs: &[LegId]) -> Value {
    let names = legs.iter().take(MAX_NAMED).map(|leg| query.targets[leg.0].cluster.id.as_str());
    let mut named = names.collect::<Vec<_>>().join(", ");
    if legs.len() > MAX_NAMED {
        named.push_str(&format!(" and {} more", legs.len() - MAX_NAMED));
    }
    said(&named)
}
