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
    /// Owns every task of the agents, and of what they watch.
    pub tracker: TaskTracker,
    /// Ends the agents. Cancelled after the gateway's drain: its last calls still need them.
    pub stop: CancellationToken,
    serving: Serving,
}

/// The gateway's own tasks, and what ends them.
struct Serving {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Stand {
    /// Starts the gateway.
    ///
    /// # Errors
    /// When an address is not loopback, or is taken.
    pub async fn start(config: GatewayConfig, options: &Listen) -> anyhow::Result<Self> {
        let config = config.with_listen(options.listen)?.with_admin(options.admin)?;
        let serving = Serving { tracker: TaskTracker::new(), stop: CancellationToken::new() };
        let gateway = Gateway::start(config, serving.tracker.clone(), serving.stop.clone()).await.context(
            "starting the gateway (another one may be running; --listen 127.0.0.1:0 --admin 127.0.0.1:0 picks free ports)",
        )?;
        Ok(Self { gateway, tracker: TaskTracker::new(), stop: CancellationToken::new(), serving })
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

    /// Ends everything that was started, in order: the gateway and its last calls, then the agents.
    pub async fn drain(self, quiet: bool) {
        if !quiet {
            eprintln!("draining …");
        }
        let ended = async {
            end(&self.serving.tracker, &self.serving.stop).await;
            end(&self.tracker, &self.stop).await;
        };
        if tokio::time::timeout(DRAIN, ended).await.is_err() {
            let tasks = self.serving.tracker.len() + self.tracker.len();
            tracing::warn!(tasks, "drain took too long: cutting what is left");
        }
    }
}

async fn end(tracker: &TaskTracker, stop: &CancellationToken) {
    stop.cancel();
    tracker.close();
    tracker.wait().await;
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
