//! The kinds of many clusters, each once: which of them have it, and which do not.

use std::collections::BTreeMap;

use kubeplex_proto::kind::{GroupResource, KindInfo, KindTable};
use kubeplex_proto::status::LegStatus;
use kubeplex_proto::visibility::Visibility;

use crate::fleet::ClusterView;
use crate::request::{KindsQuery, LegId};

use super::{Coverage, LegFailure, LegOutcome, RowsShown};

/// A kind that some cluster serves.
#[derive(Debug)]
pub(crate) struct ServedKind<'q> {
    /// As the first of the clusters describes it.
    pub(crate) info: &'q KindInfo,
    /// Of all clusters, the preferred ones first.
    pub(crate) versions: Vec<&'q str>,
    /// Clusters that have it.
    pub(crate) served: Vec<LegId>,
    /// Clusters that do not. One that said nothing of the kind's group is neither.
    pub(crate) missing: Vec<LegId>,
}

/// The kinds asked for that the caller may see something of, by group and name.
pub(crate) fn served<'q>(query: &'q KindsQuery, visibility: &Visibility) -> Vec<ServedKind<'q>> {
    let tables = || {
        let targets = query.targets.iter().enumerate();
        targets.filter_map(|(at, target)| Some((LegId(at), target.cluster.kinds.as_deref()?)))
    };
    let mut found: BTreeMap<&GroupResource, ServedKind<'q>> = BTreeMap::new();
    for (leg, table) in tables() {
        for info in table.kinds.iter().filter(|info| is_asked(query, info) && visibility.shows_kind(info)) {
            let new = || ServedKind { info, versions: Vec::new(), served: Vec::new(), missing: Vec::new() };
            let kind = found.entry(&info.id).or_insert_with(new);
            kind.served.push(leg);
            for version in std::iter::once(&info.version).chain(&info.versions) {
                if !kind.versions.contains(&version.as_str()) {
                    kind.versions.push(version);
                }
            }
        }
    }
    for kind in found.values_mut() {
        let lacks = |(leg, table): (LegId, &KindTable)| {
            let knows = table.failed_groups.iter().all(|(group, _)| *group != kind.info.id.group);
            (knows && !kind.served.contains(&leg)).then_some(leg)
        };
        kind.missing = tables().filter_map(lacks).collect();
    }
    found.into_values().collect()
}

fn is_asked(query: &KindsQuery, info: &KindInfo) -> bool {
    query.kinds.is_empty() || query.kinds.iter().any(|named| named.means(info))
}

/// What each cluster contributed to `kinds`.
pub(crate) fn coverage(query: &KindsQuery, visibility: &Visibility, kinds: &[ServedKind<'_>]) -> Coverage {
    let outcome = |at: usize, cluster: &ClusterView| {
        let total = kinds.iter().filter(|kind| kind.served.contains(&LegId(at))).count() as u64;
        LegOutcome { total: Some(total), ..outcome(cluster, visibility) }
    };
    let targets = query.targets.iter().enumerate();
    Coverage { legs: targets.map(|(at, target)| outcome(at, &target.cluster)).collect() }
}

fn outcome(cluster: &ClusterView, visibility: &Visibility) -> LegOutcome {
    let trouble = LegFailure::of_cluster(cluster);
    match (&cluster.kinds, trouble) {
        (None, trouble) => {
            let waiting =
                || LegFailure::new(LegStatus::Syncing, "its agent is still finding out what it serves");
            LegOutcome::failed(cluster, trouble.unwrap_or_else(waiting), RowsShown::None)
        }
        (Some(_), Some(failure)) => {
            let heard = cluster.heard;
            LegOutcome { as_of: heard, heard, ..LegOutcome::failed(cluster, failure, RowsShown::Old) }
        }
        (Some(table), None) => LegOutcome {
            heard: cluster.heard,
            message: silent_groups(table, visibility),
            ..LegOutcome::answered(cluster.id.clone(), LegStatus::Ok)
        },
    }
}

/// Groups whose aggregated API server is down: nobody knows what is in them.
fn silent_groups(table: &KindTable, visibility: &Visibility) -> Option<String> {
    // Who sees nothing of a group does not hear that there is one.
    let silent = table.failed_groups.iter().filter(|(group, _)| visibility.reaches_group(group));
    let silent: Vec<_> =
        silent.map(|(group, why)| format!("{group} ({})", why.trim_end_matches('.'))).collect();
    let message = || format!("its kinds in groups that do not answer are missing: {}", silent.join("; "));
    (!silent.is_empty()).then(message)
}
