//! The gateway as a program.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use kubeplex_gateway::config::{Fixtures, GatewayConfig, Protection};
use kubeplex_gateway::{Addresses, Gateway};
use kubeplex_program::logging::LogOptions;
use kubeplex_program::signals::{ReloadSignal, StopSignals};
use kubeplex_program::{failure, output};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const NAME: &str = "kubeplex-gateway";

/// What is logged unless told otherwise.
const LOG: &str = "info,rmcp=warn";

/// One MCP endpoint for many Kubernetes clusters.
#[derive(Debug, Parser)]
#[command(name = NAME, version, max_term_width = 100)]
struct Arguments {
    /// The configuration file (TOML); without it there are no clusters.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where MCP clients and agents connect; overrides the file.
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<SocketAddr>,
    /// Where health and metrics are served; overrides the file.
    #[arg(long, value_name = "IP:PORT")]
    admin: Option<SocketAddr>,
    /// Print one line of JSON with the addresses when ready.
    #[arg(long)]
    json: bool,
    /// Serve what the official MCP conformance suite asks for, too. Never in production.
    #[arg(long)]
    conformance_fixtures: bool,
    #[command(flatten)]
    log: LogOptions,
}

#[tokio::main]
async fn main() -> ExitCode {
    failure::exit(NAME, run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    arguments.log.start(LOG)?;
    let mut signals = StopSignals::listen().context("listening for signals")?;
    let mut hangups = ReloadSignal::listen().context("listening for signals")?;
    let config = configuration(&arguments)?;
    let clusters = config.clusters().len();
    let scheme = if matches!(config.protection(), Protection::Tls(_)) { "https" } else { "http" };
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let gateway = Gateway::start(config, tracker.clone(), stop.clone()).await?;
    let Addresses { listen, admin } = gateway.addresses();
    tracing::info!(%listen, %admin, clusters, "listening");
    announce(scheme, gateway.addresses(), arguments.json)?;
    loop {
        tokio::select! {
            () = signals.next() => break,
            () = hangups.next() => reload(&gateway, &arguments),
        }
    }
    stop.cancel();
    tracker.close();
    tokio::select! {
        () = tracker.wait() => Ok(ExitCode::SUCCESS),
        // Whoever asks twice means now.
        () = signals.next() => anyhow::bail!("stopped before running calls were over"),
    }
}

/// A file that can't be used changes nothing.
fn reload(gateway: &Gateway, arguments: &Arguments) {
    let reloaded = match configuration(arguments).and_then(|config| Ok(gateway.reload(config)?)) {
        Ok(reloaded) => reloaded,
        Err(error) => {
            let error = format!("{error:#}");
            return tracing::error!(error, "the configuration is not reloaded: everything stays as it was");
        }
    };
    tracing::info!("the configuration is reloaded: {reloaded}");
    for key in reloaded.waiting {
        tracing::warn!(key, "its new value waits for a restart: until then the old one counts");
    }
}

fn configuration(arguments: &Arguments) -> anyhow::Result<GatewayConfig> {
    let mut config = match &arguments.config {
        Some(path) => GatewayConfig::load(path)?,
        None => GatewayConfig::default(),
    };
    if let Some(listen) = arguments.listen {
        config = config.with_listen(listen)?;
    }
    if let Some(admin) = arguments.admin {
        config = config.with_admin(admin)?;
    }
    if arguments.conformance_fixtures {
        config = config.with_fixtures(Fixtures::Served);
    }
    Ok(config)
}

fn announce(scheme: &str, addresses: Addresses, as_json: bool) -> std::io::Result<()> {
    let Addresses { listen, admin } = addresses;
    let endpoint = format!("{scheme}://{listen}/mcp");
    if as_json {
        output::line(&json!({"endpoint": endpoint, "listen": listen, "admin": admin}).to_string())
    } else {
        output::line(&format!("MCP endpoint  {endpoint}\nhealth        http://{admin}/readyz"))
    }
}
