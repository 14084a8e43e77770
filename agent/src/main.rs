//! `kubeplex-agent`: one cluster's agent as a process of its own.

mod admin;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use kubeplex_agent::Agent;
use kubeplex_agent::allocator;
use kubeplex_agent::api::connect;
use kubeplex_agent::config::{AgentConfig, GatewayTarget, RawConfig};
use kubeplex_agent::link::{self, LinkConfig};
use kubeplex_link::timings::Timings;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: allocator::Jemalloc = allocator::Jemalloc;

#[expect(unsafe_code, reason = "the allocator reads its options from a symbol of this name before main")]
#[cfg_attr(target_os = "linux", unsafe(export_name = "malloc_conf"))]
#[cfg_attr(not(target_os = "linux"), unsafe(export_name = "_rjem_malloc_conf"))]
pub static ALLOCATOR_OPTIONS: &[u8; allocator::OPTIONS.len()] = allocator::OPTIONS;

/// How long requests under way may take to end after a signal.
const DRAIN: Duration = Duration::from_secs(20);

/// Watches one cluster and serves it to a gateway.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// A TOML file; `KUBEPLEX_AGENT__SECTION__FIELD` in the environment overrides its fields.
    #[arg(long)]
    config: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    start_logging();
    let environment = std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
    let raw = RawConfig::load(arguments.config.as_deref(), environment.collect())
        .context("reading the configuration")?;
    run(AgentConfig::try_from(raw)?).await
}

/// Lines for people on a terminal, JSON for whatever collects them elsewhere.
fn start_logging() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        subscriber.init();
    } else {
        subscriber.json().flatten_event(true).init();
    }
}

async fn run(config: AgentConfig) -> anyhow::Result<()> {
    let (tracker, linked) = (TaskTracker::new(), TaskTracker::new());
    let (accepting, working) = (CancellationToken::new(), CancellationToken::new());
    let client = connect(config.access()).await.context("reaching the cluster")?;
    let agent = Agent::start(config.clone(), client, tracker.clone(), working.clone());
    if let Some(gateway) = config.gateway() {
        let link = link_of(&config, gateway)?;
        linked.spawn(link::run(link, agent.router(), linked.clone(), accepting.clone()));
    }
    if let Some(address) = config.admin() {
        admin::start(address, &agent, &linked, accepting.clone()).await?;
    }
    tracing::info!(cluster = %config.cluster(), agent.instance = agent.instance().0, "watching");

    until_told_to_stop().await?;
    tracing::info!("stopping");
    stop(&linked, &tracker, &accepting, &working).await;
    Ok(())
}

/// First the link takes no more requests and those under way end; only then the watches do.
async fn stop(
    linked: &TaskTracker,
    tracker: &TaskTracker,
    accepting: &CancellationToken,
    working: &CancellationToken,
) {
    accepting.cancel();
    linked.close();
    let drained = tokio::time::timeout(DRAIN, linked.wait()).await;
    working.cancel();
    tracker.close();
    let ended = tokio::time::timeout(DRAIN, tracker.wait()).await;
    if drained.is_err() || ended.is_err() {
        tracing::warn!(drain_s = DRAIN.as_secs(), "something did not end in time and is cut");
    }
}

fn link_of(config: &AgentConfig, gateway: &GatewayTarget) -> anyhow::Result<LinkConfig> {
    let (token, ca_file) = (gateway.token.expose(), gateway.ca_file.as_deref());
    let link = LinkConfig::new(&gateway.url, token, ca_file, config.cluster().clone(), Timings::default());
    link.context("preparing the link to the gateway")
}

async fn until_told_to_stop() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        result = tokio::signal::ctrl_c() => result.context("listening for Ctrl-C"),
    }
}
