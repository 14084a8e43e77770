//! The cluster as a whole, for the report.

use std::sync::Arc;
use std::time::Duration;

use kubeplex_proto::control::{ClusterReport, SyncState};
use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::problems::ProblemCounts;
use serde::Deserialize;

use super::{KindHandle, Shared};
use crate::cache::{CellRef, RowRef};

const TIMEOUT: Duration = Duration::from_secs(10);

/// What is known of the cluster beside its kinds.
#[derive(Debug, Default)]
pub(super) struct ClusterFacts {
    kubernetes_version: String,
    nodes: NodeCount,
    problems: Option<ProblemCounts>,
}

/// Nodes that are ready, as of a revision of a store; counting again is for when it has moved on.
#[derive(Debug, Default, Clone, Copy)]
struct NodeCount {
    store: usize,
    revision: u64,
    ready: u64,
    all: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    git_version: String,
}

pub(super) fn report(shared: &Shared) -> ClusterReport {
    let discovered = shared.discovered.borrow().clone();
    let nodes = shared.handle(&GroupResource::new("", "nodes")).map(|nodes| count_nodes(shared, &nodes));
    let nodes = nodes.unwrap_or_default();
    let problems = shared.facts.lock().problems;
    let problem = Some(shared.api.problem()).filter(|problem| !problem.is_empty());
    ClusterReport {
        kubernetes_version: shared.facts.lock().kubernetes_version.clone(),
        kube_system_uid: kube_system_uid(shared),
        nodes_ready: nodes.ready,
        nodes: nodes.all,
        ready: discovered.at.is_some() && shared.vital_handles().iter().all(|handle| settled(handle)),
        clock_offset_ms: shared.api.clock().offset_ms(),
        api_problem: problem.or(discovered.failure).unwrap_or_default(),
        problems,
    }
}

pub(super) fn note_problems(shared: &Shared, counts: Option<ProblemCounts>) {
    let before = std::mem::replace(&mut shared.facts.lock().problems, counts);
    if before != counts {
        shared.tick();
    }
}

/// What stands between the agent and its API server is reported when it does, not with the next change of a kind. Runs until
/// it is dropped.
pub(super) async fn tell_problems(shared: Arc<Shared>) {
    let mut changed = shared.api.problem_changed();
    while changed.changed().await.is_ok() {
        shared.tick();
    }
}

/// Asks the server for its version; what was known stays where it does not say.
pub(super) async fn refresh_version(shared: &Shared) {
    let Ok(body) = shared.api.get_bytes("/version", TIMEOUT).await else { return };
    let Ok(version) = serde_json::from_slice::<Version>(&body) else { return };
    let changed = {
        let mut facts = shared.facts.lock();
        let changed = facts.kubernetes_version != version.git_version;
        facts.kubernetes_version = version.git_version;
        changed
    };
    if changed {
        shared.tick();
    }
}

/// Whether waiting brings nothing more.
fn settled(handle: &KindHandle) -> bool {
    matches!(handle.status().state, SyncState::Synced | SyncState::Forbidden | SyncState::Absent)
}

fn kube_system_uid(shared: &Shared) -> String {
    let Some(namespaces) = shared.handle(&GroupResource::new("", "namespaces")) else { return String::new() };
    let store = namespaces.store.read();
    store.get(None, "kube-system").map(|row| row.uid().to_string()).unwrap_or_default()
}

fn count_nodes(shared: &Shared, nodes: &Arc<KindHandle>) -> NodeCount {
    let (place, store) = (Arc::as_ptr(nodes).addr(), nodes.store.read());
    let known = shared.facts.lock().nodes;
    if (known.store, known.revision) == (place, store.revision()) {
        return known;
    }
    let status = nodes.narrow_column("status");
    let is_ready = |row: &RowRef<'_>| match status.map(|status| row.cell(status)) {
        Some(CellRef::Text(text)) => text.split(',').next() == Some("Ready"),
        _ => false,
    };
    let ready = store.rows().filter(is_ready);
    let count = NodeCount {
        store: place,
        revision: store.revision(),
        ready: ready.count() as u64,
        all: store.len() as u64,
    };
    shared.facts.lock().nodes = count;
    count
}
