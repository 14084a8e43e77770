//! The gateway as a program.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use kubeplex_gateway::config::{Fixtures, GatewayConfig};
use kubeplex_gateway::{Addresses, Gateway};
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing_subscriber::EnvFilter;

/// One MCP endpoint for many Kubernetes clusters.
#[derive(Debug, Parser)]
#[command(name = "kubeplex-gateway", version)]
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
    /// What to log: `info`, `kubeplex_gateway=debug`, …
    #[arg(long, env = "KUBEPLEX_LOG", default_value = "info,rmcp=warn", value_name = "FILTER")]
    log: EnvFilter,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let config = configuration(&arguments)?;
    let terminal = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(arguments.log)
        .with_writer(std::io::stderr)
        .with_ansi(terminal)
        .init();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let gateway =
        Gateway::start(config, tracker.clone(), stop.clone()).await.context("starting the gateway")?;
    announce(gateway.addresses(), arguments.json);
    either(&mut interrupt, &mut terminate).await;
    stop.cancel();
    tracker.close();
    tokio::select! {
        () = tracker.wait() => Ok(()),
        // Whoever asks twice means now.
        () = either(&mut interrupt, &mut terminate) => anyhow::bail!("stopped before running calls were over"),
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

fn announce(addresses: Addresses, as_json: bool) {
    let Addresses { listen, admin } = addresses;
    let mcp = format!("http://{listen}/mcp");
    if as_json {
        println!("{}", json!({"mcp": mcp, "listen": listen, "admin": admin}));
    } else {
        println!("MCP endpoint  {mcp}\nhealth        http://{admin}/readyz");
    }
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}
