//! `kubeplex demo`: simulated clusters, and everything else real: agents, links, gateway.

mod catalog;
mod control;
mod outage;
mod story;
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
use crate::linked::{LinkedAgents, LinkedCluster};
use crate::stand::Stand;
use crate::startup::Patience;

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

/// The clusters of a demo that stands still, for whoever measures it or asks it in a test.
pub fn configs(clusters: u16, pods: u32) -> Vec<SimConfig> {
    catalog::clusters(clusters, pods).into_iter().map(|cluster| cluster.config).collect()
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
    let done = control::ask(outage.at.endpoint.port(), &Order { act, clusters }).await?;
    output::line(&done)?;
    Ok(ExitCode::SUCCESS)
}

async fn play(options: DemoOptions) -> anyhow::Result<ExitCode> {
    let fleet = catalog::clusters(options.clusters, options.pods);
    let hints = story::hints(fleet.iter().map(|cluster| cluster.name.as_str()));
    let stand = start(fleet, options.pace(), &options.listen).await?;
    // Simulated clusters don't hang, and a big one is silent while it is made.
    stand.serve(&options.listen, Patience::WITH_SILENCE, hints).await
}

/// Starts a gateway that expects these clusters, and an agent for each. The clusters are made in the background, so that a
/// display can show them arriving.
async fn start(fleet: Vec<DemoCluster>, pace: Option<Duration>, listen: &Listen) -> anyhow::Result<Stand> {
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
        pace,
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
    pace: Option<Duration>,
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
        if let Some(pace) = self.pace {
            let stop = self.stop.clone();
            let moving = async move { stop.run_until_cancelled(sim.workloads().run(pace)).await };
            drop(self.tracker.spawn(moving));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::trial;

    /// The manual, whose table says of each cause what to ask and what the answer holds.
    const MANUAL: &str = include_str!("../../../docs/demo.md");

    async fn still(clusters: u16, pods: u32) -> Stand {
        let stand = start(catalog::clusters(clusters, pods), None, &trial::free_ports()).await.unwrap();
        trial::until_ready(&stand).await;
        stand
    }

    #[tokio::test]
    async fn what_is_suggested_has_an_answer_in_the_smallest_demo_too() {
        let stand = still(1, 20).await;
        let hints = story::hints(["prod-eu"]);
        assert!(hints.story.len() == 2 && hints.story[1].contains("prod-eu"), "{:?}", hints.story);
        trial::answers(&stand, &hints).await;
        stand.drain().await;
    }

    /// Tool, arguments and what is in the answer, of a row of the manual.
    fn cause(line: &str) -> Option<(&str, &str, Vec<&str>)> {
        let mut cells = line.strip_prefix("| ")?.split(" | ").skip(2);
        let call = cells.next()?.strip_prefix("`kubeplex call ")?.trim_end_matches('`');
        let (tool, arguments) = call.split_once(' ')?;
        let evidence = cells.next()?.split('`').skip(1).step_by(2).collect();
        Some((tool, arguments.trim_matches('\''), evidence))
    }

    #[tokio::test]
    async fn the_story_is_true_and_every_cause_is_where_the_manual_says() {
        let stand = still(6, 60).await;
        let [restarts, same, warnings] = story::hints([]).questions;
        let asked = async |question: crate::hints::Question| {
            trial::ask(&stand, question.tool, question.arguments).await
        };
        let most = asked(restarts).await;
        let row = most["groups"][0]["rows"][0].to_string();
        for told in ["prod-us", "checkout-", "CrashLoopBackOff", "OOMKilled"] {
            assert!(row.contains(told), "{told}: {most}");
        }
        let images = asked(same).await;
        let of = |cluster: &str| {
            let objects = images["objects"].as_array().unwrap();
            let is_there = |object: &&Value| object["clusters"].as_array().unwrap().contains(&cluster.into());
            objects.iter().find(is_there).unwrap()["object"].to_string()
        };
        for (cluster, tag) in
            [("prod-us", ":1.9.0"), ("prod-eu", ":1.8.2"), ("prod-ap", ":1.8.1"), ("dev-eu", ":1.9.0")]
        {
            assert!(of(cluster).contains(tag), "{cluster}: {images}");
        }
        let warned = asked(warnings).await.to_string();
        for told in
            ["\"prod-us\",\"BackOff\"", "\"prod-ap\",\"FailedScheduling\"", "\"staging-eu\",\"Unhealthy\""]
        {
            assert!(warned.contains(told), "{told}: {warned}");
        }

        let causes: Vec<_> = MANUAL.lines().filter_map(cause).collect();
        assert!(causes.len() >= 10, "{} causes", causes.len());
        for (tool, arguments, evidence) in causes {
            let answer = trial::ask(&stand, tool, arguments).await.to_string();
            assert!(!evidence.is_empty(), "{tool} {arguments} shows nothing");
            for told in evidence {
                assert!(answer.contains(told), "{tool} {arguments} should show {told}: {answer}");
            }
        }
        stand.drain().await;
    }

    /// Grows with every change of every cluster.
    fn revision(stand: &Stand) -> u64 {
        let fleet = stand.gateway.registry().snapshot();
        let caches = fleet.clusters().iter().flat_map(|cluster| cluster.caches.reports());
        caches.map(|cache| cache.revision).sum()
    }

    #[tokio::test]
    async fn a_demo_that_is_still_does_not_change_while_another_does() {
        let stand = still(1, 20).await;
        let quick = Some(Duration::from_millis(10));
        let moving = start(catalog::clusters(1, 20), quick, &trial::free_ports()).await.unwrap();
        trial::until_ready(&moving).await;
        let (before, moved) = (revision(&stand), revision(&moving) + 50);
        let mut changes = moving.gateway.registry().changes();
        while revision(&moving) < moved {
            changes.changed().await.unwrap();
        }
        assert_eq!(revision(&stand), before);
        stand.drain().await;
        moving.drain().await;
    }
}
