//! The gateway: one MCP endpoint for many clusters.
//!
//! Start with [`pipeline`]: it is the picture of what happens to a call.

pub mod admin;
pub mod admit;
pub mod carrier;
pub mod clock;
pub mod config;
pub mod cursor;
pub mod error;
mod escape;
pub mod fanout;
pub mod fleet;
pub mod health;
mod held;
pub mod identify;
pub mod limits;
pub mod link;
pub mod mcp;
pub mod merge;
pub mod pipeline;
pub mod policy;
pub mod rates;
pub mod registry;
mod reload;
pub mod render;
pub mod request;
pub mod resolve;
mod results;
mod serve;
mod shares;
pub mod telemetry;
mod throttle;
mod tls;
mod tokens;
pub mod tools;
pub mod trace;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::middleware;
use kubeplex_link::certificate::PairError;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

pub use config::GatewayConfig;
pub use reload::{ReloadError, Reloaded};

use crate::admin::Admin;
use crate::config::Protection;
use crate::identify::Callers;
use crate::limits::{LAME_DUCK, LAST_WORDS};
use crate::link::{Credentials, LinkEndpoint, Links};
use crate::pipeline::Pipeline;
use crate::registry::Registry;
use crate::reload::Reloader;
use crate::serve::{Connections, Server};
use crate::telemetry::Telemetry;
use crate::throttle::{Strangers, Throttle};
use crate::tls::Reload;

/// A running gateway. Clones are handles to the same one.
///
/// It ends when the token given to [`start`](Self::start) is cancelled: it stops accepting, lets running calls finish for
/// as long as the configuration grants, then cuts what is left. The tracker is empty when all of it is over.
#[derive(Clone)]
pub struct Gateway {
    instance: Arc<str>,
    addresses: Addresses,
    links: Links,
    pipeline: Arc<Pipeline>,
    callers: Callers,
    reloader: Arc<Reloader>,
}

/// Where a gateway listens; the real ports where the configuration said 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// MCP clients and agents.
    pub listen: SocketAddr,
    /// Health and metrics.
    pub admin: SocketAddr,
}

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "{address} is taken, perhaps by another gateway: end that one, or name another address with {option} (port 0 picks a free one)"
    )]
    Taken { address: SocketAddr, option: &'static str },
    #[error("listening on {address} ({option})")]
    Listen { address: SocketAddr, option: &'static str, source: std::io::Error },
    #[error("the certificate of [gateway.tls]")]
    Certificate(#[source] PairError),
}

impl Gateway {
    /// Listens, and serves until `stop`. Every task belongs to `tracker`.
    ///
    /// # Errors
    /// [`StartError`] when an address can't be listened on, or the certificate can't be used any more.
    pub async fn start(
        config: GatewayConfig,
        tracker: TaskTracker,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        let (listener, listen) = bind(config.listen(), "--listen").await?;
        let (admin_listener, admin) = bind(config.admin(), "--admin").await?;
        let drained = CancellationToken::new();
        let telemetry = Telemetry::new();
        let certificate = certificate(&config, &telemetry)?;
        let registry = expect(&config);
        // Running calls still need the links, so these end after the calls.
        let links = Links::new(registry.clone(), *config.timings(), tracker.clone(), drained.clone())
            .counted(&telemetry);
        let pipeline = Arc::new(Pipeline::new(&config, registry.clone(), &telemetry));
        let endpoint =
            LinkEndpoint::new(links.clone(), Credentials::of(config.clusters()), config.arrivals());
        for cluster in config.dialled() {
            links.dial(cluster.id.clone(), cluster.route.clone());
        }
        let exchanges = TaskTracker::new();
        let callers = Callers::new(&config, &telemetry);
        let throttle = Throttle::new(config.limits(), &telemetry);
        let strangers = Strangers::new(config.limits(), &telemetry);
        let mcp = mcp::router(
            pipeline.clone(),
            callers.clone(),
            throttle.clone(),
            &config,
            &telemetry,
            exchanges.clone(),
            drained.clone(),
        );
        let app = endpoint.clone().router().merge(mcp);
        let app = app.layer(middleware::from_fn_with_state(strangers.clone(), throttle::tell_strangers));
        let instance: Arc<str> = uuid::Uuid::new_v4().to_string().into();
        let (seen, told) = (telemetry.clone(), stop.clone());
        let health = Admin::new(instance.clone(), registry.clone(), pipeline.clone(), seen, told);
        let health = health.router(config.admin_audience());
        let closing = CancellationToken::new();
        let connections =
            Connections { stop: closing, cut: CancellationToken::new(), tracker: TaskTracker::new() };
        let tls = certificate.as_ref().map(Reload::tls);
        for (name, listener, tls, app) in
            [("main listener", listener, tls, app), ("admin listener", admin_listener, None, health)]
        {
            let server = Server::new(name, tls, app, config.limits(), &telemetry, connections.clone());
            run(&tracker, name, server.run(listener));
        }
        if let Some(certificate) = certificate {
            run(&tracker, "certificate", certificate.run(connections.stop.clone()));
        }
        run(&tracker, "metrics", telemetry.keep_small(connections.stop.clone()));
        run(
            &tracker,
            "shutdown",
            shut_down(stop, pipeline.clone(), exchanges, connections, drained, config.limits().drain),
        );
        let reloader = Arc::new(Reloader {
            current: Mutex::new(config),
            registry,
            links: links.clone(),
            endpoint,
            pipeline: pipeline.clone(),
            callers: callers.clone(),
            throttle,
            strangers,
        });
        let addresses = Addresses { listen, admin };
        Ok(Self { instance, addresses, links, pipeline, callers, reloader })
    }

    /// Takes over what a running gateway can of a new configuration, and says what that was. Calls that run go on as they
    /// began.
    ///
    /// # Errors
    /// When it names no cluster where there were some: nothing has changed then.
    pub fn reload(&self, config: GatewayConfig) -> Result<Reloaded, ReloadError> {
        self.reloader.apply(config)
    }

    /// Drawn at random when it started; `/readyz` says it, so that nobody takes another gateway for this one.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The clusters; further ones can be expected at run time.
    pub fn registry(&self) -> &Registry {
        self.links.registry()
    }

    /// Where agents of this process are attached.
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// Who may call; others can be named at run time.
    pub fn callers(&self) -> &Callers {
        &self.callers
    }

    /// What calls of the MCP endpoint go through, for programs that hold a gateway.
    pub fn pipeline(&self) -> &Arc<Pipeline> {
        &self.pipeline
    }
}

/// The certificate of the main listener, where it has one.
fn certificate(config: &GatewayConfig, telemetry: &Telemetry) -> Result<Option<Reload>, StartError> {
    let Protection::Tls(files) = config.protection() else { return Ok(None) };
    Reload::load(files, telemetry).map(Some).map_err(StartError::Certificate)
}

fn expect(config: &GatewayConfig) -> Registry {
    let registry = Registry::new();
    for cluster in config.clusters() {
        registry.expect(cluster.id.clone(), cluster.labels.clone());
    }
    registry
}

fn run(tracker: &TaskTracker, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
    drop(tracker.spawn(task.instrument(tracing::info_span!("task", name))));
}

/// The end in two steps: nothing new is accepted and calls that run may finish, then streams, links and connections are cut.
async fn shut_down(
    told: CancellationToken,
    pipeline: Arc<Pipeline>,
    exchanges: TaskTracker,
    connections: Connections,
    drained: CancellationToken,
    patience: Duration,
) {
    told.cancelled().await;
    tokio::time::sleep(LAME_DUCK).await;
    connections.stop.cancel();
    tracing::info!(calls = pipeline.calls_in_flight(), "stopping: waiting for running calls");
    if timeout(patience, pipeline.drain()).await.is_err() {
        tracing::warn!(calls = pipeline.calls_in_flight(), "calls that are still running are cut off");
    }
    // Answers that are ready still have to be sent; whoever does not take theirs in time does not get it.
    exchanges.close();
    drop(timeout(LAST_WORDS, exchanges.wait()).await);
    drained.cancel();
    connections.tracker.close();
    if timeout(LAST_WORDS, connections.tracker.wait()).await.is_err() {
        connections.cut.cancel();
        connections.tracker.wait().await;
    }
}

async fn bind(address: SocketAddr, option: &'static str) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::AddrInUse => StartError::Taken { address, option },
        _ => StartError::Listen { address, option, source },
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
