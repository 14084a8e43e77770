//! A gateway and its agents in one process, from start to Ctrl-C.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use kubeplex_gateway::{Gateway, GatewayConfig};
use kubeplex_program::output;
use kubeplex_program::signals::StopSignals;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::arguments::Listen;
use crate::hints::Hints;
use crate::startup::{self, Patience};

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
        let gateway = Gateway::start(config, serving.tracker.clone(), serving.stop.clone()).await?;
        Ok(Self { gateway, tracker: TaskTracker::new(), stop: CancellationToken::new(), serving })
    }

    /// Shows how the clusters come up, what the `hints` say, and what becomes of the clusters; serves until Ctrl-C or
    /// SIGTERM, then drains; a second one cuts the drain short.
    ///
    /// # Errors
    /// When signals can't be received, or running calls were cut off.
    pub async fn serve(self, options: &Listen, patience: Patience, hints: Hints) -> anyhow::Result<ExitCode> {
        let mut signals = StopSignals::listen().context("listening for signals")?;
        let registry = self.gateway.registry().clone();
        tokio::select! {
            shown = startup::show(&registry, self.gateway.addresses(), options, patience, &hints) => match shown? {},
            () = signals.next() => {}
        }
        if !options.json {
            output::note("stopping: running calls may end; Ctrl-C again stops at once");
        }
        tokio::select! {
            () = self.drain() => Ok(ExitCode::SUCCESS),
            () = signals.next() => bail!("stopped before running calls were over"),
        }
    }

    /// Ends everything that was started, in order: the gateway and its last calls, then the agents.
    pub async fn drain(self) {
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
