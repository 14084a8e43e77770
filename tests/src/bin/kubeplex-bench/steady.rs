//! What an agent asks of its API server while nothing happens, counted over an hour of paused time.

use std::time::Duration;

use anyhow::ensure;
use kubeplex_agent::Agent;
use kubeplex_agent::config::AgentConfig;
use kubeplex_proto::ids::ClusterId;
use kubeplex_tests::wait;
use simcluster::{SimCluster, SimConfig};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::figure::Figure;

const HOUR: Duration = Duration::from_secs(3_600);

/// Long enough for the first lists, in paused time.
const SETTLING: Duration = Duration::from_secs(120);

pub(crate) fn run() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    runtime.block_on(measure())
}

async fn measure() -> anyhow::Result<()> {
    let sim = SimCluster::new(SimConfig { pods: 200, ..SimConfig::named("steady", 1) });
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let client = kube::Client::new(sim.service(), "default");
    let config = AgentConfig::of_cluster(ClusterId::new("steady")?);
    let agent = Agent::start(config, client, tracker.clone(), stop.clone());
    wait::pass(SETTLING).await;
    ensure!(agent.kinds().cluster().ready, "the agent did not settle");
    let syncing = sim.stats();
    Figure::new(
        "requests at the API server for the first sync of all built-in kinds",
        syncing.requests as f64,
        "requests",
        "a list and a watch for each kind that is watched from the start, and discovery",
    )
    .print()?;
    sim.reset_stats();
    wait::pass(HOUR).await;
    let requests = sim.stats().requests as f64;
    let figure = Figure::new(
        "requests at the API server in steady state",
        requests / HOUR.as_secs_f64(),
        "requests/s",
        "watches end after 200–290 s and are opened again, one request each, and a list of one object for each that stays quiet",
    );
    figure.goal("≤ 0.5").print()?;
    stop.cancel();
    Ok(())
}
