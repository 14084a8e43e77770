//! `kubeplex demo`: simulated clusters, and everything else real: agents, links, gateway.

mod catalog;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use futures::StreamExt as _;
use kubeplex_agent::Agent;
use kubeplex_agent::config::AgentConfig;
use kubeplex_agent::link::{self, LinkConfig};
use kubeplex_gateway::GatewayConfig;
use kubeplex_gateway::config::{ExpectedCluster, TokenHash};
use kubeplex_link::timings::Timings;
use kubeplex_proto::ids::ClusterId;
use simcluster::{SimCluster, SimConfig};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use catalog::{DemoCluster, clusters};

use crate::arguments::{Demo, Listen};
use crate::stand::Stand;

/// How often something happens in each cluster: often enough to see change, seldom enough to read.
const PACE: Duration = Duration::from_secs(5);

/// Making a cluster takes a core; more at once would only take memory.
const MADE_AT_ONCE: usize = 4;

/// # Errors
/// When the gateway can't start.
pub async fn run(options: Demo) -> anyhow::Result<ExitCode> {
    let stand = start(clusters(options.clusters, options.pods), &options.listen).await?;
    stand.serve(&options.listen).await
}

/// Starts a gateway that expects these clusters, and an agent for each, linked as over a network. The clusters are made
/// in the background, so that a display can show them arriving.
///
/// # Errors
/// When the gateway can't start.
pub async fn start(fleet: Vec<DemoCluster>, listen: &Listen) -> anyhow::Result<Stand> {
    start_with(fleet, BTreeMap::new(), Some(PACE), listen).await
}

/// As [`start`]; a cluster that is `made` already is taken from there, and without a `pace` nothing moves by itself.
///
/// # Errors
/// When the gateway can't start.
pub async fn start_with(
    fleet: Vec<DemoCluster>,
    made: BTreeMap<String, SimCluster>,
    pace: Option<Duration>,
    listen: &Listen,
) -> anyhow::Result<Stand> {
    let mut config = GatewayConfig::default();
    let mut agents = Vec::new();
    for cluster in fleet {
        let (id, token) = (ClusterId::new(&cluster.name)?, random_token());
        let (labels, hash) = (cluster.labels.clone(), Some(TokenHash::of(&token)));
        config = config.with_cluster(ExpectedCluster { id: id.clone(), labels, token: hash });
        agents.push(DemoAgent { id, token, sim: made.get(&cluster.name).cloned(), config: cluster.config });
    }
    let stand = Stand::start(config, listen).await?;
    let gateway = format!("ws://{}", stand.gateway.addresses().listen);
    let ground = Ground { gateway, pace, tracker: stand.tracker.clone(), stop: stand.stop.clone() };
    let starting = async move {
        let stop = ground.stop.clone();
        let agents = futures::stream::iter(agents).map(move |agent| agent.start(ground.clone()));
        stop.run_until_cancelled(agents.for_each_concurrent(MADE_AT_ONCE, |agent| agent)).await;
    };
    drop(stand.tracker.spawn(starting));
    Ok(stand)
}

/// A cluster that is to be made, and the agent that is to speak for it.
struct DemoAgent {
    id: ClusterId,
    token: String,
    config: SimConfig,
    sim: Option<SimCluster>,
}

/// What all agents of the demo share.
#[derive(Clone)]
struct Ground {
    gateway: String,
    pace: Option<Duration>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl DemoAgent {
    async fn start(self, ground: Ground) {
        let sim = match self.sim {
            Some(sim) => sim,
            None => {
                let config = self.config;
                let made = tokio::task::spawn_blocking(move || SimCluster::new(config)).await;
                let Ok(sim) = made else {
                    return tracing::error!(cluster = %self.id, "the cluster could not be made");
                };
                sim
            }
        };
        let client = kube::Client::new(sim.service(), "default");
        let config = AgentConfig::of_cluster(self.id.clone());
        let agent = Agent::start(config, client, ground.tracker.clone(), ground.stop.clone());
        match LinkConfig::new(&ground.gateway, &self.token, None, self.id, Timings::default()) {
            Ok(link) => drop(ground.tracker.spawn(link::run(
                link,
                agent.router(),
                ground.tracker.clone(),
                ground.stop.clone(),
            ))),
            Err(error) => tracing::error!(%error, "the demo's own link can't be configured"),
        }
        if let Some(pace) = ground.pace {
            let stop = ground.stop.clone();
            let moving = async move { stop.run_until_cancelled(sim.workloads().run(pace)).await };
            drop(ground.tracker.spawn(moving));
        }
    }
}

/// 32 random bytes in hexadecimal.
fn random_token() -> String {
    let bytes: [u8; 32] = rand::random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
