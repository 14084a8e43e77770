//! `kubeplex demo`: simulated clusters, and everything else real: agents, links, gateway.

mod catalog;
mod control;
mod outage;
mod wire;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures::StreamExt as _;
use kubeplex_gateway::GatewayConfig;
use kubeplex_link::timings::Timings;
use kubeplex_program::output;
use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::pattern::Pattern;
use simcluster::{SimCluster, SimConfig};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use catalog::DemoCluster;
use control::{Control, Order, Told};
use outage::{Act, Lines};
use wire::Wire;

use crate::arguments::{Demo, DemoAct, DemoOptions, Listen, Outage};
use crate::hints;
use crate::linked::{LinkedAgents, LinkedCluster};
use crate::stand::Stand;
use crate::startup::Patience;

/// How often something happens in each cluster: often enough to see change, seldom enough to read.
const PACE: Duration = Duration::from_secs(5);

/// Making a cluster takes a core; more at once would only take memory.
const MADE_AT_ONCE: usize = 4;

/// Who cuts a link in a demo wants to see it, and to see it healed: seconds, not the minute that spares real networks.
fn impatient() -> Timings {
    Timings {
        heartbeat: Duration::from_secs(1),
        suspect_after: Duration::from_secs(3),
        lost_after: Duration::from_secs(6),
        reconnect_max: Duration::from_secs(2),
        ..Timings::default()
    }
}

/// # Errors
/// When the gateway can't start; for another terminal's demo, when it can't be reached, or has no such clusters.
pub async fn run(demo: Demo) -> anyhow::Result<ExitCode> {
    match demo.act {
        None => play(demo.options).await,
        Some(DemoAct::Cut { outage, api: true }) => ask(Act::CutApi, outage).await,
        Some(DemoAct::Cut { outage, api: false }) => ask(Act::CutLink, outage).await,
        Some(DemoAct::Heal { outage }) => ask(Act::Heal, outage).await,
    }
}

async fn ask(act: Act, outage: Outage) -> anyhow::Result<ExitCode> {
    let clusters = outage.clusters.into_iter().map(Pattern::new).collect();
    let done = control::ask(outage.endpoint.port(), &Order { act, clusters }).await?;
    output::line(&done)?;
    Ok(ExitCode::SUCCESS)
}

async fn play(options: DemoOptions) -> anyhow::Result<ExitCode> {
    let stand = start(catalog::clusters(options.clusters, options.pods), &options.listen).await?;
    // Simulated clusters don't hang, and a big one is silent while it is made.
    stand.serve(&options.listen, Patience::WITH_SILENCE, hints::FOR_DEMO).await
}

/// Starts a gateway that expects these clusters, and an agent for each. The clusters are made in the background, so that a
/// display can show them arriving.
async fn start(fleet: Vec<DemoCluster>, listen: &Listen) -> anyhow::Result<Stand> {
    let mut config = GatewayConfig::default().with_timings(impatient());
    let mut clusters = Vec::new();
    for DemoCluster { name, labels, config: sim } in fleet {
        let linked = LinkedCluster::new(ClusterId::new(&name)?, labels);
        config = config.with_cluster(linked.expected());
        clusters.push((linked, sim));
    }
    let stand = Stand::start(config, listen).await?;
    let gateway = stand.gateway.addresses().listen;
    let ground = Ground {
        agents: LinkedAgents::of(&stand).with_timings(impatient()),
        gateway,
        lines: Arc::default(),
        tracker: stand.tracker.clone(),
        stop: stand.stop.clone(),
    };
    ground.listen_for_orders(if listen.json { Told::Program } else { Told::Person });
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
    gateway: SocketAddr,
    lines: Arc<Lines>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Ground {
    /// A demo that can't be reached from another terminal is a demo all the same.
    fn listen_for_orders(&self, told: Told) {
        match Control::listen(self.gateway.port()) {
            Ok(control) => {
                let (lines, stop) = (self.lines.clone(), self.stop.clone());
                let serving = async move { stop.run_until_cancelled(control.serve(lines, told)).await };
                drop(self.tracker.spawn(serving));
            }
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "`kubeplex demo cut` can't reach this demo");
            }
        }
    }

    async fn add(self, linked: LinkedCluster, config: SimConfig) {
        let id = linked.id().clone();
        if let Err(error) = self.make(linked, config).await {
            tracing::error!(cluster = %id, error = format!("{error:#}"), "the cluster is left out");
        }
    }

    async fn make(self, linked: LinkedCluster, config: SimConfig) -> anyhow::Result<()> {
        let sim = tokio::task::spawn_blocking(move || SimCluster::new(config)).await;
        let sim = sim.context("making the cluster")?;
        let wire = Wire::to(self.gateway, &self.tracker, self.stop.clone()).await;
        let wire = wire.context("laying the wire to the gateway")?;
        let agents = self.agents.dialling(wire.address());
        self.lines.add(linked.id().clone(), wire, sim.clone());
        agents.start(linked, kube::Client::new(sim.service(), "default"))?;
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
