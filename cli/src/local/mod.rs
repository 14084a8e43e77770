//! `kubeplex local`: the clusters of a kubeconfig, their agents in this process.

mod contexts;
mod problem;
#[cfg(test)]
mod tests;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kubeplex_agent::Agent;
use kubeplex_agent::api::tuned;
use kubeplex_agent::config::{AgentConfig, LiveReads, SecretsWatch, WatchMode};
use kubeplex_gateway::GatewayConfig;
use kubeplex_gateway::config::ExpectedCluster;
use kubeplex_gateway::link::Links;
use kubeplex_link::backoff::Backoff;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::arguments::{Listen, Local};
use crate::hints;
use crate::stand::Stand;
use crate::startup::{ClusterState, Patience};
use contexts::LocalCluster;

/// How many clusters connect at the same time: credential plugins are processes, and a laptop has few cores.
const STARTING_AT_ONCE: usize = 8;

/// A cluster that has not answered by then gives its place to the next one, and goes on trying.
const START_TURN: Duration = Duration::from_secs(3);

/// Between two attempts to set up a connection: a plugin is a process, and may open a browser.
const SHORTEST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// # Errors
/// When the kubeconfig can't be read, names no such context, or the gateway can't start.
pub async fn run(options: Local) -> anyhow::Result<ExitCode> {
    let kubeconfig = contexts::read(options.kubeconfig.as_deref())?;
    let stand = start(kubeconfig, &options.context, &options.listen).await?;
    stand.serve(&options.listen, Patience::FOR_STRANGERS, hints::FOR_STRANGERS).await
}

/// Starts a gateway that expects the contexts `wanted` (all where none is named), and an agent for each.
///
/// # Errors
/// When a context does not exist, or the gateway can't start.
pub async fn start(kubeconfig: Kubeconfig, wanted: &[String], listen: &Listen) -> anyhow::Result<Stand> {
    let clusters = contexts::select(&kubeconfig, wanted)?;
    let expect = |config: GatewayConfig, cluster: &LocalCluster| {
        let (id, labels) = (cluster.id.clone(), cluster.labels());
        config.with_cluster(ExpectedCluster { id, labels, token: None })
    };
    let config = clusters.iter().fold(GatewayConfig::default(), expect);
    let stand = Stand::start(config, listen).await?;
    let starter = Starter {
        kubeconfig: Arc::new(kubeconfig),
        links: stand.gateway.links().clone(),
        tracker: stand.tracker.clone(),
        stop: stand.stop.clone(),
    };
    let starting = async move {
        let stop = starter.stop.clone();
        let turns = futures::stream::iter(clusters).map(move |cluster| starter.clone().turn(cluster));
        stop.run_until_cancelled(turns.for_each_concurrent(STARTING_AT_ONCE, |turn| turn)).await;
    };
    drop(stand.tracker.spawn(starting));
    Ok(stand)
}

#[derive(Clone)]
struct Starter {
    kubeconfig: Arc<Kubeconfig>,
    links: Links,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Starter {
    /// Starts one cluster's agent, and waits until it has settled or its turn is over. Starting goes on beyond that: a
    /// credential plugin may be waiting for a person.
    async fn turn(self, cluster: LocalCluster) {
        let (starter, starting) = (self.clone(), cluster.clone());
        drop(self.tracker.spawn(async move {
            let stop = starter.stop.clone();
            stop.run_until_cancelled(starter.start(starting)).await;
        }));
        let settled = async {
            let mut changes = self.links.registry().changes();
            let is_settled = || {
                let fleet = self.links.registry().snapshot();
                fleet.get(&cluster.id).is_some_and(|view| ClusterState::of(view).is_settled())
            };
            while !is_settled() && changes.changed().await.is_ok() {}
        };
        // Running out of time is the expected end for a cluster that does not answer.
        let _ = tokio::time::timeout(START_TURN, settled).await;
    }

    /// Starts the agent as soon as there is a client: a certificate may be written later, a plugin installed, a person log
    /// in. What is in the way is said where clusters are shown.
    async fn start(self, cluster: LocalCluster) {
        let mut backoff = Backoff::new(LONGEST_PAUSE);
        loop {
            match self.client(&cluster).await {
                Ok((client, url)) => return self.start_agent(&cluster, client, url),
                Err(problem) => {
                    tracing::info!(cluster = %cluster.id, problem, "no agent can be started yet");
                    let problem = format!("{problem}; this is tried again at least every minute");
                    self.links.registry().report_problem(&cluster.id, problem);
                }
            }
            tokio::time::sleep(backoff.pause(Some(SHORTEST_PAUSE), rand::random())).await;
        }
    }

    /// A client with the rights of the context and the address that it talks to, or in a sentence why there is none.
    async fn client(&self, cluster: &LocalCluster) -> Result<(kube::Client, String), String> {
        let options =
            KubeConfigOptions { context: Some(cluster.context.clone()), ..KubeConfigOptions::default() };
        let config = kube::Config::from_custom_kubeconfig(Kubeconfig::clone(&self.kubeconfig), &options);
        let config = config.await.map_err(|error| problem::of_context(&cluster.context, &error))?;
        let config = tuned(config);
        let url = config.cluster_url.to_string();
        let plugin = config.auth_info.exec.as_ref().and_then(|exec| exec.command.clone());
        // The library runs a credential plugin where it is called and waits for it. No tracker owns this: a drain would wait
        // for whoever the plugin waits for, so the end of the program cuts it off.
        let connecting = tokio::task::spawn_blocking(move || kube::Client::try_from(config));
        tokio::pin!(connecting);
        let connected = tokio::select! {
            connected = &mut connecting => connected,
            () = tokio::time::sleep(START_TURN) => {
                self.links.registry().report_problem(&cluster.id, problem::waiting(plugin.as_deref()));
                connecting.await
            }
        };
        let client = connected.map_err(|error| format!("setting up the connection: {error}"))?;
        let client = client.map_err(|error| problem::of_connection(plugin.as_deref(), &error))?;
        Ok((client, url.trim_end_matches('/').to_owned()))
    }

    fn start_agent(&self, cluster: &LocalCluster, client: kube::Client, url: String) {
        let agent = AgentConfig::of_cluster(cluster.id.clone())
            .with_server(url)
            .with_watch(WatchMode::OnDemand)
            .with_live_reads(LiveReads::Own)
            .with_secrets(SecretsWatch::Metadata);
        let agent = Agent::start(agent, client, self.tracker.clone(), self.stop.clone());
        self.links.attach_in_process(cluster.id.clone(), agent.router());
    }
}
