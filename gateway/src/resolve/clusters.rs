//! Which clusters a call means.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kubeplex_proto::nearest::nearest;
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::selector::LabelSelector;

use crate::error::{CallError, ErrorCode};
use crate::fleet::{ClusterView, Fleet};

use super::guard::short;
use super::lists::split;

/// Clusters named one by one in a message.
const MAX_NAMED: usize = 10;

/// The visible clusters that `cluster` names, by whatever they are called, and `clusterSelector` matches, by name; without
/// either, all.
///
/// # Errors
/// `not_found` for a name or a glob that matches nothing visible, with the nearest names, and for a selector that leaves
/// none; `invalid_argument` for one that can't be read.
pub(super) fn select(
    cluster: Option<&str>,
    selector: Option<&str>,
    fleet: &Fleet,
) -> Result<Vec<Arc<ClusterView>>, CallError> {
    let mut selected = match cluster {
        Some(text) => named(text, fleet)?,
        None => fleet.clusters().to_vec(),
    };
    if let Some(text) = selector {
        let selector: LabelSelector =
            text.parse().map_err(|error| CallError::invalid(format!("clusterSelector: {error}")))?;
        selected.retain(|cluster| selector.matches(|key| cluster.labels.get(key).map(String::as_str)));
        if selected.is_empty() {
            return Err(none_selected(text, fleet));
        }
    }
    Ok(selected)
}

fn named(text: &str, fleet: &Fleet) -> Result<Vec<Arc<ClusterView>>, CallError> {
    let patterns: Vec<_> = split("cluster", text)?.into_iter().map(Pattern::new).collect();
    for pattern in &patterns {
        if !fleet.clusters().iter().any(|cluster| is_meant(pattern, cluster)) {
            return Err(unknown(pattern, fleet));
        }
    }
    let is_named = |cluster: &&Arc<ClusterView>| patterns.iter().any(|pattern| is_meant(pattern, cluster));
    Ok(fleet.clusters().iter().filter(is_named).cloned().collect())
}

fn is_meant(pattern: &Pattern, cluster: &ClusterView) -> bool {
    cluster.names().any(|name| pattern.matches(name))
}

fn unknown(pattern: &Pattern, fleet: &Fleet) -> CallError {
    let names = || fleet.clusters().iter().map(|cluster| cluster.id.as_str());
    let wrong = short(pattern.as_str(), 60);
    let problem = match pattern.literal() {
        Some(_) => format!("cluster: there is no \"{wrong}\""),
        None => format!("cluster: no name matches \"{wrong}\""),
    };
    let count = fleet.clusters().len();
    let near = nearest(pattern.as_str(), fleet.clusters().iter().flat_map(|cluster| cluster.names()));
    let known = match count {
        _ if !near.is_empty() => format!("did you mean {}?", near.join(", ")),
        0 => "there is no cluster that you may see".to_owned(),
        1..=MAX_NAMED => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
        _ => format!(
            "there are {count}, {} among them",
            names().take(MAX_NAMED).collect::<Vec<_>>().join(", ")
        ),
    };
    CallError::new(ErrorCode::NotFound, format!("{problem}; {known}"))
        .with_hint("clusters_list shows the clusters; without cluster all are asked")
}

fn none_selected(text: &str, fleet: &Fleet) -> CallError {
    let mut labels: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (key, value) in fleet.clusters().iter().flat_map(|cluster| cluster.labels.iter()) {
        labels.entry(key).or_default().insert(value);
    }
    let known: Vec<_> = labels
        .iter()
        .take(MAX_NAMED)
        .map(|(key, values)| {
            format!("{key} ({})", values.iter().take(5).copied().collect::<Vec<_>>().join(", "))
        })
        .collect();
    let known = if known.is_empty() {
        "no cluster has labels".to_owned()
    } else {
        format!("labels are {}", known.join(", "))
    };
    CallError::new(
        ErrorCode::NotFound,
        format!("clusterSelector: \"{}\" leaves none of the clusters; {known}", short(text, 60)),
    )
}
