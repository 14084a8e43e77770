//! A gateway in a process of its own with a hundred clusters: what it weighs, what ten of them that hang cost the others'
//! callers, and what its restart costs everybody.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use kubeplex_agent::Agent;
use kubeplex_agent::config::AgentConfig;
use kubeplex_agent::link::{self, LinkConfig};
use kubeplex_cli::client::Client;
use kubeplex_gateway::config::TokenHash;
use kubeplex_link::timings::Timings;
use kubeplex_proto::ids::ClusterId;
use kubeplex_test_support::agent::{Behaviour, HandMade};
use kubeplex_tests::program::{Folder, Program};
use kubeplex_tests::wait;
use serde_json::{Map, Value, json};
use simcluster::{SimCluster, SimConfig, Verb};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::figure::{Figure, millis, percentile};
use crate::process::memory_mib_of;

const CLUSTERS: usize = 100;
const HANGING: usize = 10;
const PODS: usize = 20;
const CALLS: usize = 200;

/// Calls after which every hanging cluster has been found to hang: three time-outs of each, and one to spare.
const UNTIL_NOTICED: usize = 4;

/// What a process does at its start is over by then.
const SETTLING: Duration = Duration::from_secs(5);

const IDLE: &str = "the program's code, and what the allocator and the runtime keep for each thread";
const LINKED: &str = "as idle, and for each cluster a link with its buffers and what its agent reported";
const HUNG: &str = "ninety agents are asked or their answers looked up, on the cores of this machine; who hangs is asked by a probe now \
     and then, which nobody waits for";
const BACK: &str = "how many agents may arrive at once, and the pause that the others are told to make";
const NO_LISTS: &str = "agents keep their caches and watches while there is no gateway";

/// Its agents are of this process, which simulates their API servers, too.
struct Crowd {
    folder: Folder,
    gateway: Program,
    listen: SocketAddr,
    client: Client,
    sims: Vec<SimCluster>,
    hanging: Vec<HandMade>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

pub(crate) async fn run() -> anyhow::Result<()> {
    idle().await?;
    let mut crowd = Crowd::start().await?;
    wait::pass(SETTLING).await;
    let title = format!("gateway resident, {CLUSTERS} clusters linked");
    Figure::new(title, crowd.gateway_mib()?, "MiB", LINKED).print()?;
    crowd.hang().await?;
    crowd.restart().await?;
    crowd.stop.cancel();
    crowd.tracker.close();
    crowd.tracker.wait().await;
    crowd.gateway.terminate().await;
    Ok(())
}

async fn idle() -> anyhow::Result<()> {
    let folder = Folder::new();
    let (mut gateway, ..) = start_gateway(&folder, "127.0.0.1:0", 0).await?;
    wait::pass(SETTLING).await;
    let resident = memory_mib_of(gateway.id(), "VmRSS")?;
    Figure::new("gateway resident, idle", resident, "MiB", IDLE).goal("≤ 32").print()?;
    gateway.terminate().await;
    Ok(())
}

fn name(at: usize) -> String {
    format!("c{at:03}")
}

fn token(cluster: &str) -> String {
    format!("the-token-of-{cluster}-0123456789abcdef")
}

/// The gateway, where it listens, and somebody who calls it.
async fn start_gateway(
    folder: &Folder,
    listen: &str,
    clusters: usize,
) -> anyhow::Result<(Program, SocketAddr, Client)> {
    let mut config = format!("[gateway]\nlisten = {listen:?}\nadmin = \"127.0.0.1:0\"\n");
    for cluster in (0..clusters).map(name) {
        let hash = TokenHash::of(&token(&cluster));
        config += &format!("[[cluster]]\nname = {cluster:?}\ntoken_sha256 = \"{hash}\"\n");
    }
    let config = folder.write("gateway.toml", &config);
    let mut gateway = Program::start("kubeplex-gateway", &["--config", &config, "--json"], &[], folder);
    let ready: Value = serde_json::from_str(&gateway.line().await).context("what the gateway says first")?;
    let text = |field: &str| ready[field].as_str().unwrap_or_default().to_owned();
    let listen = text("listen").parse().context("where the gateway listens")?;
    Ok((gateway, listen, Client::new(text("endpoint"))?))
}

impl Crowd {
    async fn start() -> anyhow::Result<Self> {
        let folder = Folder::new();
        let (gateway, listen, client) = start_gateway(&folder, "127.0.0.1:0", CLUSTERS).await?;
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let (mut sims, mut hanging) = (Vec::new(), Vec::new());
        for at in 0..CLUSTERS {
            let (cluster, id) = (name(at), ClusterId::new(name(at))?);
            let url = format!("ws://{listen}");
            let link = LinkConfig::new(&url, &token(&cluster), None, id.clone(), Timings::default())?;
            let router = if at < HANGING {
                let agent = HandMade::of(&cluster, Behaviour::Pods(PODS));
                let router = agent.router();
                hanging.push(agent);
                router
            } else {
                let config = SimConfig { pods: PODS, nodes: 3, ..SimConfig::named(&cluster, at as u64) };
                let sim = SimCluster::new(config);
                let client = kube::Client::new(sim.service(), "default");
                sims.push(sim);
                Agent::start(AgentConfig::of_cluster(id), client, tracker.clone(), stop.clone()).router()
            };
            drop(tracker.spawn(link::run(link, router, tracker.clone(), stop.clone())));
        }
        let crowd = Self { folder, gateway, listen, client, sims, hanging, tracker, stop };
        crowd.until_whole().await;
        Ok(crowd)
    }

    fn gateway_mib(&self) -> anyhow::Result<f64> {
        memory_mib_of(self.gateway.id(), "VmRSS")
    }

    async fn pods(&self, further: Value) -> anyhow::Result<Value> {
        let arguments: Map<_, _> = further.as_object().cloned().unwrap_or_default();
        let exchange = self.client.call("pods_list", arguments, false).await?;
        Ok(exchange.structured().unwrap_or_else(|error| error).clone())
    }

    /// Waits until an answer has the rows of all clusters.
    async fn until_whole(&self) {
        wait::until("an answer of all clusters", async || {
            let answer = self.pods(json!({})).await.map_err(|error| error.to_string())?;
            let whole = answer["clusters"]["answered"] == CLUSTERS && answer.get("partial").is_none();
            if whole { Ok(()) } else { Err(answer["clusters"].to_string()) }
        })
        .await;
    }

    /// Ten clusters stop answering; what callers of all hundred wait once that is noticed.
    async fn hang(&self) -> anyhow::Result<()> {
        self.hanging.iter().for_each(|agent| agent.behave(Behaviour::Hang));
        for _ in 0..UNTIL_NOTICED {
            self.pods(json!({"timeoutSeconds": 1})).await?;
        }
        let mut samples = Vec::with_capacity(CALLS);
        for _ in 0..CALLS {
            let called = Instant::now();
            let answer = self.pods(json!({})).await?;
            anyhow::ensure!(answer["clusters"]["answered"] == CLUSTERS - HANGING, "{}", answer["clusters"]);
            samples.push(called.elapsed());
        }
        self.hanging.iter().for_each(|agent| agent.behave(Behaviour::Pods(PODS)));
        for (percent, goal) in [(50.0, ""), (99.0, "≤ 1000")] {
            let title =
                format!("{CLUSTERS} clusters, {HANGING} of them hung, once noticed: pods_list p{percent:.0}");
            let value = millis(percentile(&mut samples, percent));
            Figure::new(title, value, "ms", HUNG).goal(goal).print()?;
        }
        Ok(())
    }

    /// The gateway ends, and another one starts where it was.
    async fn restart(&mut self) -> anyhow::Result<()> {
        let before = self.lists();
        let ended = Instant::now();
        self.gateway.terminate().await;
        let listen = self.listen.to_string();
        (self.gateway, _, self.client) = start_gateway(&self.folder, &listen, CLUSTERS).await?;
        let started = Instant::now();
        self.until_whole().await;
        let title = format!("a gateway restarted with {CLUSTERS} agents");
        let whole = started.elapsed().as_secs_f64();
        Figure::new(format!("{title}: from its start until an answer has all clusters"), whole, "s", BACK)
            .print()?;
        let away = ended.elapsed().as_secs_f64();
        Figure::new(format!("{title}: from the end of the one before"), away, "s", BACK).print()?;
        let lists = (self.lists() - before) as f64;
        Figure::new(format!("{title}: lists at all API servers"), lists, "requests", NO_LISTS)
            .goal("≤ 0")
            .print()
    }

    /// What all API servers were asked to list so far.
    fn lists(&self) -> u64 {
        let lists = |sim: &SimCluster| {
            let by_call = sim.stats().by_call.into_iter();
            by_call.filter(|(label, _)| label.verb == Verb::List).map(|(_, count)| count).sum::<u64>()
        };
        self.sims.iter().map(lists).sum()
    }
}
