//! The agent: one cluster's watch-fed cache behind an HTTP service.
//!
//! Data flows one way: [`access`] says how to reach the API server, [`api`] talks to it, [`discovery`] and [`watch`] decide
//! what to ask it, [`ingest`] turns raw objects into redacted rows, [`cache`] holds them, [`query`] reads them, [`serve`]
//! answers the gateway, [`report`] tells it unasked what changed, and [`link`] carries both there. [`history`] records what the
//! watches change.

pub mod access;
pub mod allocator;
pub mod api;
pub mod cache;
pub mod clock;
pub mod columns;
pub mod config;
pub mod discovery;
pub mod explain;
pub mod gauges;
mod history;
pub mod ingest;
pub mod kinds;
pub mod limits;
pub mod link;
pub mod logs;
pub mod path;
pub mod problems;
pub mod query;
mod recent;
pub mod redact;
pub mod report;
mod secrets;
pub mod serve;
pub mod watch;
pub mod workers;
mod workload;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use kubeplex_proto::ids::InstanceId;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::api::{Api, ApiBudget};
use crate::clock::ClusterClock;
use crate::config::AgentConfig;
use crate::history::History;
use crate::kinds::Kinds;
use crate::problems::{Inbox, Problems};
use crate::watch::{Witness, Witnesses};
use crate::workers::Workers;

/// A running agent. Dropping it stops nothing: that is the cancellation token's to do.
#[derive(Clone)]
pub struct Agent {
    instance: InstanceId,
    api: Api,
    kinds: Kinds,
    #[cfg(test)]
    history: Arc<History>,
    #[cfg(test)]
    problems: Problems,
    router: Router,
}

impl Agent {
    /// Begins to watch the cluster that `client` reaches. Every task runs on `tracker` and ends with `cancel`. Nothing is
    /// waited for: a cluster that can't be reached is retried for as long as the agent runs.
    pub fn start(
        config: AgentConfig,
        client: kube::Client,
        tracker: TaskTracker,
        cancel: CancellationToken,
    ) -> Self {
        let api = Api::new(client, ClusterClock::system(), ApiBudget::new(config.limits()));
        let api = config.server.iter().fold(api, |api, url| api.at(url));
        let instance = InstanceId(uuid::Uuid::new_v4().to_string());
        let (cluster, live_reads, deny) =
            (config.cluster().clone(), config.live_reads(), config.deny().clone());
        // One process may hold agents of many clusters: whatever one of them logs, it says of which. Of the highest level,
        // because a span that a filter leaves out names nothing.
        let span = tracing::error_span!("agent", %cluster);
        let workers = Workers::new(config.work_on(), tracker.clone());
        let history = Arc::new(History::new(api.clock().clone(), config.history()));
        if let Some(disk) = config.history().disk.clone() {
            let keep = history::keep(Arc::clone(&history), disk, workers.clone(), cancel.clone());
            tracker.spawn(keep.instrument(span.clone()));
        }
        let inbox = Arc::new(Inbox::default());
        let witnesses: Vec<Arc<dyn Witness>> = vec![Arc::clone(&history) as _, Arc::clone(&inbox) as _];
        let witnesses = Witnesses::new(witnesses);
        let settings = Problems::settings(&config);
        let kinds = Kinds::start(
            config,
            api.clone(),
            &tracker,
            workers.clone(),
            witnesses,
            cancel.clone(),
            span.clone(),
        );
        let problems = Problems::start(
            settings,
            (kinds.clone(), inbox),
            api.clock().clone(),
            workers.clone(),
            &tracker,
            cancel,
            span.clone(),
        );
        #[cfg(test)]
        let followed = problems.clone();
        let router = serve::router(serve::Parts {
            cluster,
            instance: instance.clone(),
            kinds: kinds.clone(),
            history: Arc::clone(&history),
            problems,
            api: api.clone(),
            live_reads,
            deny,
            workers,
        });
        let router = router.layer(middleware::from_fn(move |request: Request, next: Next| {
            next.run(request).instrument(span.clone())
        }));
        Self {
            instance,
            api,
            kinds,
            #[cfg(test)]
            history,
            #[cfg(test)]
            problems: followed,
            router,
        }
    }

    /// For tests that put a service of their own together.
    #[cfg(test)]
    pub(crate) fn history(&self) -> Arc<History> {
        Arc::clone(&self.history)
    }

    /// Drawn at random when the agent started.
    pub fn instance(&self) -> &InstanceId {
        &self.instance
    }

    pub fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    /// The way to the API server, within the agent's budget.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// The agent's HTTP service, for a carrier to serve or a gateway in this process to call.
    pub fn router(&self) -> Router {
        self.router.clone()
    }
}
