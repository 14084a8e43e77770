//! Filling a store as the agent does: pages of raw objects, prepared on several threads, applied in batches.

use std::sync::Arc;

use anyhow::Context;
use kubeplex_agent::cache::{KindShape, KindStore, Part, Prepared, tend};
use kubeplex_agent::columns::Columns;
use kubeplex_agent::ingest::prepare;
use kubeplex_agent::limits::{INGEST_BATCH, PAGE_OBJECTS};
use kubeplex_agent::redact::DigestKey;
use kubeplex_proto::kind::{GroupResource, Scope};
use parking_lot::RwLock;

use super::source::Source;

pub(crate) fn shape(resource: &str, kind: &str, scope: Scope) -> anyhow::Result<KindShape> {
    let id = GroupResource::new("", resource);
    let columns = Columns::builtin(&id).with_context(|| format!("{id} has no columns"))?;
    Ok(KindShape {
        id,
        api_version: "v1".to_owned(),
        kind: kind.to_owned(),
        scope,
        columns: Arc::new(columns),
        digest_key: DigestKey::new([7; 32]),
    })
}

pub(crate) fn pods() -> anyhow::Result<RwLock<KindStore>> {
    Ok(RwLock::new(KindStore::new(shape("pods", "Pod", Scope::Namespaced)?)))
}

/// One whole list, first or again.
pub(crate) fn list(store: &RwLock<KindStore>, mut source: Source, threads: usize) -> anyhow::Result<()> {
    let shape = store.read().shape().clone();
    let relist = store.write().begin_relist();
    loop {
        let page = source.next(PAGE_OBJECTS as usize)?;
        if page.is_empty() {
            break;
        }
        for batch in page.chunks(INGEST_BATCH) {
            for object in prepare_batch(&shape, batch, threads)? {
                store.write().apply(object);
            }
        }
        if store.read().wants_tending() {
            tend(store);
        }
    }
    store.write().finish_relist(relist, &Part::default(), &mut |_| ());
    tend(store);
    Ok(())
}

fn prepare_batch(shape: &KindShape, batch: &[Vec<u8>], threads: usize) -> anyhow::Result<Vec<Prepared>> {
    let part = |raw: &[Vec<u8>]| raw.iter().map(|raw| prepare(shape, raw)).collect::<Result<Vec<_>, _>>();
    if threads == 1 {
        return part(batch).context("preparing objects");
    }
    std::thread::scope(|scope| {
        let parts: Vec<_> =
            batch.chunks(batch.len().div_ceil(threads)).map(|raw| scope.spawn(move || part(raw))).collect();
        let mut prepared = Vec::new();
        for part in parts {
            let part = part.join().map_err(|_| anyhow::anyhow!("a thread panicked"))?;
            prepared.extend(part.context("preparing objects")?);
        }
        Ok(prepared)
    })
}
