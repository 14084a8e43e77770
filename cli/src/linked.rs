//! Agents of this process that dial its own gateway, as they would over a network.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use kubeplex_agent::Agent;
use kubeplex_agent::config::{AgentConfig, SecretsWatch};
use kubeplex_agent::link::{self, LinkConfig};
use kubeplex_gateway::config::{ExpectedCluster, TokenHash};
use kubeplex_link::timings::Timings;
use kubeplex_proto::ids::ClusterId;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::stand::Stand;

/// A cluster whose agent links with a token of its own.
pub struct LinkedCluster {
    id: ClusterId,
    labels: BTreeMap<String, String>,
    token: String,
}

/// Where linked agents run, and what they dial.
#[derive(Clone)]
pub struct LinkedAgents {
    /// As in `ws://127.0.0.1:7575`.
    gateway: String,
    timings: Timings,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl LinkedCluster {
    /// A cluster with a new token.
    pub fn new(id: ClusterId, labels: BTreeMap<String, String>) -> Self {
        Self { id, labels, token: random_token() }
    }

    pub fn id(&self) -> &ClusterId {
        &self.id
    }

    /// What the gateway has to know of it.
    pub fn expected(&self) -> ExpectedCluster {
        let token = Some(TokenHash::of(&self.token));
        ExpectedCluster { id: self.id.clone(), labels: self.labels.clone(), token }
    }
}

impl LinkedAgents {
    /// Of the gateway of `stand`, which owns them.
    pub fn of(stand: &Stand) -> Self {
        Self {
            gateway: format!("ws://{}", stand.gateway.addresses().listen),
            timings: Timings::default(),
            tracker: stand.tracker.clone(),
            stop: stand.stop.clone(),
        }
    }

    /// With other pauses and patience than usual.
    #[must_use]
    pub fn with_timings(self, timings: Timings) -> Self {
        Self { timings, ..self }
    }

    /// The same, by way of something on this machine that leads to the gateway.
    #[must_use]
    pub fn dialling(self, address: SocketAddr) -> Self {
        Self { gateway: format!("ws://{address}"), ..self }
    }

    /// Starts the agent of a cluster, which reaches its API server with `client`.
    ///
    /// # Errors
    /// When there can be no link, which a loopback address and a token of ours rule out.
    pub fn start(&self, cluster: LinkedCluster, client: kube::Client) -> anyhow::Result<()> {
        let LinkedCluster { id, token, .. } = cluster;
        let link = LinkConfig::new(&self.gateway, &token, None, id.clone(), self.timings)?;
        let (tracker, stop) = (self.tracker.clone(), self.stop.clone());
        let config = AgentConfig::of_cluster(id).with_secrets(SecretsWatch::metadata());
        let agent = Agent::start(config, client, tracker.clone(), stop.clone());
        drop(self.tracker.spawn(link::run(link, agent.router(), tracker, stop)));
        Ok(())
    }
}

/// 32 random bytes in hexadecimal.
pub(crate) fn random_token() -> String {
    let bytes: [u8; 32] = rand::random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
