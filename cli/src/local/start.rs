//! Starts the agents of a kubeconfig's clusters, a few at a time, and each again until it works.

use std::sync::Arc;
use std::time::Duration;

use kube::config::Kubeconfig;
use kubeplex_agent::Agent;
use kubeplex_agent::access::Context;
use kubeplex_agent::access::credentials::{CredentialTimings, Credentials};
use kubeplex_agent::config::{AgentConfig, LiveReads, SecretsWatch, WatchMode};
use kubeplex_gateway::link::Links;
use kubeplex_link::backoff::Backoff;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::contexts::LocalCluster;
use crate::startup::ClusterState;

/// A cluster that has not answered by then gives its place to the next one, and goes on trying.
const START_TURN: Duration = Duration::from_secs(3);

/// Between two attempts to set up a connection.
const SHORTEST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What all agents of this process share.
#[derive(Clone)]
pub(super) struct Starter {
    pub(super) kubeconfig: Arc<Kubeconfig>,
    pub(super) timings: CredentialTimings,
    pub(super) links: Links,
    pub(super) tracker: TaskTracker,
}

impl Starter {
    /// Starts one cluster's agent, which ends with `stop`, and waits until it has settled or its turn is over. Starting goes
    /// on beyond that: it may take a person.
    pub(super) async fn turn(self, cluster: LocalCluster, stop: CancellationToken) {
        let (starter, starting, ends) = (self.clone(), cluster.clone(), stop.clone());
        drop(self.tracker.spawn(async move {
            ends.run_until_cancelled(starter.start(starting, ends.clone())).await;
        }));
        let settled = async {
            let mut changes = self.links.registry().changes();
            let is_settled = || {
                let fleet = self.links.registry().snapshot();
                fleet.get(&cluster.id).is_none_or(|view| ClusterState::of(view).is_settled())
            };
            while !is_settled() && changes.changed().await.is_ok() {}
        };
        // Running out of time is the expected end for a cluster that does not answer.
        let _ = tokio::time::timeout(START_TURN, stop.run_until_cancelled(settled)).await;
    }

    /// Starts the agent as soon as there is a client: a certificate may be written later, a plugin installed, a person log
    /// in. What is in the way is said where clusters are shown.
    async fn start(self, cluster: LocalCluster, stop: CancellationToken) {
        let mut backoff = Backoff::new(LONGEST_PAUSE);
        loop {
            let context = Context::of(&self.kubeconfig, Some(cluster.context()), self.timings).await;
            let opened = context.and_then(|context| {
                let url = context.server().url;
                context.client(&self.tracker, &stop).map(|(client, credentials)| (client, credentials, url))
            });
            match opened {
                Ok((client, credentials, url)) => {
                    if let Some(credentials) = credentials {
                        self.sign_in(&cluster, credentials).await;
                    }
                    return self.start_agent(&cluster, client, url, stop);
                }
                Err(error) => {
                    let context = cluster.context();
                    self.report(
                        &cluster,
                        format!("the context {context} of the kubeconfig can't be used: {error}"),
                    );
                }
            }
            tokio::time::sleep(backoff.pause(Some(SHORTEST_PAUSE), rand::random())).await;
        }
    }

    /// Waits for the first credential.
    async fn sign_in(&self, cluster: &LocalCluster, mut credentials: Credentials) {
        while let Err(error) = credentials.check().await {
            self.report(cluster, error.to_string());
            credentials.changed().await;
        }
    }

    fn report(&self, cluster: &LocalCluster, problem: String) {
        tracing::info!(cluster = %cluster.id, problem, "no agent can be started yet");
        let problem = format!("{problem}; this is tried again at least every minute");
        self.links.registry().report_problem(&cluster.id, problem);
    }

    fn start_agent(
        &self,
        cluster: &LocalCluster,
        client: kube::Client,
        url: String,
        stop: CancellationToken,
    ) {
        let agent = AgentConfig::of_cluster(cluster.id.clone())
            .with_server(url)
            .with_watch(WatchMode::OnDemand)
            .with_live_reads(LiveReads::Own)
            .with_secrets(SecretsWatch::metadata());
        let agent = Agent::start(agent, client, self.tracker.clone(), stop);
        self.links.attach_in_process(cluster.id.clone(), agent.router());
    }
}
