//! Hears that CRDs and APIServices change in an agent that does not watch these kinds, whose schemas are megabytes: the first
//! row of a Table tells from where to watch, and a watch brings the metadata of what changes. Nothing of it is kept.

use std::time::Duration;

use kubeplex_proto::kind::{GroupResource, KindInfo};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use super::{Shared, builtin};
use crate::api::{ApiError, Query, Representation, collection_path};
use crate::config::WatchMode;
use crate::limits::INGEST_BATCH;
use crate::watch::{ObjectHead, WatchEvent, WatchTimings, spread, watch_query};

const METADATA: Representation = Representation::TableOfMetadata;

/// Tells `announced` of every change, and of whatever may have been missed. Runs until it is dropped; ends where these kinds
/// are watched from the start.
pub(super) async fn hear(shared: &Shared, announced: &Notify) {
    if shared.config.watch() == WatchMode::OnDemand {
        let (crds, apiservices) = (builtin::crds(), builtin::apiservices());
        tokio::join!(hear_of(shared, &crds, announced), hear_of(shared, &apiservices, announced));
    }
}

async fn hear_of(shared: &Shared, id: &GroupResource, announced: &Notify) {
    if shared.config.deny().kind(id) {
        return;
    }
    let timings = shared.config.timings();
    let mut from = None;
    let mut failures = 0_u32;
    loop {
        let info = shared.discovered.borrow().table.get(id).cloned();
        let Some(info) = info else {
            sleep(timings.settled_retry).await;
            continue;
        };
        let began = Instant::now();
        let ended = watch(shared, &info, &mut from, announced).await;
        failures = if began.elapsed() > timings.retry_most { 0 } else { failures + 1 };
        if matches!(ended, Err(ApiError::Expired { .. })) {
            from = None;
        }
        sleep(pause(timings, ended.err().as_ref(), failures)).await;
    }
}

/// How long until the next watch.
fn pause(timings: &WatchTimings, error: Option<&ApiError>, failures: u32) -> Duration {
    match error {
        Some(ApiError::Forbidden { .. } | ApiError::NotFound { .. }) => timings.settled_retry,
        _ => spread(timings.backoff(failures)),
    }
}

/// Watches until the server ends it, or says nothing for too long.
async fn watch(
    shared: &Shared,
    info: &KindInfo,
    from: &mut Option<String>,
    announced: &Notify,
) -> Result<(), ApiError> {
    let (api, timings) = (&shared.api, shared.config.timings());
    let path = collection_path(info, None);
    let version = match from {
        Some(version) => version,
        None => {
            let first = Query::of(path.as_str()).with("limit", "1").build();
            let version = api.page(&first, METADATA, timings.page).await?.resource_version;
            // What happened before is in nobody's watch.
            announced.notify_one();
            from.insert(version)
        }
    };
    let query = watch_query(&path, timings).with("resourceVersion", version);
    let mut lines = api.watch(&query.build(), METADATA, timings.open).await?;
    // A watch of what hardly ever changes may be silent until the server ends it.
    let silence = timings.watch_longest + timings.open;
    while let Ok(batch) = timeout(silence, lines.next_batch(INGEST_BATCH)).await {
        let batch = batch?;
        if batch.is_empty() {
            break;
        }
        for line in batch {
            match WatchEvent::parse(&line)? {
                WatchEvent::Bookmark(bookmark) => *version = bookmark.version,
                WatchEvent::Error(error) => return Err(error),
                WatchEvent::Put(object) | WatchEvent::Delete(object) => {
                    let undecodable = |source| ApiError::Decode { what: "a changed definition", source };
                    *version = ObjectHead::parse(&object).map_err(undecodable)?.meta.resource_version;
                    announced.notify_one();
                }
            }
        }
    }
    Ok(())
}
