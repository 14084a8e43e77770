//! Calls a second and latencies of a page that is kept, through MCP, while clusters stand still and while they change;
//! beside servers that do nothing but MCP, in the same run.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::ensure;
use bytes::Bytes;
use futures::future::try_join_all;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use kubeplex_tests::fleet::TestFleet;
use serde_json::{Value, json};
use simcluster::Gvr;
use tokio::net::TcpStream;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::figure::{Figure, millis, percentile};
use crate::fleet;
use crate::peers;

/// One cluster, because a peer without Kubernetes has one thing behind it, too.
const CLUSTERS: [usize; 2] = [10, 1];
const IN_FLIGHT: [usize; 3] = [1, 16, 64];

/// While clusters change: so many pods a second in all of them together.
const CHANGES_PER_SECOND: u64 = 50;

const KEPT: &str = "the page is kept: what is left beside the library is to resolve, authorize and admit the call, and to note what \
     became of it; the load generator runs on the same cores";
const CHANGING: &str = "as with still objects, and each change is a question to its cluster and a page merged and rendered anew, once for all \
     callers; API servers and agents run on the same cores";
const MCP_ALONE: &str = "the library alone; the load generator runs on the same cores";
const HTTP_ALONE: &str = "HTTP and JSON alone; the load generator runs on the same cores";

/// A measurement is repeated, peers in turn, so that a slow moment of the machine hits all of them.
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(2);

/// Where requests go.
struct Peer {
    name: &'static str,
    address: SocketAddr,
    limit: &'static str,
    calls_per_second: Vec<f64>,
    latencies: Vec<Duration>,
}

/// What happens in the clusters meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Motion {
    Still,
    Changing,
}

impl Motion {
    fn objects(self) -> String {
        match self {
            Self::Still => "still objects".to_owned(),
            Self::Changing => format!("{CHANGES_PER_SECOND} pod changes a second"),
        }
    }

    fn limit(self) -> &'static str {
        match self {
            Self::Still => KEPT,
            Self::Changing => CHANGING,
        }
    }
}

pub(crate) async fn run() -> anyhow::Result<()> {
    for clusters in CLUSTERS {
        let fleet = fleet::clusters(clusters, 1_000).await;
        for motion in [Motion::Still, Motion::Changing] {
            let stop = CancellationToken::new();
            let changes = async {
                match motion {
                    Motion::Still => Ok(()),
                    Motion::Changing => change(&fleet, &stop).await,
                }
            };
            let compared = async {
                let compared = compare(&fleet, clusters, motion).await;
                stop.cancel();
                compared
            };
            tokio::try_join!(changes, compared)?;
        }
        fleet.stop().await;
    }
    Ok(())
}

/// Changes one pod after the other, in one cluster after the other.
async fn change(fleet: &TestFleet, stop: &CancellationToken) -> anyhow::Result<()> {
    let mut pods: Vec<_> = fleet.sims.values().map(|sim| (sim, sim.objects(&Gvr::core("pods")))).collect();
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / CHANGES_PER_SECOND as u32);
    // A machine that is late must not be made later.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let clusters = pods.len();
    for written in 0_usize.. {
        if stop.run_until_cancelled(ticks.tick()).await.is_none() {
            break;
        }
        let (sim, pods) = &mut pods[written % clusters];
        let at = written / clusters % pods.len();
        pods[at]["metadata"]["labels"]["beat"] = json!(format!("beat-{written}"));
        sim.apply(pods[at].clone())?;
    }
    Ok(())
}

async fn compare(fleet: &TestFleet, clusters: usize, motion: Motion) -> anyhow::Result<()> {
    let exchange = fleet.exchange("pods_list", json!({})).await;
    let tracker = TaskTracker::new();
    let gateway = fleet.stand.gateway.addresses().listen;
    let rmcp = peers::bare_rmcp(&exchange.response["result"], &tracker).await?;
    let axum = peers::plain_axum(&exchange.response, &tracker).await?;
    for in_flight in IN_FLIGHT {
        let mut all = [
            Peer::new("kubeplex", gateway, motion.limit()),
            Peer::new("bare rmcp", rmcp, MCP_ALONE),
            Peer::new("plain axum", axum, HTTP_ALONE),
        ];
        for _ in 0..ROUNDS {
            for peer in &mut all {
                measure(peer, &exchange.request, in_flight, &tracker).await?;
            }
        }
        report(&mut all, clusters, motion, in_flight)?;
    }
    Ok(())
}

impl Peer {
    fn new(name: &'static str, address: SocketAddr, limit: &'static str) -> Self {
        Self { name, address, limit, calls_per_second: Vec::new(), latencies: Vec::new() }
    }
}

fn report(peers: &mut [Peer; 3], clusters: usize, motion: Motion, in_flight: usize) -> anyhow::Result<()> {
    let over = format!("{clusters} × 1,000 pods, {}, {in_flight} in flight", motion.objects());
    let medians = peers.each_ref().map(|peer| median(&peer.calls_per_second));
    for (peer, calls) in peers.iter_mut().zip(medians) {
        let title = format!("{}, pods_list page of 50 over {over}", peer.name);
        Figure::new(title.clone(), calls, "calls/s", peer.limit).print()?;
        for percent in [50.0, 99.0] {
            let value = millis(percentile(&mut peer.latencies, percent));
            Figure::new(format!("{title}: p{percent:.0}"), value, "ms", peer.limit).print()?;
        }
    }
    let ratio =
        Figure::new(format!("kubeplex to bare rmcp, {over}"), medians[0] / medians[1], "×", motion.limit());
    ratio.goal("≥ 0.7").print()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// One round: `in_flight` connections, each with one request at a time.
async fn measure(
    peer: &mut Peer,
    request: &Value,
    in_flight: usize,
    tracker: &TaskTracker,
) -> anyhow::Result<()> {
    let body = Bytes::from(serde_json::to_vec(request)?);
    let mut connections = Vec::new();
    for _ in 0..in_flight {
        connections.push(connect(peer.address, tracker).await?);
    }
    let started = Instant::now();
    let address = peer.address;
    let workers = connections.into_iter().map(|connection| {
        let worker = work(connection, address, body.clone(), started + ROUND);
        let worker = tracker.spawn(worker);
        async move { worker.await? }
    });
    let samples: Vec<Vec<Duration>> = try_join_all(workers).await?;
    let elapsed = started.elapsed().as_secs_f64();
    let samples: Vec<Duration> = samples.into_iter().flatten().collect();
    peer.calls_per_second.push(samples.len() as f64 / elapsed);
    peer.latencies.extend(samples);
    Ok(())
}

async fn connect(address: SocketAddr, tracker: &TaskTracker) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    drop(tracker.spawn(connection));
    Ok(sender)
}

async fn work(
    mut connection: SendRequest<Full<Bytes>>,
    address: SocketAddr,
    body: Bytes,
    until: Instant,
) -> anyhow::Result<Vec<Duration>> {
    let mut samples = Vec::new();
    while Instant::now() < until {
        let request = http::Request::post("/mcp")
            .header("host", address.to_string())
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/call")
            .header("mcp-name", "pods_list")
            .body(Full::new(body.clone()))?;
        let sent = Instant::now();
        let response = connection.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        ensure!(status.is_success(), "HTTP {status}: {}", String::from_utf8_lossy(&body));
        samples.push(sent.elapsed());
    }
    Ok(samples)
}
