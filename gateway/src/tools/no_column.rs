//! What tools with columns of their own say of one that there is not.

use kubeplex_proto::nearest::nearest;

use crate::error::CallError;

/// Columns of a tool, as they are called in the plural with what they are of.
pub(super) struct Known<'a> {
    /// `clusters`.
    pub(super) of: &'a str,
    pub(super) columns: &'a [&'a str],
    /// Whether labels of clusters are columns beside these.
    pub(super) cluster_labels: bool,
}

/// `argument` is the one that names it.
pub(super) fn no_column(argument: &str, name: &str, known: &Known<'_>) -> CallError {
    let Known { of, columns, cluster_labels } = *known;
    let near = nearest(name, columns.iter().copied());
    let near = if near.is_empty() { String::new() } else { format!("did you mean {}? ", near.join(", ")) };
    let name: String = name.chars().take(60).collect();
    let beside = if cluster_labels { " and cluster.labels.NAME" } else { "" };
    CallError::invalid(format!(
        "{argument}: {of} have no column \"{name}\"; {near}there are {}{beside}",
        columns.join(", ")
    ))
}
