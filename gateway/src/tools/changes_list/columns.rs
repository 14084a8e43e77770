//! What there is to know of a change.

use kubeplex_proto::changes::{Change, Deed, FieldChange};
use kubeplex_proto::column::same_column;
use serde_json::Value;

use crate::escape::one_line;
use crate::merge::TimelineRow;
use crate::render::{folded, rfc3339};
use crate::request::ChangesQuery;
use crate::tools::clusters_list::Shown;

/// Clusters named in a cell; of more the number.
const MAX_NAMED: usize = 3;

/// Fields told in a cell; of more the number.
const MAX_FIELDS: usize = 3;

/// Characters of a value in a cell.
const MAX_VALUE_CHARS: usize = 60;

/// What stands before most fields that somebody changes.
const PREFIXES: [&str; 3] = ["spec.template.spec.", "spec.jobTemplate.spec.template.spec.", "spec."];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tools) enum ChangeColumn {
    Time,
    /// Or clusters, where it is the same in several.
    Cluster,
    Namespace,
    /// As in `Deployment/checkout`.
    Object,
    /// Old and new of what changed.
    Change,
    /// The field manager.
    By,
    /// What followed from it.
    Folded,
    /// How it is related to what was asked for.
    Relation,
    /// How sure it is.
    Note,
    Kind,
    Name,
    /// How many.
    Clusters,
}

impl ChangeColumn {
    pub(in crate::tools) const ALL: [Self; 12] = [
        Self::Time,
        Self::Cluster,
        Self::Namespace,
        Self::Object,
        Self::Change,
        Self::By,
        Self::Folded,
        Self::Relation,
        Self::Note,
        Self::Kind,
        Self::Name,
        Self::Clusters,
    ];

    pub(in crate::tools) fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Cluster => "cluster",
            Self::Namespace => "namespace",
            Self::Object => "object",
            Self::Change => "change",
            Self::By => "by",
            Self::Folded => "folded",
            Self::Relation => "relation",
            Self::Note => "note",
            Self::Kind => "kind",
            Self::Name => "name",
            Self::Clusters => "clusters",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| same_column(column.name(), name))
    }

    pub(in crate::tools) fn shown(self) -> Shown {
        match self {
            Self::Time | Self::Cluster | Self::Namespace | Self::Object | Self::Change | Self::By => {
                Shown::Always
            }
            Self::Folded | Self::Relation | Self::Note => Shown::InTrouble,
            Self::Kind | Self::Name | Self::Clusters => Shown::OnRequest,
        }
    }

    pub(super) fn cell(self, query: &ChangesQuery, row: &TimelineRow<'_>) -> Value {
        let change = row.change;
        let text = |text: &str| Value::from(one_line(text));
        match self {
            Self::Time => rfc3339(row.at_ms).into(),
            Self::Cluster => clusters(query, row).into(),
            Self::Namespace => change.namespace.as_deref().map_or(Value::Null, text),
            Self::Object => text(&format!("{}/{}", change.kind_name, change.name)),
            Self::Change => text(&what(row)),
            Self::By => change.by.as_deref().map_or(Value::Null, text),
            Self::Folded if row.folded.is_empty() => Value::Null,
            Self::Folded => text(&folded(&row.folded)),
            Self::Relation if change.relation.is_empty() => Value::Null,
            Self::Relation => text(&change.relation),
            Self::Note => note(row).map_or(Value::Null, Value::from),
            Self::Kind => text(&change.kind.to_string()),
            Self::Name => text(&change.name),
            Self::Clusters => row.legs.len().into(),
        }
    }
}

fn clusters(query: &ChangesQuery, row: &TimelineRow<'_>) -> String {
    let mut names: Vec<&str> = row.legs.iter().map(|leg| query.targets[leg.0].cluster.id.as_str()).collect();
    names.sort_unstable();
    let more = names.len().saturating_sub(MAX_NAMED);
    names.truncate(MAX_NAMED);
    match more {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

/// `containers[app].image: shop/checkout:1.8.1 → 1.8.2; replicas: 3 → 5`.
fn what(row: &TimelineRow<'_>) -> String {
    let change = row.change;
    let fields = fields(change);
    let deed = match change.deed {
        Deed::Created => "created",
        Deed::Changed if fields.is_empty() => "changed",
        Deed::Changed => "",
        Deed::Replaced => "deleted and created anew",
        Deed::DeletionAsked => "deletion asked for",
        Deed::Deleted => "deleted",
        Deed::Followed => "no change of its own",
    };
    let told = match (deed, fields.as_str()) {
        ("", fields) => fields.to_owned(),
        (deed, "") => deed.to_owned(),
        (deed, fields) => format!("{deed}: {fields}"),
    };
    if row.times > 1 { format!("{told} ({} times)", row.times) } else { told }
}

/// What several fields became alike is said once.
fn fields(change: &Change) -> String {
    let mut told: Vec<(String, Vec<&str>)> = Vec::new();
    for field in &change.fields {
        let path = PREFIXES.iter().find_map(|prefix| field.path.strip_prefix(prefix)).unwrap_or(&field.path);
        let became = became(path, field);
        match told.iter_mut().find(|(known, _)| *known == became) {
            Some((_, paths)) => paths.push(path),
            None => told.push((became, vec![path])),
        }
    }
    let left_out = told.iter().skip(MAX_FIELDS).map(|(_, paths)| paths.len()).sum::<usize>();
    let shown = told.iter().take(MAX_FIELDS);
    let mut parts: Vec<_> = shown.map(|(became, paths)| format!("{}: {became}", some(paths))).collect();
    match left_out + change.more_fields as usize {
        0 => {}
        more => parts.push(format!("{more} more")),
    }
    parts.join("; ")
}

/// Two of the paths, and how many more there are.
fn some(paths: &[&str]) -> String {
    match paths {
        [one] => (*one).to_owned(),
        [one, other] => format!("{one}, {other}"),
        [one, others @ ..] => format!("{one} and {} others", others.len()),
        [] => String::new(),
    }
}

fn became(path: &str, field: &FieldChange) -> String {
    match (&field.old, &field.new) {
        (Value::Null, new) => format!("set to {}", value(new)),
        (old, Value::Null) => format!("{} removed", value(old)),
        (old, new) => {
            let (old, new) = (value(old), value(new));
            // Of an image the same repository need not be said twice.
            let tag = old
                .rsplit_once(':')
                .zip(new.rsplit_once(':'))
                .filter(|((a, _), (b, _))| a == b && !a.is_empty());
            match tag {
                Some((_, (_, tag))) if path.ends_with(".image") => format!("{old} → {tag}"),
                _ => format!("{old} → {new}"),
            }
        }
    }
}

fn value(value: &Value) -> String {
    let text = match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(MAX_VALUE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn note(row: &TimelineRow<'_>) -> Option<String> {
    let since = row.after_ms.map(|after| format!("after {}", rfc3339(after)));
    match (row.change.inferred, since) {
        (true, Some(since)) => Some(format!("inferred, {since}")),
        (true, None) => Some("inferred".to_owned()),
        (false, since) => since,
    }
}
