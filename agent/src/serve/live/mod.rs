//! Kinds that can't be watched: read when asked for, with the rights that the configuration grants for that.
//!
//! What is read becomes a store like that of a watched kind, so the same selectors, orders and visibilities apply. For a
//! short while it answers other calls too: `top` over a fleet must not cost one request a caller.

use std::collections::HashMap;
use std::sync::Arc;

use kubeplex_proto::kind::{GroupResource, KindInfo};
use kubeplex_proto::status::{LegStatus, Source};
use parking_lot::{Mutex, RwLock};
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};
use tokio_util::task::TaskTracker;

use super::deadline::Deadline;
use super::opening::{Nothing, Readable, Rows};
use crate::api::{Api, ApiError, Representation, chain, collection_path};
use crate::cache::{KindShape, KindStore, unused_revisions};
use crate::columns::table::{TableRow, from_table};
use crate::columns::{Cell, Columns};
use crate::config::{Deny, LiveReads};
use crate::ingest::{prepare_shown, prepare_value};
use crate::limits::{LIVE_KIND_KEPT, LIVE_KINDS_KEPT};
use crate::redact::DigestKey;

/// The kinds that were read a moment ago.
pub(super) struct LiveStores {
    api: Api,
    rights: LiveReads,
    deny: Deny,
    /// Owns the work of taking in what was read.
    tracker: TaskTracker,
    digest_key: DigestKey,
    reads: Mutex<HashMap<GroupResource, Arc<Read>>>,
}

/// One read, under way or done. Calls that come while it is under way wait for it.
struct Read {
    begun: Instant,
    version: String,
    store: OnceCell<Arc<RwLock<KindStore>>>,
}

/// Why a kind could not be read.
#[derive(Debug, thiserror::Error)]
enum LiveError {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error("the API server's answer is no list of objects: {0}")]
    Malformed(String),
    #[error("the API server's answer was not taken in: {0}")]
    Lost(String),
}

/// The answer to a call that wants what the cache holds, but live.
pub(super) fn not_offered() -> Nothing {
    let message = "this agent reads live only what can't be watched; it answers other reads from its cache";
    Nothing::new(LegStatus::Forbidden, message)
}

/// What a failed call to the API server means for the answer.
pub(super) fn leg_status(error: &ApiError) -> LegStatus {
    match error {
        ApiError::Forbidden { .. } | ApiError::Unauthorized { .. } => LegStatus::Forbidden,
        ApiError::Timeout { .. } => LegStatus::Timeout,
        _ => LegStatus::Error,
    }
}

impl LiveStores {
    pub(super) fn new(api: Api, rights: LiveReads, deny: Deny, tracker: TaskTracker) -> Self {
        let digest_key = DigestKey::new(rand::random());
        Self { api, rights, deny, tracker, digest_key, reads: Mutex::default() }
    }

    /// All objects of a kind, read now or within the last ten seconds.
    pub(super) async fn read(&self, info: &KindInfo, deadline: Deadline) -> Result<Readable, Nothing> {
        if !info.has_verb("list") {
            return Err(Nothing::new(
                LegStatus::Error,
                format!("{} can be neither listed nor watched", info.id),
            ));
        }
        if self.rights == LiveReads::Refused {
            let message = format!(
                "{} can only be read live, which this agent does not do with its own rights",
                info.id
            );
            return Err(Nothing::new(LegStatus::Forbidden, message));
        }
        let read = self.current(info);
        let filled = read.store.get_or_try_init(|| self.fill(info, deadline));
        let store = match timeout_at(deadline.at(), filled).await {
            Ok(Ok(store)) => Arc::clone(store),
            Ok(Err(error)) => return Err(failed(info, &error)),
            Err(_) => {
                let message =
                    format!("the API server did not answer a list of {} before the deadline", info.id);
                return Err(Nothing::new(LegStatus::Timeout, message));
            }
        };
        Ok(Readable {
            rows: Rows::Live(store),
            info: info.clone(),
            status: LegStatus::Ok,
            message: None,
            source: Source::Live,
            age_ms: read.begun.elapsed().as_millis() as u64,
        })
    }

    /// The read that answers for this kind now.
    fn current(&self, info: &KindInfo) -> Arc<Read> {
        let mut reads = self.reads.lock();
        reads.retain(|_, read| read.begun.elapsed() < LIVE_KIND_KEPT);
        if let Some(read) = reads.get(&info.id).filter(|read| read.version == info.version) {
            return Arc::clone(read);
        }
        if reads.len() >= LIVE_KINDS_KEPT
            && let Some(oldest) = reads.iter().min_by_key(|(_, read)| read.begun).map(|(id, _)| id.clone())
        {
            reads.remove(&oldest);
        }
        let read =
            Arc::new(Read { begun: Instant::now(), version: info.version.clone(), store: OnceCell::new() });
        reads.insert(info.id.clone(), Arc::clone(&read));
        read
    }

    async fn fill(&self, info: &KindInfo, deadline: Deadline) -> Result<Arc<RwLock<KindStore>>, LiveError> {
        let path = collection_path(info, None);
        let body = match self.api.table(&path, Representation::TableOfObjects, deadline.remaining()).await {
            // Not every aggregated server speaks Table.
            Err(ApiError::Invalid { status: 406 | 415, .. }) => {
                self.api.get_bytes(&path, deadline.remaining()).await?
            }
            answer => answer?,
        };
        let (info, deny, digest_key) = (info.clone(), self.deny.clone(), self.digest_key.clone());
        // Thousands of objects take longer than a task may keep its thread.
        let stored = self.tracker.spawn_blocking(move || store(&info, &deny, digest_key, &body));
        let store = stored.await.map_err(|failed| LiveError::Lost(failed.to_string()))??;
        Ok(Arc::new(RwLock::new(store)))
    }
}

fn store(info: &KindInfo, deny: &Deny, digest_key: DigestKey, body: &[u8]) -> Result<KindStore, LiveError> {
    let (columns, rows) = rows_of(body)?;
    let shape = KindShape {
        id: info.id.clone(),
        api_version: info.api_version(),
        kind: info.kind.clone(),
        scope: info.scope,
        columns: Arc::new(columns),
        digest_key,
    };
    let mut store = KindStore::counting_from(shape.clone(), unused_revisions());
    for (object, cells) in rows {
        let prepared = match cells {
            Some(cells) => prepare_shown(&shape, object, cells),
            None => prepare_value(&shape, object),
        };
        let prepared = prepared.map_err(malformed)?;
        if deny.object(&info.id, prepared.namespace(), prepared.name()) {
            continue;
        }
        store.apply(prepared);
    }
    Ok(store)
}

/// An object, and its cells where the server computed them.
type LiveRow = (Value, Option<Vec<Cell>>);

/// The rows of a Table; or the objects of a list, from a server that does not care what it was asked for.
fn rows_of(body: &[u8]) -> Result<(Columns, Vec<LiveRow>), LiveError> {
    let mut answer: Value = serde_json::from_slice(body).map_err(malformed)?;
    if answer["kind"] != "Table"
        && let Some(Value::Array(items)) = answer.get_mut("items").map(Value::take)
    {
        return Ok((Columns::generic(), items.into_iter().map(|object| (object, None)).collect()));
    }
    let table = from_table(&answer).map_err(malformed)?;
    let narrow = |row: TableRow| {
        let shown = table.columns.iter().zip(row.cells).filter(|(def, _)| !def.wide);
        (row.object, Some(shown.map(|(_, cell)| cell).collect()))
    };
    let columns = Columns::served(&table.columns);
    Ok((columns, table.rows.into_iter().map(narrow).collect()))
}

fn malformed(error: impl std::error::Error) -> LiveError {
    LiveError::Malformed(error.to_string())
}

fn failed(info: &KindInfo, error: &LiveError) -> Nothing {
    match error {
        LiveError::Api(ApiError::NotFound { .. }) => Nothing::without_words(LegStatus::Absent),
        LiveError::Api(error) => {
            Nothing::new(leg_status(error), format!("{} can't be listed: {}", info.id, chain(error)))
        }
        LiveError::Malformed(_) | LiveError::Lost(_) => {
            Nothing::new(LegStatus::Error, format!("{} can't be listed: {error}", info.id))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_come_from_a_table_or_from_a_list() {
        let object = json!({"metadata": {"name": "n1", "creationTimestamp": "1970-01-01T00:00:01Z"}});
        let table = json!({
            "kind": "Table",
            "columnDefinitions": [{"name": "Name"}, {"name": "CPU"}, {"name": "Window", "priority": 1}, {"name": "Age"}],
            "rows": [{"cells": ["n1", "250m", "30s", "5m"], "object": object}],
        });
        let names =
            |columns: &Columns| columns.defs().iter().map(|def| def.column.name.clone()).collect::<Vec<_>>();
        let (columns, rows) = rows_of(table.to_string().as_bytes()).unwrap();
        assert_eq!(names(&columns), ["name", "cpu", "age"]);
        assert_eq!(rows[0].1.as_deref().unwrap(), ["n1".into(), "250m".into(), Cell::Time(1_000)]);

        let list = json!({"kind": "NodeMetricsList", "items": [object]});
        let (columns, rows) = rows_of(list.to_string().as_bytes()).unwrap();
        assert_eq!(
            (names(&columns), &rows[..]),
            (vec!["name".to_owned(), "age".to_owned()], &[(object, None)][..])
        );

        for nonsense in ["{}", "[]", "<html>", r#"{"kind":"Table","rows":[{}]}"#] {
            assert!(matches!(rows_of(nonsense.as_bytes()), Err(LiveError::Malformed(_))), "{nonsense}");
        }
    }
}
