//! A gateway's process: the parts that a gateway is started from, without its listeners.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use kubeplex_gateway::GatewayConfig;
use kubeplex_gateway::identify::{Caller, Callers};
use kubeplex_gateway::link::{Credentials, LinkEndpoint, Links};
use kubeplex_gateway::pipeline::Pipeline;
use kubeplex_gateway::registry::Registry;
use kubeplex_gateway::telemetry::Telemetry;
use parking_lot::Mutex;
use tokio::io::DuplexStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::line::Line;

/// One process.
pub(crate) struct Site {
    pub(crate) registry: Registry,
    pub(crate) pipeline: Pipeline,
    callers: Callers,
    links: Router,
    pub(crate) tracker: TaskTracker,
    pub(crate) stop: CancellationToken,
}

/// Whichever process serves now. Clones are the same.
#[derive(Clone)]
pub(crate) struct Front(Arc<Mutex<Arc<Site>>>);

impl Site {
    pub(crate) fn start(config: &GatewayConfig) -> Arc<Self> {
        let (tracker, stop, telemetry) = (TaskTracker::new(), CancellationToken::new(), Telemetry::new());
        let registry = Registry::new();
        for cluster in config.clusters() {
            registry.expect(cluster.id.clone(), BTreeMap::new());
        }
        let links = Links::new(registry.clone(), *config.timings(), tracker.clone(), stop.clone());
        let endpoint = LinkEndpoint::new(links, Credentials::of(config.clusters()), config.arrivals());
        let pipeline = Pipeline::new(config, registry.clone(), &telemetry);
        let callers = Callers::new(config, &telemetry);
        Arc::new(Self { registry, pipeline, callers, links: endpoint.router(), tracker, stop })
    }

    /// Whose token this is.
    pub(crate) fn caller(&self, token: &str) -> Option<Caller> {
        let value = http::HeaderValue::try_from(format!("Bearer {token}")).ok()?;
        let headers = http::HeaderMap::from_iter([(http::header::AUTHORIZATION, value)]);
        self.callers.identify(&headers).ok()
    }

    /// Serves a connection that an agent has made, until it has become a link.
    fn serve(&self, connection: DuplexStream) {
        let (links, stop) = (TowerToHyperService::new(self.links.clone()), self.stop.clone());
        drop(self.tracker.spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            let serving = server.serve_connection_with_upgrades(TokioIo::new(connection), links);
            stop.run_until_cancelled(serving).await
        }));
    }
}

impl Front {
    pub(crate) fn of(site: Arc<Site>) -> Self {
        Self(Arc::new(Mutex::new(site)))
    }

    pub(crate) fn site(&self) -> Arc<Site> {
        Arc::clone(&self.0.lock())
    }

    /// Another process takes over; the one before is returned.
    pub(crate) fn replace(&self, site: Arc<Site>) -> Arc<Site> {
        std::mem::replace(&mut *self.0.lock(), site)
    }

    /// What an agent dials.
    pub(crate) fn connect(&self, line: &Line) -> io::Result<DuplexStream> {
        let (agent, gateway) = line.connect()?;
        self.site().serve(gateway);
        Ok(agent)
    }
}
