//! What is known of clusters only when their agents have seen them: which are the same one, and which version each runs.
//!
//! Clusters are the same when their contexts lead to one address and the namespace `kube-system` has one UID there. Neither
//! alone will do: a restored copy of a cluster keeps its UIDs, and some front ends lead different users to different
//! clusters at one address. Who may not read that namespace can't be told to be on the same one, and stays apart.

use std::collections::HashMap;
use std::time::Duration;

use kubeplex_gateway::fleet::Fleet;
use kubeplex_gateway::registry::Registry;
use kubeplex_proto::ids::ClusterId;
use tokio_util::sync::CancellationToken;

use super::contexts::{Address, LocalCluster};

/// The cluster label with the minor version, by which clusters are selected.
const VERSION_LABEL: &str = "version";

/// How often what agents report is looked at, at most.
const PAUSE: Duration = Duration::from_millis(200);

/// A cluster, and what ends its agent.
pub(super) struct Member {
    pub(super) cluster: LocalCluster,
    pub(super) stop: CancellationToken,
    version: Option<String>,
}

impl Member {
    pub(super) fn new(cluster: LocalCluster, stop: CancellationToken) -> Self {
        Self { cluster, stop, version: None }
    }
}

/// Keeps looking at what agents report, for ever. Of clusters that turn out to be the same one, the first of `members` stays.
pub(super) async fn run(registry: Registry, mut members: Vec<Member>) {
    let mut changes = registry.changes();
    while changes.changed().await.is_ok() {
        look(&registry, &mut members);
        tokio::time::sleep(PAUSE).await;
    }
}

fn look(registry: &Registry, members: &mut Vec<Member>) {
    let fleet = registry.snapshot();
    for (kept, gone) in same(members, &fleet) {
        let gone = members.remove(gone);
        let member = &mut members[kept];
        tracing::info!(cluster = %member.cluster.id, other = %gone.cluster.id, "two contexts lead to one cluster");
        member.cluster.contexts.extend(gone.cluster.contexts);
        registry.forget(&gone.cluster.id);
        gone.stop.cancel();
        let mut aliases = member.cluster.aliases();
        aliases.push(gone.cluster.id.to_string());
        registry.name_also(&member.cluster.id, aliases);
        label(registry, member);
    }
    for member in members {
        let version = fleet.get(&member.cluster.id).and_then(|view| minor(&view.report.kubernetes_version));
        if version.is_some() && version != member.version {
            member.version = version;
            label(registry, member);
        }
    }
}

fn label(registry: &Registry, member: &Member) {
    let mut labels = member.cluster.labels();
    labels.extend(member.version.clone().map(|version| (VERSION_LABEL.to_owned(), version)));
    registry.expect(member.cluster.id.clone(), labels);
}

/// Pairs of places, the one that stays first: from the end of the list, so that taking one out moves none before it.
fn same(members: &[Member], fleet: &Fleet) -> Vec<(usize, usize)> {
    let uid = |id: &ClusterId| {
        let uid = fleet.get(id).map(|view| view.report.kube_system_uid.clone());
        uid.filter(|uid| !uid.is_empty())
    };
    let mut first: HashMap<(&Address, String), usize> = HashMap::new();
    let mut pairs = Vec::new();
    for (at, member) in members.iter().enumerate() {
        let Some((address, uid)) = member.cluster.address.as_ref().zip(uid(&member.cluster.id)) else {
            continue;
        };
        let kept = *first.entry((address, uid)).or_insert(at);
        if kept != at {
            pairs.push((kept, at));
        }
    }
    pairs.reverse();
    pairs
}

/// `v1.35` of `v1.35.2-eks-0a1b2c3`.
fn minor(version: &str) -> Option<String> {
    let mut parts = version.split('.');
    let (major, minor) = (parts.next()?, parts.next()?);
    let minor: String = minor.chars().take_while(char::is_ascii_digit).collect();
    (!major.is_empty() && !minor.is_empty()).then(|| format!("{major}.{minor}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minor_version_is_what_clusters_are_selected_by() {
        for (version, expected) in [
            ("v1.35.2", Some("v1.35")),
            ("v1.35.2-eks-0a1b", Some("v1.35")),
            ("v1.36+", Some("v1.36")),
            ("", None),
            ("v1", None),
        ] {
            assert_eq!(minor(version).as_deref(), expected, "{version}");
        }
    }
}
