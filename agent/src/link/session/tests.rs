//! An agent's link with a gateway at the other end of a pipe, in paused time: silences last exactly as long as they are
//! borne.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::Request;
use axum::routing::post;
use futures::StreamExt as _;
use kubeplex_link::activity::Metered;
use kubeplex_link::frames::{self, FrameReader, FrameWriter};
use kubeplex_link::limits::CONTROL_FRAME;
use kubeplex_link::timings::{Timings, jittered};
use kubeplex_proto::control::{AgentFrame, GatewayFrame, Hello, Welcome};
use kubeplex_proto::ids::{ClusterId, Epoch, InstanceId};
use kubeplex_proto::{PROTOCOL, paths};
use tokio::io::{DuplexStream, duplex};
use tokio::task::JoinSet;
use tokio_util::sync::DropGuard;

use super::*;
use crate::report::{Conversation, ReportSource, ReportTimings, Snapshot, conversation};

/// The gateway's end of the link.
struct Gateway {
    writer: FrameWriter,
    frames: FrameReader,
    _connection: JoinSet<Result<(), hyper::Error>>,
    _cut: DropGuard,
}

impl Gateway {
    /// Accepts the agent under `terms`, and has its first report.
    async fn accept(stream: DuplexStream, terms: Welcome) -> Self {
        let tasks = LinkTasks::new(TaskTracker::new(), CancellationToken::new());
        let cut = tasks.cut_on_drop();
        let (client, driver) = http2::connect(Box::new(stream), tasks).await.unwrap();
        let mut connection = JoinSet::new();
        connection.spawn(driver);
        let (writer, body) = frames::channel(4);
        let request = http::Request::post(paths::CONTROL).body(body).unwrap();
        let reply = client.send(request).await.unwrap().into_body();
        let frames = FrameReader::new(reply, CONTROL_FRAME);
        let mut gateway = Self { writer, frames, _connection: connection, _cut: cut };
        assert!(matches!(gateway.heard().await, AgentFrame::Hello(_)));
        assert!(gateway.writer.offer(&GatewayFrame::Welcome(terms)));
        assert!(matches!(gateway.heard().await, AgentFrame::Report(_)));
        gateway
    }

    async fn heard(&mut self) -> AgentFrame {
        self.frames.next().await.unwrap().unwrap()
    }

    fn beat(&mut self) {
        assert!(self.writer.offer(&GatewayFrame::Heartbeat));
    }
}

/// An agent with the default timings that serves a link, and the stream of its gateway.
fn agent() -> (JoinSet<Ended>, DuplexStream) {
    let (ours, theirs) = duplex(64 * 1024);
    let cluster = ClusterId::new("prod-eu").unwrap();
    let config = LinkConfig::new("ws://127.0.0.1:1", "the-token", None, cluster, Timings::default()).unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let (tracker, shutdown, activity) = (TaskTracker::new(), CancellationToken::new(), Activity::start());
        let stream = Box::new(Metered::new(ours, activity.clone()));
        serve(&config, &router(), &tracker, &shutdown, stream, activity).await
    });
    (tasks, theirs)
}

/// The control stream as every agent holds it, of a cluster in which nothing happens.
fn router() -> Router {
    Router::new().route(
        paths::CONTROL,
        post(|request: Request| async {
            let parts = Conversation {
                hello: hello(),
                source: ReportSource::new(Snapshot::default, watch::channel(0).1),
                timings: ReportTimings::default(),
                jitter: || 0.5,
            };
            let lines = conversation(parts, FrameReader::new(request.into_body(), CONTROL_FRAME));
            Body::from_stream(lines.map(Ok::<_, Infallible>))
        }),
    )
}

fn hello() -> Hello {
    Hello {
        protocol: PROTOCOL,
        features: Vec::new(),
        agent_version: "0.1.0".to_owned(),
        kubernetes_version: String::new(),
        cluster: ClusterId::new("prod-eu").unwrap(),
        instance: InstanceId("i".to_owned()),
        epoch: Epoch(1),
    }
}

/// Three times and more as patient as an agent on its own.
fn patient() -> Timings {
    Timings {
        heartbeat: Duration::from_secs(15),
        suspect_after: Duration::from_secs(30),
        lost_after: Duration::from_secs(45),
        ..Timings::default()
    }
}

async fn lost_after(mut agent: JoinSet<Ended>) -> Duration {
    match agent.join_next().await.unwrap().unwrap() {
        Ended::Failed { failure: Failure::Lost(silence), linked_for: Some(_) } => silence,
        Ended::Failed { failure, linked_for } => panic!("{failure:?} after {linked_for:?}"),
        Ended::Shutdown => panic!("nobody stopped the agent"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_beats_seldom_and_says_so_keeps_its_agents() {
    let (mut agent, stream) = agent();
    let mut gateway = Gateway::accept(stream, patient().welcome(1)).await;
    let rhythm = jittered(patient().heartbeat, 1.0);
    assert!(rhythm > Timings::default().lost_after, "an agent on its own would give up between two beats");
    for _ in 0..20 {
        gateway.beat();
        tokio::select! {
            ended = agent.join_next() => match ended.unwrap().unwrap() {
                Ended::Failed { failure, linked_for } => panic!("{failure:?} after {linked_for:?}"),
                Ended::Shutdown => panic!("nobody stopped the agent"),
            },
            () = tokio::time::sleep(rhythm) => {}
        }
    }
    gateway.beat();
    assert_eq!(lost_after(agent).await.as_secs(), 45, "and when it is gone, that is noticed as it said");
}

#[tokio::test(start_paused = true)]
async fn silence_is_borne_for_as_long_as_the_gateway_says() {
    let brisk = Timings {
        heartbeat: Duration::from_secs(1),
        suspect_after: Duration::from_secs(2),
        lost_after: Duration::from_secs(3),
        ..Timings::default()
    };
    let unsaid = Welcome { suspect_after_ms: None, lost_after_ms: None, ..patient().welcome(1) };
    for (terms, expected_s) in [(patient().welcome(1), 45), (brisk.welcome(1), 3), (unsaid, 12)] {
        let (agent, stream) = agent();
        let _gateway = Gateway::accept(stream, terms).await;
        assert_eq!(lost_after(agent).await.as_secs(), expected_s, "{terms:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_agent_beats_as_often_as_the_gateway_says() {
    let (_agent, stream) = agent();
    let mut gateway = Gateway::accept(stream, patient().welcome(1)).await;
    let started = Instant::now();
    for beats in 1..=2 {
        gateway.heard().await;
        assert_eq!(started.elapsed().as_secs(), beats * 15);
    }
}
