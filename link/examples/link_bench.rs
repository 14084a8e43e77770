//! Measures one link over loopback: round trips of small requests, and the throughput of 1 MB replies.
//!
//! Prints figures as JSON, one a line, as `cargo xtask bench` reads them: the time of a request with a short body and a
//! short reply, one at a time; and 1 MB bodies, one at a time, through the same WebSocket and the same flow control as in
//! production.
//! Give the number of round trips as the argument (default 20,000).

use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http_body_util::{BodyExt as _, Full};
use hyper_util::service::TowerToHyperService;
use kubeplex_link::accept;
use kubeplex_link::activity::Activity;
use kubeplex_link::credential::Token;
use kubeplex_link::dial::{Route, dial};
use kubeplex_link::http2::{self, Client};
use kubeplex_link::proxy::Proxies;
use kubeplex_link::tasks::LinkTasks;
use kubeplex_link::timings::Timings;
use kubeplex_link::trust::Trust;
use kubeplex_link::url::GatewayUrl;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

const MEGABYTE: usize = 1_000_000;
const REPLIES: usize = 500;
const WARM_UP: usize = 500;

const PASSES: &str =
    "HTTP/2 and the WebSocket at both ends, each a task of its own, and four passes through the kernel";
const TAIL: &str = "as the median, and tasks that wait for a core of this machine";
const COPIES: &str =
    "copies between the layers, and windows of 256 KiB that the reader grants again and again";

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let round_trips = std::env::args().nth(1).map_or(Ok(20_000), |count| count.parse())?;
    let mut tasks = JoinSet::new();
    let client = linked(&mut tasks).await?;
    for _ in 0..WARM_UP {
        exchange(&client, "/small").await?;
    }
    let mut times = timed(round_trips, || exchange(&client, "/small")).await?;
    times.sort_unstable();
    let began = Instant::now();
    let mut received = 0;
    for _ in 0..REPLIES {
        received += exchange(&client, "/bulk").await?;
    }
    let seconds = began.elapsed().as_secs_f64();
    let round_trip = "one request at a time over HTTP/2 in a WebSocket, loopback, both ends in one process";
    figure(&format!("round trip, {round_trip}: p50"), micros(&times, 0.5), "µs", PASSES);
    figure(&format!("round trip, {round_trip}: p99"), micros(&times, 0.99), "µs", TAIL);
    figure("throughput of 1 MB replies, one at a time", received as f64 / 1e6 / seconds, "MB/s", COPIES);
    Ok(())
}

/// The gateway's end of a link to an agent, both in this process.
async fn linked(tasks: &mut JoinSet<Result<(), BoxError>>) -> Result<Client, BoxError> {
    let (clients, mut receiver) = mpsc::unbounded_channel();
    let gateway =
        Router::new().route("/agent/v1/link", get(move |request| take_over(request, clients.clone())));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tasks.spawn(async move { Ok(axum::serve(listener, gateway).await?) });
    tasks.spawn(agent(address));
    receiver.recv().await.ok_or_else(|| "the agent did not connect".into())
}

async fn agent(gateway: SocketAddr) -> Result<(), BoxError> {
    let url: GatewayUrl = format!("ws://{gateway}").parse()?;
    let (credential, trust) = (Token::new("bench")?.into(), Trust::for_url(&url)?);
    let route = Route { url, credential, trust, proxies: Proxies::default() };
    let stream = dial(&route, Activity::start(), Timings::default().dial).await?;
    let bulk = Bytes::from(vec![b'x'; MEGABYTE]);
    let router = Router::new()
        .route("/small", post(|body: Bytes| async { body }))
        .route("/bulk", post(move || async move { bulk.clone() }));
    let tasks = LinkTasks::new(TaskTracker::new(), CancellationToken::new());
    Ok(http2::serve(stream, TowerToHyperService::new(router), tasks, CancellationToken::new()).await?)
}

async fn take_over(mut request: Request, clients: mpsc::UnboundedSender<Client>) -> Response {
    let Ok((reply, upgrading)) = accept::accept(&mut request) else { return "no agent".into_response() };
    drop(TaskTracker::new().spawn(async move {
        let stream = upgrading.stream(Activity::start()).await?;
        let tasks = LinkTasks::new(TaskTracker::new(), CancellationToken::new());
        let (client, connection) = http2::connect(stream, tasks).await?;
        let _ = clients.send(client);
        connection.await?;
        Ok::<_, BoxError>(())
    }));
    reply.map(|()| Body::empty())
}

/// Sends a short request and reads the reply whole; returns its length.
async fn exchange(client: &Client, path: &'static str) -> Result<usize, BoxError> {
    let body = Full::new(Bytes::from_static(b"{\"question\":\"are you there?\"}")).boxed_unsync();
    let reply = client.send(http::Request::post(path).body(body)?).await?;
    let mut body = reply.into_body();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        length += frame?.data_ref().map_or(0, Bytes::len);
    }
    Ok(length)
}

async fn timed<F>(times: usize, mut work: impl FnMut() -> F) -> Result<Vec<Duration>, BoxError>
where
    F: Future<Output = Result<usize, BoxError>>,
{
    let mut taken = Vec::with_capacity(times);
    for _ in 0..times {
        let began = Instant::now();
        work().await?;
        taken.push(began.elapsed());
    }
    Ok(taken)
}

fn figure(figure: &str, value: f64, unit: &str, limit: &str) {
    println!("{}", serde_json::json!({ "figure": figure, "value": value, "unit": unit, "limit": limit }));
}

fn micros(sorted: &[Duration], quantile: f64) -> f64 {
    let at = ((sorted.len() - 1) as f64 * quantile).round() as usize;
    sorted[at].as_nanos() as f64 / 1e3
}
