//! The figure that decides whether a fleet's caches fit: bytes a pod, on the committed fixture.

use std::sync::Arc;

use kubeplex_agent::cache::{KindShape, KindStore, tend};
use kubeplex_agent::columns::Columns;
use kubeplex_agent::ingest::prepare;
use kubeplex_agent::redact::DigestKey;
use kubeplex_proto::kind::{GroupResource, Scope};
use parking_lot::RwLock;

mod fixture;

const PODS: usize = 3_000;

/// The goal of a whole store. Small ones are above it, because a dictionary costs the same for few objects as for many.
const BYTES_PER_POD: usize = 1_200;

#[test]
fn a_pod_costs_what_was_promised() {
    let cluster = fixture::Cluster::new(7, PODS);
    let id = GroupResource::new("", "pods");
    let shape = KindShape {
        columns: Arc::new(Columns::builtin(&id).expect("pods have columns")),
        id,
        api_version: "v1".to_owned(),
        kind: "Pod".to_owned(),
        scope: Scope::Namespaced,
        digest_key: DigestKey::new([7; 32]),
    };
    let store = RwLock::new(KindStore::new(shape.clone()));
    let mut sizes = Vec::new();
    for raw in cluster.pods() {
        sizes.push(raw.len());
        store.write().apply(prepare(&shape, &raw).expect("a pod of the fixture"));
    }
    assert!(cluster.nodes().all(|raw| raw.len() > 4_000));
    tend(&store);
    sizes.sort_unstable();
    let memory = store.read().memory();
    let per_pod = (memory.rows + memory.strings + memory.records) / store.read().len();
    assert!(sizes[PODS / 2] >= 8_000, "pods of {} bytes are too small to say anything", sizes[PODS / 2]);
    assert!(per_pod <= BYTES_PER_POD, "{per_pod} bytes a pod: {memory:?}");
    assert!(memory.dictionaries <= 1 << 20, "{memory:?}");
}
