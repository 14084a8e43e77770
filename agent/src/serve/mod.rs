//! The agent's HTTP service: what the gateway asks, over whichever carrier.
//!
//! Rows and objects come from the cache, read on blocking threads; only what the cache does not hold is read live. A
//! handler lives as long as somebody waits for its answer: when the request is dropped, the scan stops and the call to the
//! API server is cancelled. Whatever goes wrong with one call costs that call.

mod body;
mod bug;
mod changes;
mod compared;
mod config_maps;
mod contain;
mod control;
mod deadline;
mod explain;
mod gathering;
mod get;
mod health;
mod list;
mod live;
mod logs;
mod opening;
mod places;
mod problems;
mod rights;
mod scan;
mod search;
mod sheet;
mod sight;
mod usage;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::post;
use kubeplex_proto::ids::{ClusterId, InstanceId};
use kubeplex_proto::paths;
use tokio::sync::Semaphore;

use crate::api::Api;
use crate::config::{Deny, LiveReads};
use crate::history::History;
use crate::kinds::Kinds;
use crate::limits;
use crate::problems::Problems;
use crate::workers::Workers;

use live::LiveStores;
use rights::Rights;
use scan::Scans;

/// What the service is made of.
pub(crate) struct Parts {
    pub(crate) cluster: ClusterId,
    pub(crate) instance: InstanceId,
    pub(crate) kinds: Kinds,
    pub(crate) history: Arc<History>,
    pub(crate) problems: Problems,
    pub(crate) api: Api,
    pub(crate) live_reads: LiveReads,
    pub(crate) deny: Deny,
    pub(crate) workers: Workers,
}

/// What every handler shares.
#[derive(Clone)]
struct Service(Arc<Shared>);

struct Shared {
    cluster: ClusterId,
    instance: InstanceId,
    kinds: Kinds,
    history: Arc<History>,
    problems: Problems,
    api: Api,
    rights: Arc<Rights>,
    live: LiveStores,
    scans: Scans,
    documents: explain::Documents,
    /// Logs that may be read or followed at once.
    logs: Arc<Semaphore>,
    known: health::Known,
    /// Control streams opened so far; each belongs to a link of its own.
    epoch: AtomicU64,
}

/// The service under the paths of [`paths`]. Clones of the router share everything.
pub(crate) fn router(parts: Parts) -> Router {
    let Parts { cluster, instance, kinds, history, problems, api, live_reads, deny, workers } = parts;
    let rights = Arc::new(Rights::new(api.clone(), live_reads));
    let live = LiveStores::new(Arc::clone(&rights), deny, workers.clone());
    let (scans, epoch) = (Scans::new(workers), AtomicU64::new(0));
    let logs = Arc::new(Semaphore::new(limits::LOGS_AT_ONCE));
    let (known, documents) = (health::Known::default(), explain::Documents::default());
    let shared = Shared {
        cluster,
        instance,
        kinds,
        history,
        problems,
        api,
        rights,
        live,
        scans,
        documents,
        logs,
        known,
        epoch,
    };
    Router::new()
        .route(paths::LIST, post(list::list))
        .route(paths::SEARCH, post(search::search))
        .route(paths::USAGE, post(usage::usage))
        .route(paths::GET, post(get::get))
        .route(paths::DIGESTS, post(compared::digests))
        .route(paths::INTENTS, post(compared::intents))
        .route(paths::CHANGES, post(changes::changes))
        .route(paths::PROBLEMS, post(problems::problems))
        .route(paths::EXPLAIN, post(explain::explain))
        .route(paths::LOG_PODS, post(logs::pods))
        .route(paths::LOG, post(logs::read))
        .route(paths::HEALTH, post(health::health))
        .route(paths::SHEET, post(sheet::sheet))
        // The control stream lasts as long as its link, so its body is read line by line and has no limit as a whole.
        .route(paths::CONTROL, post(control::control).layer(DefaultBodyLimit::disable()))
        .fallback(body::unknown_path)
        .method_not_allowed_fallback(body::wrong_method)
        .layer(DefaultBodyLimit::max(limits::REQUEST_BYTES))
        .layer(middleware::from_fn(contain::contain))
        .with_state(Service(Arc::new(shared)))
}

#[cfg(test)]
mod tests;
