//! How an agent's cache follows a cluster in which ten thousand objects change a second, and how fast it can go.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use kubeplex_agent::Agent;
use kubeplex_agent::config::AgentConfig;
use kubeplex_agent::kinds::Opened;
use kubeplex_agent::watch::KindHandle;
use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::kind::GroupResource;
use kubeplex_tests::wait;
use serde_json::{Value, json};
use simcluster::{Gvr, SimCluster, SimConfig};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::figure::{Figure, millis, percentile};

const PODS: usize = 10_000;
const EVENTS_PER_SECOND: usize = 10_000;
const SECONDS: usize = 10;

/// Events are written in bursts this far apart, as a busy control plane writes them.
const BURST_EVERY: Duration = Duration::from_millis(10);
const BURST: usize = EVENTS_PER_SECOND / 100;

/// Events of the second measurement, which are written as fast as they can be.
const AT_ONCE: usize = 20_000;

/// Changes that the API server keeps for watches that are behind; a real one keeps as many when it is this busy.
const HISTORY: usize = 30_000;

/// An event that is not in the cache by then is lost, not late.
const LOST: Duration = Duration::from_secs(60);

const WHOLE: &str = "the simulated API server, which copies and writes every object, shares the cores of the machine with the agent, \
     which parses, redacts and compresses it";
const SERVER: &str = "one task writes, and the simulated API server copies every object";
const EVENT: &str = "the watch event, its batch, and parsing, redacting and compressing what it brings";
const AGAIN: &str = "what was changed is compressed again, and what it replaced is given back in passing";

pub(crate) async fn run() -> anyhow::Result<()> {
    let sim = SimCluster::new(SimConfig {
        pods: PODS,
        nodes: 300,
        history: HISTORY,
        ..SimConfig::named("busy", 1)
    });
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let client = kube::Client::new(sim.service(), "default");
    let config = AgentConfig::of_cluster(ClusterId::new("busy")?);
    let agent = Agent::start(config, client, tracker.clone(), stop.clone());
    wait::until("the agent to be ready", async || {
        let cluster = agent.kinds().cluster();
        if cluster.ready { Ok(()) } else { Err(cluster) }
    })
    .await;
    let Opened::Handle(pods) = agent.kinds().open(&GroupResource::new("", "pods"), None).await else {
        anyhow::bail!("the agent does not watch pods");
    };
    let mut writer = Writer { pods: sim.objects(&Gvr::core("pods")), sim, written: 0 };
    steadily(&mut writer, &pods).await?;
    at_once(&mut writer, &pods).await?;
    stop.cancel();
    Ok(())
}

/// Changes one pod after the other, each a little.
struct Writer {
    sim: SimCluster,
    pods: Vec<Value>,
    written: usize,
}

impl Writer {
    /// The resource version of the last of `count` writes.
    fn write(&mut self, count: usize) -> anyhow::Result<u64> {
        let mut version = 0;
        for _ in 0..count {
            let at = self.written % self.pods.len();
            self.pods[at]["metadata"]["labels"]["beat"] = json!(format!("beat-{}", self.written));
            version = self.sim.apply(self.pods[at].clone())?;
            self.written += 1;
        }
        Ok(version)
    }

    /// The pod that was written last, as the cache should have it.
    fn last(&self) -> (&Value, String) {
        let last = self.written - 1;
        (&self.pods[last % self.pods.len()]["metadata"], format!("beat-{last}"))
    }
}

/// Whether the cache has the last write.
fn has(pods: &Arc<KindHandle>, (metadata, beat): (&Value, String)) -> bool {
    let store = pods.store.read();
    let (namespace, name) = (metadata["namespace"].as_str(), metadata["name"].as_str().unwrap_or_default());
    store.get(namespace, name).is_some_and(|row| row.label("beat") == Some(beat.as_str()))
}

/// Waits until the cache has the last write; events come in order, so it has all before it then.
async fn caught_up(writer: &Writer, pods: &Arc<KindHandle>) -> anyhow::Result<Duration> {
    let waiting = Instant::now();
    while !has(pods, writer.last()) {
        ensure!(waiting.elapsed() < LOST, "a write was not in the cache within {} s", LOST.as_secs());
        wait::pass(Duration::from_millis(1)).await;
    }
    Ok(waiting.elapsed())
}

/// Ten thousand a second, for ten seconds.
async fn steadily(writer: &mut Writer, pods: &Arc<KindHandle>) -> anyhow::Result<()> {
    let before = pods.store.read().memory().total();
    let mut bursts = tokio::time::interval(BURST_EVERY);
    let (started, mut lags) = (Instant::now(), Vec::new());
    for burst in 0..EVENTS_PER_SECOND * SECONDS / BURST {
        bursts.tick().await;
        writer.write(BURST)?;
        // Looking after every burst would make the writer wait for the reader.
        if burst % 50 == 49 {
            lags.push(caught_up(writer, pods).await?);
        }
    }
    caught_up(writer, pods).await?;
    let events = (EVENTS_PER_SECOND * SECONDS) as f64;
    let rate = events / started.elapsed().as_secs_f64();
    let title =
        format!("watch events into one agent's cache of 10,000 pods, {EVENTS_PER_SECOND} a second offered");
    Figure::new(format!("{title}: taken in"), rate, "events/s", WHOLE).print()?;
    for (percent, limit) in [(50.0, EVENT), (99.0, WHOLE)] {
        let lag = millis(percentile(&mut lags, percent));
        Figure::new(format!("{title}: written → in the cache, p{percent:.0}"), lag, "ms", limit).print()?;
    }
    let grown = pods.store.read().memory().total() as f64 / before as f64;
    Figure::new(format!("{title}: the cache after {SECONDS} s to the cache before"), grown, "×", AGAIN)
        .print()
}

/// As fast as the API server writes them.
async fn at_once(writer: &mut Writer, pods: &Arc<KindHandle>) -> anyhow::Result<()> {
    let started = Instant::now();
    for _ in 0..AT_ONCE / BURST {
        writer.write(BURST).context("writing")?;
        tokio::task::yield_now().await;
    }
    let writing = started.elapsed().as_secs_f64();
    caught_up(writer, pods).await?;
    let taking_in = started.elapsed().as_secs_f64();
    let title = format!("{AT_ONCE} watch events at once into one agent's cache of 10,000 pods");
    Figure::new(format!("{title}: written"), AT_ONCE as f64 / writing, "events/s", SERVER).print()?;
    Figure::new(format!("{title}: taken in"), AT_ONCE as f64 / taking_in, "events/s", WHOLE).print()
}
