//! A gateway and its agents in one process, from start to Ctrl-C.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use kubeplex_gateway::{Gateway, GatewayConfig};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::arguments::Listen;
use crate::startup;

/// After this a drain is over, whatever is left.
const DRAIN: Duration = Duration::from_secs(15);

/// What runs in this process.
pub struct Stand {
    pub gateway: Gateway,
    /// Owns every task of gateway and agents.
    pub tracker: TaskTracker,
    /// Cancelled: stop accepting, drain, end.
    pub stop: CancellationToken,
}

impl Stand {
    /// Starts the gateway.
    ///
    /// # Errors
    /// When an address is not loopback, or is taken.
    pub async fn start(config: GatewayConfig, options: &Listen) -> anyhow::Result<Self> {
        let config = config.with_listen(options.listen)?.with_admin(options.admin)?;
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let gateway = Gateway::start(config, tracker.clone(), stop.clone()).await.context(
            "starting the gateway (another one may be running; --listen 127.0.0.1:0 --admin 127.0.0.1:0 picks free ports)",
        )?;
        Ok(Self { gateway, tracker, stop })
    }

    /// Shows how the clusters come up, serves until Ctrl-C or SIGTERM, then drains.
    ///
    /// # Errors
    /// When signals can't be received.
    pub async fn serve(self, options: &Listen) -> anyhow::Result<ExitCode> {
        let signal = stop_signal()?;
        tokio::pin!(signal);
        let registry = self.gateway.registry().clone();
        tokio::select! {
            () = startup::show(&registry, self.gateway.addresses(), options) => signal.await,
            () = &mut signal => {}
        }
        self.drain(options.json).await;
        Ok(ExitCode::SUCCESS)
    }

    /// Ends everything that was started, in order.
    pub async fn drain(self, quiet: bool) {
        if !quiet {
            eprintln!("draining …");
        }
        self.stop.cancel();
        self.tracker.close();
        if tokio::time::timeout(DRAIN, self.tracker.wait()).await.is_err() {
            tracing::warn!(tasks = self.tracker.len(), "drain took too long: cutting what is left");
        }
    }
}

/// Ends with the first Ctrl-C or SIGTERM.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for Ctrl-C")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
