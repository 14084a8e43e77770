//! `kubeplex demo`: simulated clusters, and everything else real: agents, links, gateway.

mod catalog;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use futures::StreamExt as _;
use kubeplex_gateway::GatewayConfig;
use kubeplex_proto::ids::ClusterId;
use simcluster::{SimCluster, SimConfig};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use catalog::DemoCluster;

use crate::arguments::{Demo, Listen};
use crate::hints;
use crate::linked::{LinkedAgents, LinkedCluster};
use crate::stand::Stand;
use crate::startup::Patience;

/// How often something happens in each cluster: often enough to see change, seldom enough to read.
const PACE: Duration = Duration::from_secs(5);

/// Making a cluster takes a core; more at once would only take memory.
const MADE_AT_ONCE: usize = 4;

/// # Errors
/// When the gateway can't start.
pub async fn run(options: Demo) -> anyhow::Result<ExitCode> {
    let stand = start(catalog::clusters(options.clusters, options.pods), &options.listen).await?;
    // Simulated clusters don't hang, and a big one is silent while it is made.
    stand.serve(&options.listen, Patience::WITH_SILENCE, hints::FOR_DEMO).await
}

/// Starts a gateway that expects these clusters, and an agent for each. The clusters are made in the background, so that a
/// display can show them arriving.
async fn start(fleet: Vec<DemoCluster>, listen: &Listen) -> anyhow::Result<Stand> {
    let mut config = GatewayConfig::default();
    let mut clusters = Vec::new();
    for DemoCluster { name, labels, config: sim } in fleet {
        let linked = LinkedCluster::new(ClusterId::new(&name)?, labels);
        config = config.with_cluster(linked.expected());
        clusters.push((linked, sim));
    }
    let stand = Stand::start(config, listen).await?;
    let ground =
        Ground { agents: LinkedAgents::of(&stand), tracker: stand.tracker.clone(), stop: stand.stop.clone() };
    let starting = async move {
        let stop = ground.stop.clone();
        let making =
            futures::stream::iter(clusters).map(move |(linked, sim)| ground.clone().add(linked, sim));
        stop.run_until_cancelled(making.for_each_concurrent(MADE_AT_ONCE, |added| added)).await;
    };
    drop(stand.tracker.spawn(starting));
    Ok(stand)
}

/// What all clusters of the demo share.
#[derive(Clone)]
struct Ground {
    agents: LinkedAgents,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Ground {
    async fn add(self, linked: LinkedCluster, config: SimConfig) {
        let id = linked.id().clone();
        if let Err(error) = self.make(linked, config).await {
            tracing::error!(cluster = %id, error = format!("{error:#}"), "the cluster is left out");
        }
    }

    async fn make(self, linked: LinkedCluster, config: SimConfig) -> anyhow::Result<()> {
        let sim = tokio::task::spawn_blocking(move || SimCluster::new(config)).await;
        let sim = sim.context("making the cluster")?;
        self.agents.start(linked, kube::Client::new(sim.service(), "default"))?;
        let stop = self.stop.clone();
        let moving = async move { stop.run_until_cancelled(sim.workloads().run(PACE)).await };
        drop(self.tracker.spawn(moving));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial;

    #[tokio::test]
    async fn what_is_suggested_has_an_answer() {
        let stand = start(catalog::clusters(1, 20), &trial::free_ports()).await.unwrap();
        trial::until_ready(&stand).await;
        trial::answers(&stand, hints::FOR_DEMO).await;
        stand.drain().await;
    }
}
