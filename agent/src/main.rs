//! `kubeplex-agent`: one cluster's agent as a process of its own.

mod admin;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use kubeplex_agent::Agent;
use kubeplex_agent::access::connect;
use kubeplex_agent::config::{AgentConfig, GatewayTarget, RawConfig, ServeTarget};
use kubeplex_agent::link::{self, Certificate, Door, LinkConfig};
use kubeplex_link::proxy::Proxies;
use kubeplex_program::failure;
use kubeplex_program::logging::LogOptions;
use kubeplex_program::signals::StopSignals;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

kubeplex_agent::program_allocator!();

/// How long requests under way may take to end after a signal.
const DRAIN: Duration = Duration::from_secs(20);

const NAME: &str = "kubeplex-agent";

/// What is logged unless told otherwise.
const LOG: &str = "info";

/// Watches one cluster and serves it to a gateway.
#[derive(Parser)]
#[command(name = NAME, version, max_term_width = 100)]
struct Arguments {
    /// A TOML file; `KUBEPLEX_AGENT__SECTION__FIELD` in the environment overrides its fields.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    log: LogOptions,
}

#[tokio::main]
async fn main() -> ExitCode {
    failure::exit(NAME, start(Arguments::parse()).await)
}

async fn start(arguments: Arguments) -> anyhow::Result<ExitCode> {
    arguments.log.start(LOG)?;
    run(configuration(arguments.config.as_deref())?).await
}

/// From the file and the environment above it; what is wrong with it is said with where it stands.
fn configuration(file: Option<&Path>) -> anyhow::Result<AgentConfig> {
    let environment = std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
    let place = match file {
        Some(file) => format!("the configuration {} can't be used", file.display()),
        None => {
            "there is no --config FILE, and KUBEPLEX_AGENT__… in the environment is not enough".to_owned()
        }
    };
    let raw = RawConfig::load(file, environment.collect()).with_context(|| place.clone())?;
    AgentConfig::try_from(raw).context(place)
}

async fn run(config: AgentConfig) -> anyhow::Result<ExitCode> {
    let mut signals = StopSignals::listen().context("listening for signals")?;
    let (tracker, linked) = (TaskTracker::new(), TaskTracker::new());
    let (accepting, working) = (CancellationToken::new(), CancellationToken::new());
    let (client, url) = connect(config.access(), &tracker, &working).await?;
    let config = config.with_server(url);
    let agent = Agent::start(config.clone(), client, tracker.clone(), working.clone());
    if let Some(gateway) = config.gateway() {
        let link = link_of(&config, gateway)?;
        if let Some(proxy) = link.proxy() {
            tracing::info!(%proxy, gateway.url, "the gateway is dialled through a proxy");
        }
        linked.spawn(link::run(link, agent.router(), linked.clone(), accepting.clone()));
    }
    if let Some(door) = config.serve() {
        serve(&config, door, &agent, &linked, &accepting).await?;
    }
    if let Some(listener) = config.admin() {
        admin::start(listener, &agent, &linked, accepting.clone()).await?;
    }
    tracing::info!(cluster = %config.cluster(), agent.instance = agent.instance().0, "watching");

    signals.next().await;
    tracing::info!("stopping");
    tokio::select! {
        () = stop(&linked, &tracker, &accepting, &working) => Ok(ExitCode::SUCCESS),
        // Whoever asks twice means now.
        () = signals.next() => anyhow::bail!("stopped before running calls were over"),
    }
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
    let GatewayTarget { url, credential, ca_file, .. } = gateway;
    let (cluster, timings) = (config.cluster().clone(), config.link());
    let link = LinkConfig::showing(credential.clone(), url, ca_file.as_deref(), cluster, timings);
    let proxies = match &gateway.proxies {
        Some(proxies) => proxies.clone(),
        None => Proxies::from_environment(|name| std::env::var(name).ok()).map_err(|(name, error)| {
            anyhow::Error::new(error).context(format!("{name} in the environment"))
        })?,
    };
    Ok(link.context("preparing the link to the gateway")?.with_proxies(proxies))
}

/// Lets gateways dial the agent.
async fn serve(
    config: &AgentConfig,
    target: &ServeTarget,
    agent: &Agent,
    linked: &TaskTracker,
    accepting: &CancellationToken,
) -> anyhow::Result<()> {
    let address = target.address;
    let listener = TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))?;
    tracing::info!(serve.address = %listener.local_addr()?, "gateways may dial");
    let certificate = target.certificate.as_ref().map(Certificate::load).transpose();
    let certificate = certificate.context("the certificate of [serve]")?;
    let door = Door {
        cluster: config.cluster().clone(),
        timings: config.link(),
        identity: certificate.as_ref().map(Certificate::identity),
        token: target.token,
    };
    if let Some(certificate) = certificate {
        linked.spawn(certificate.keep(accepting.clone()));
    }
    linked.spawn(link::listen(listener, door, agent.router(), linked.clone(), accepting.clone()));
    Ok(())
}
