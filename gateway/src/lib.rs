//! The gateway: one MCP endpoint for many clusters.
//!
//! Start with [`pipeline`]: it is the picture of what happens to a call.

pub mod admin;
pub mod admit;
pub mod carrier;
pub mod config;
pub mod cursor;
pub mod error;
pub mod fanout;
pub mod fleet;
pub mod identify;
pub mod limits;
pub mod link;
pub mod mcp;
pub mod merge;
pub mod pipeline;
pub mod policy;
pub mod registry;
pub mod render;
pub mod request;
pub mod resolve;
mod serve;
pub mod telemetry;
pub mod tools;
pub mod trace;

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

pub use config::GatewayConfig;

use crate::serve::Shutdown;
use crate::telemetry::Telemetry;

/// A running gateway.
///
/// It ends when the token given to [`start`](Self::start) is cancelled: it stops accepting, lets running calls finish for
/// as long as the configuration grants, then cuts what is left. The tracker is empty when all of it is over.
#[derive(Debug)]
pub struct Gateway {
    addresses: Addresses,
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
    #[error("listening on {address} for {purpose}")]
    Listen { address: SocketAddr, purpose: &'static str, source: std::io::Error },
}

impl Gateway {
    /// Listens, and serves until `stop`.
    ///
    /// # Errors
    /// [`StartError`] when an address can't be listened on.
    pub async fn start(
        config: GatewayConfig,
        tracker: TaskTracker,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        let listener = listen(config.listen(), "clients and agents").await?;
        let admin = listen(config.admin(), "health and metrics").await?;
        let addresses = Addresses { listen: listener.1, admin: admin.1 };
        let telemetry = Telemetry::new();
        let shutdown = Shutdown { stop, cut: CancellationToken::new() };
        let run = |name, listener, app: Router| {
            let serving = serve::serve(name, listener, app, shutdown.clone(), tracker.clone());
            tracker.spawn(serving.instrument(tracing::info_span!("task", name)));
        };
        run("main", listener.0, Router::new());
        run("admin", admin.0, Router::new());
        let _ = telemetry;
        Ok(Self { addresses })
    }

    pub fn addresses(&self) -> Addresses {
        self.addresses
    }
}

async fn listen(address: SocketAddr, purpose: &'static str) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, purpose, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
