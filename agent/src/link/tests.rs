//! An agent's links with a gateway at the other end of a pipe, in paused time: silences last exactly as long as they are
//! borne, links as long as they should, and pauses as long as they may.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::routing::post;
use bytes::Bytes;
use futures::StreamExt as _;
use http_body_util::{BodyExt as _, Empty};
use kubeplex_link::activity::Metered;
use kubeplex_link::frames::{self, FrameReader, FrameWriter};
use kubeplex_link::http2::{self, Client};
use kubeplex_link::limits::CONTROL_FRAME;
use kubeplex_link::tasks::LinkTasks;
use kubeplex_link::timings::jittered;
use kubeplex_proto::control::{AgentFrame, GatewayFrame, Hello, Welcome};
use kubeplex_proto::ids::{Epoch, InstanceId};
use kubeplex_proto::{PROTOCOL, paths};
use serde::de::IgnoredAny;
use tokio::io::{DuplexStream, duplex};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::DropGuard;

use super::*;
use crate::report::{Conversation, ReportSource, ReportTimings, Snapshot, conversation};

/// The gateway's end of the link.
struct Gateway {
    client: Client,
    writer: FrameWriter,
    frames: FrameReader,
    connection: JoinSet<Result<(), hyper::Error>>,
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
        let mut gateway = Self { client, writer, frames, connection, _cut: cut };
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

    async fn request(&self, path: &'static str) -> Result<Bytes, hyper::Error> {
        let request = http::Request::post(path).body(Empty::new().boxed_unsync()).unwrap();
        Ok(self.client.send(request).await?.into_body().collect().await?.to_bytes())
    }

    /// A request that is on its way from now on.
    fn call(&self, path: &'static str) -> impl Future<Output = Result<Bytes, hyper::Error>> + use<> {
        let request = http::Request::post(path).body(Empty::new().boxed_unsync()).unwrap();
        let client = self.client.clone();
        let mut sending = JoinSet::new();
        sending.spawn(async move { Ok(client.send(request).await?.into_body().collect().await?.to_bytes()) });
        async move { sending.join_next().await.unwrap().unwrap() }
    }
}

/// An agent that keeps linked, and what its gateway gets: a stream for each time that it dials.
struct Running {
    dials: mpsc::UnboundedReceiver<(Instant, DuplexStream)>,
    shutdown: CancellationToken,
    tasks: JoinSet<()>,
}

impl Running {
    /// With the default timings, changed.
    fn start(change: impl FnOnce(&mut Timings)) -> Self {
        let mut timings = Timings::default();
        change(&mut timings);
        let cluster = ClusterId::new("prod-eu").unwrap();
        let (streams, dials) = mpsc::unbounded_channel();
        let dial = move |activity: Activity| {
            let (ours, theirs) = duplex(64 * 1024);
            streams.send((Instant::now(), theirs)).unwrap();
            let stream: LinkStream = Box::new(Metered::new(ours, activity));
            std::future::ready(Ok(stream))
        };
        let shutdown = CancellationToken::new();
        let agent = Agent {
            cluster,
            gateway: "a pipe".to_owned(),
            timings,
            router: router(),
            tracker: TaskTracker::new(),
            shutdown: shutdown.clone(),
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(keep(agent, dial));
        Self { dials, shutdown, tasks }
    }

    async fn dialled(&mut self) -> (Instant, DuplexStream) {
        self.dials.recv().await.unwrap()
    }

    async fn accepted(&mut self, terms: Welcome) -> Gateway {
        let (_, stream) = self.dialled().await;
        Gateway::accept(stream, terms).await
    }

    /// How long the gateway's silence is borne before it is dialled anew. The pause between is none of it.
    async fn bears(&mut self, terms: Welcome) -> Duration {
        let mut gateway = self.accepted(terms).await;
        let accepted = Instant::now();
        // Until then its heartbeats come, whoever hears them.
        while gateway.frames.next::<IgnoredAny>().await.is_some_and(|frame| frame.is_ok()) {}
        accepted.elapsed()
    }
}

/// The control stream as every agent holds it, of a cluster in which nothing happens.
fn router() -> Router {
    Router::new()
        .route(
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
        .route("/quick", post(|| async { "done" }))
        .route("/hang", post(std::future::pending::<()>))
        .route(
            "/slow",
            post(|| async {
                sleep(SLOW).await;
                "done"
            }),
        )
}

/// How long it takes to answer at `/slow`.
const SLOW: Duration = Duration::from_secs(100);

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

/// So patient that no silence matters.
fn calm() -> Timings {
    Timings {
        suspect_after: Duration::from_secs(3_000),
        lost_after: Duration::from_secs(3_600),
        ..Timings::default()
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

#[tokio::test(start_paused = true)]
async fn a_gateway_that_beats_seldom_and_says_so_keeps_its_agents() {
    let mut agent = Running::start(|_| {});
    let mut gateway = agent.accepted(patient().welcome(1)).await;
    let rhythm = jittered(patient().heartbeat, 1.0);
    assert!(rhythm > Timings::default().lost_after, "an agent on its own would give up between two beats");
    for _ in 0..20 {
        gateway.beat();
        tokio::select! {
            _ = agent.dialled() => panic!("dialled anew in spite of heartbeats"),
            () = sleep(rhythm) => {}
        }
    }
    gateway.beat();
    let silent = Instant::now();
    let (dialled, _) = agent.dialled().await;
    let borne = dialled - silent;
    assert!((45..46).contains(&borne.as_secs()), "when it is gone, that is noticed as it said: {borne:?}");
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
        let mut agent = Running::start(|_| {});
        assert_eq!(agent.bears(terms).await.as_secs(), expected_s, "{terms:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_agent_beats_as_often_as_the_gateway_says() {
    let mut agent = Running::start(|_| {});
    let mut gateway = agent.accepted(patient().welcome(1)).await;
    let started = Instant::now();
    for beats in 1..=2 {
        gateway.heard().await;
        assert_eq!(started.elapsed().as_secs(), beats * 15);
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_link_is_left_when_the_next_one_is_accepted_and_not_before() {
    let mut agent = Running::start(|timings| timings.max_age = Duration::from_secs(7));
    let terms = Welcome { max_age_ms: Some(600_000), ..calm().welcome(1) };
    let mut old = agent.accepted(terms).await;
    let accepted = Instant::now();
    let (dialled, stream) = agent.dialled().await;
    let age = (dialled - accepted).as_secs_f64();
    assert!((540.0..=660.0).contains(&age), "ten minutes, a tenth more or less, as the gateway said: {age}");
    let call = old.call("/slow");
    // The gateway takes its time to accept the next.
    sleep(Duration::from_secs(3)).await;
    assert_eq!(old.request("/quick").await.unwrap(), "done", "the old link serves on");
    let _next = Gateway::accept(stream, terms).await;
    // Now the old one is drained: it says good-bye on its control stream, refuses what is new, and ends what it began.
    while old.frames.next::<IgnoredAny>().await.is_some_and(|frame| frame.is_ok()) {}
    let refused = old.request("/quick").await.unwrap_err();
    assert!(http2::is_unsent(&refused), "{refused:?}");
    assert_eq!(call.await.unwrap(), "done", "nobody hurries it");
    drop((old.client, old.writer));
    assert!(old.connection.join_next().await.unwrap().unwrap().is_ok(), "it ends in good order");
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_to_the_longest_and_begin_anew_after_a_link_that_held() {
    let mut agent = Running::start(|_| {});
    let mut longest = Duration::ZERO;
    let mut last = Instant::now();
    for _ in 0..60 {
        // Each is hung up on at once.
        let (dialled, stream) = agent.dialled().await;
        drop(stream);
        longest = longest.max(dialled - last);
        last = dialled;
    }
    assert!((Duration::from_secs(30)..=Duration::from_secs(61)).contains(&longest), "{longest:?}");
    let mut gateway = agent.accepted(calm().welcome(1)).await;
    for _ in 0..70 {
        gateway.beat();
        sleep(Duration::from_secs(1)).await;
    }
    let ended = Instant::now();
    drop(gateway);
    let (dialled, _) = agent.dialled().await;
    assert!(dialled - ended <= Duration::from_millis(500), "{:?}", dialled - ended);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_leaves_is_dialled_at_once_and_what_runs_may_end() {
    let mut agent = Running::start(|_| {});
    let old = agent.accepted(calm().welcome(1)).await;
    let call = old.call("/slow");
    sleep(Duration::from_secs(1)).await;
    let left = Instant::now();
    drop((old.writer, old.frames));
    let (dialled, stream) = agent.dialled().await;
    assert!(dialled - left <= Duration::from_millis(500), "{:?}", dialled - left);
    let mut next = Gateway::accept(stream, calm().welcome(1)).await;
    let (answer, ()) = tokio::join!(call, async {
        for _ in 0..SLOW.as_secs() {
            next.beat();
            sleep(Duration::from_secs(1)).await;
        }
    });
    assert_eq!(answer.unwrap(), "done");
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_stops_ends_what_runs_within_its_time() {
    for (path, stops_after_s, answered) in [("/slow", 9, true), ("/hang", 10, false)] {
        let mut agent = Running::start(|_| {});
        let gateway = agent.accepted(calm().welcome(1)).await;
        let call = gateway.call(path);
        sleep(SLOW - Duration::from_secs(9)).await;
        let told = Instant::now();
        agent.shutdown.cancel();
        let (call, stopped) = tokio::join!(call, async {
            agent.tasks.join_next().await.unwrap().unwrap();
            told.elapsed().as_secs()
        });
        assert_eq!((stopped, call.is_ok()), (stops_after_s, answered), "{path}");
    }
}
