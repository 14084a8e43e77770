//! Times of reading a row, reading a whole object, and taking objects in.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use kubeplex_agent::cache::KindStore;
use kubeplex_agent::ingest::prepare;
use kubeplex_agent::query::{ScanBudget, search};
use kubeplex_proto::kind::Scope;
use kubeplex_proto::list::ListRequest;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::feed;
use super::source::{Page, Source};

const READS: usize = 200_000;

const SEARCHES: u32 = 20;

/// Objects of which the way in is timed.
const TAKEN_IN: usize = 5_000;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) pods: usize,
    pub(crate) row_ns: u64,
    pub(crate) object_ns: u64,
    pub(crate) scanned_row_ns: u64,
    pub(crate) searched_row_ns: u64,
    pub(crate) prepared_per_second: u64,
    pub(crate) applied_per_second: u64,
}

pub(crate) fn measure(pods: usize) -> anyhow::Result<Measured> {
    let store = feed::pods()?;
    feed::list(&store, Source::start(Page::Pods, pods)?, 1)?;
    let (prepared_per_second, applied_per_second) = ingest_time(pods.min(TAKEN_IN))?;
    let search = search_time(&store)?;
    let store = store.read();
    let keys: Vec<(String, String)> = store
        .rows()
        .map(|row| (row.namespace().unwrap_or_default().to_owned(), row.name().to_owned()))
        .collect();
    // A step that has no factor in common with the count visits every pod, in no order that a processor foresees.
    let places = || (0..READS).map(|at| &keys[at * 7_919 % keys.len()]);

    let mut seen = 0;
    let rows = time(|| {
        for (namespace, name) in places() {
            let row = store.get(Some(namespace), name);
            seen += row.map_or(0, |row| {
                row.labels().count() + (0..5).filter(|at| black_box(row.cell(*at)) == row.cell(*at)).count()
            });
        }
    });
    let mut json = Vec::new();
    let objects = time(|| {
        for (namespace, name) in places() {
            seen += usize::from(store.get(Some(namespace), name).is_some_and(|row| row.object(&mut json)));
        }
    });
    black_box(seen);
    let scan = time(|| {
        seen += store.rows().filter(|row| row.label("app.kubernetes.io/version") == Some("1.2.3")).count();
    });
    Ok(Measured {
        pods,
        row_ns: rows.as_nanos() as u64 / READS as u64,
        object_ns: objects.as_nanos() as u64 / READS as u64,
        scanned_row_ns: scan.as_nanos() as u64 / pods as u64,
        searched_row_ns: search.as_nanos() as u64 / pods as u64,
        prepared_per_second,
        applied_per_second,
    })
}

/// A search for a word that nothing has: every name, label and text is looked at.
fn search_time(store: &RwLock<KindStore>) -> anyhow::Result<Duration> {
    let request: ListRequest = serde_json::from_value(json!({
        "context": {"callId": "bench", "deadlineMs": 60_000, "caller": {"user": "bench", "groups": []},
            "visibility": [{"kinds": "all", "namespaces": "all", "names": "all"}],
            "maxBytes": 262_144, "freshness": "cache"},
        "kind": {"group": "", "resource": "objects"},
        "limit": 10,
        "search": {"terms": [{"condition": {"word": {"part": "xyzzy"}}}]},
    }))
    .context("the question of the search")?;
    let budget = ScanBudget::new(Instant::now() + Duration::from_secs(60), CancellationToken::new());
    let start = Instant::now();
    for _ in 0..SEARCHES {
        let total = search(&[store], &request, 0, &budget)?.listing.total;
        ensure!(total == 0, "the word that nothing has was found {total} times");
    }
    Ok(start.elapsed() / SEARCHES)
}

/// Objects a second through each half of the way in, on one thread.
fn ingest_time(count: usize) -> anyhow::Result<(u64, u64)> {
    let shape = feed::shape("pods", "Pod", Scope::Namespaced)?;
    let raw = Source::start(Page::Pods, count)?.next(count)?;
    let mut prepared = Vec::new();
    let preparing = Instant::now();
    for object in &raw {
        prepared.push(prepare(&shape, object)?);
    }
    let preparing = preparing.elapsed();
    let mut store = KindStore::new(shape);
    let applying = time(|| prepared.into_iter().for_each(|object| _ = store.apply(object)));
    let per_second = |took: Duration| (count as f64 / took.as_secs_f64()) as u64;
    Ok((per_second(preparing), per_second(applying)))
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}
