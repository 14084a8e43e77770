//! Calls a second and latencies through MCP, beside servers that do nothing but MCP, in the same run.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::ensure;
use bytes::Bytes;
use futures::future::try_join_all;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_util::task::TaskTracker;

use crate::figure::{Figure, millis, percentile};
use crate::fleet;
use crate::peers;

/// One cluster, because a peer without Kubernetes has one thing behind it, too.
const CLUSTERS: [usize; 2] = [10, 1];
const IN_FLIGHT: [usize; 3] = [1, 16, 64];

const ASKING: &str = "every call asks every agent over its link; pages are not yet kept in the gateway";
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

pub(crate) async fn run() -> anyhow::Result<()> {
    for clusters in CLUSTERS {
        compare(clusters).await?;
    }
    Ok(())
}

async fn compare(clusters: usize) -> anyhow::Result<()> {
    let fleet = fleet::clusters(clusters, 1_000).await;
    let exchange = fleet.exchange("pods_list", json!({})).await;
    let tracker = TaskTracker::new();
    let gateway = fleet.stand.gateway.addresses().listen;
    let rmcp = peers::bare_rmcp(&exchange.response["result"], &tracker).await?;
    let axum = peers::plain_axum(&exchange.response, &tracker).await?;
    for in_flight in IN_FLIGHT {
        let mut all = [
            Peer::new("kubeplex", gateway, ASKING),
            Peer::new("bare rmcp", rmcp, MCP_ALONE),
            Peer::new("plain axum", axum, HTTP_ALONE),
        ];
        for _ in 0..ROUNDS {
            for peer in &mut all {
                measure(peer, &exchange.request, in_flight, &tracker).await?;
            }
        }
        report(&mut all, clusters, in_flight)?;
    }
    fleet.stop().await;
    Ok(())
}

impl Peer {
    fn new(name: &'static str, address: SocketAddr, limit: &'static str) -> Self {
        Self { name, address, limit, calls_per_second: Vec::new(), latencies: Vec::new() }
    }
}

fn report(peers: &mut [Peer; 3], clusters: usize, in_flight: usize) -> anyhow::Result<()> {
    let medians = peers.each_ref().map(|peer| median(&peer.calls_per_second));
    for (peer, calls) in peers.iter_mut().zip(medians) {
        let title = format!(
            "{}, pods_list page of 50 over {clusters} × 1,000 pods, {in_flight} in flight",
            peer.name
        );
        Figure::new(title.clone(), calls, "calls/s", peer.limit).print()?;
        for percent in [50.0, 99.0] {
            let value = millis(percentile(&mut peer.latencies, percent));
            Figure::new(format!("{title}: p{percent:.0}"), value, "ms", peer.limit).print()?;
        }
    }
    let title = format!("kubeplex to bare rmcp, {clusters} × 1,000 pods, {in_flight} in flight");
    Figure::new(title, medians[0] / medians[1], "×", ASKING).print()
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
