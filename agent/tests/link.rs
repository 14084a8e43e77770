//! The agent's end of the link against a gateway written by hand.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::StatusCode;
use http_body_util::{BodyExt as _, Full};
use kubeplex_agent::link::{LinkConfig, run};
use kubeplex_link::accept::{self, Upgrading};
use kubeplex_link::activity::Activity;
use kubeplex_link::frames::{self, FrameReader, FrameWriter};
use kubeplex_link::http2::{self, Client};
use kubeplex_link::tasks::LinkTasks;
use kubeplex_link::timings::Timings;
use kubeplex_proto::control::{GatewayFrame, Refusal, Welcome};
use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::paths;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What the gateway does with those who dial.
#[derive(Debug, Clone)]
enum Reception {
    Status(StatusCode, Option<u64>),
    Welcome,
    Refuse(Refusal),
    /// Never opens the control stream.
    Ignore,
}

/// The gateway's end of one link; dropping it closes the connection.
struct Linked {
    client: Client,
    control: Option<(FrameWriter, FrameReader)>,
    _cut: tokio_util::sync::DropGuard,
}

struct Gateway {
    address: SocketAddr,
    links: mpsc::UnboundedReceiver<Linked>,
    /// When each of those who dialled came.
    dials: mpsc::UnboundedReceiver<Instant>,
    reception: watch::Sender<Reception>,
    tasks: JoinSet<()>,
}

#[derive(Clone)]
struct Desk {
    links: mpsc::UnboundedSender<Linked>,
    dials: mpsc::UnboundedSender<Instant>,
    reception: watch::Receiver<Reception>,
}

impl Gateway {
    async fn start(address: SocketAddr, reception: Reception) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let ((links, links_in), (dials, dials_in)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
        let reception = watch::Sender::new(reception);
        let desk = Desk { links, dials, reception: reception.subscribe() };
        let app = Router::new().route(paths::LINK, get(receive)).with_state(desk);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, links: links_in, dials: dials_in, reception, tasks }
    }
}

fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

async fn receive(State(desk): State<Desk>, mut request: Request) -> Response {
    let _ = desk.dials.send(Instant::now());
    assert_eq!(request.headers()["authorization"], "Bearer the-token");
    let reception = desk.reception.borrow().clone();
    if let Reception::Status(status, retry_after) = reception {
        let retry_after = retry_after.map(|seconds| [("retry-after", seconds.to_string())]);
        return (status, retry_after.map(IntoResponse::into_response).unwrap_or_default()).into_response();
    }
    let (reply, upgrading) = accept::accept(&mut request).unwrap();
    TaskTracker::new().spawn(hold(upgrading, reception, desk.links));
    reply.map(|()| Body::empty())
}

async fn hold(upgrading: Upgrading, reception: Reception, links: mpsc::UnboundedSender<Linked>) {
    let stream = upgrading.stream(Activity::start()).await.unwrap();
    let tasks = LinkTasks::new(TaskTracker::new(), CancellationToken::new());
    let cut = tasks.cut_on_drop();
    let (client, connection) = http2::connect(stream, tasks.clone()).await.unwrap();
    TaskTracker::new().spawn(async move {
        tokio::select! { _ = connection => {} () = tasks.until_cut() => {} }
    });
    let first_word = match reception {
        // It says nothing about patience, so the agent's own counts.
        Reception::Welcome => Some(GatewayFrame::Welcome(Welcome {
            protocol: 1,
            heartbeat_ms: 50,
            suspect_after_ms: None,
            lost_after_ms: None,
            max_age_ms: None,
            standby: false,
        })),
        Reception::Refuse(refusal) => Some(GatewayFrame::Refused(refusal)),
        Reception::Ignore | Reception::Status(..) => None,
    };
    let mut control = None;
    if let Some(first_word) = first_word {
        let (mut writer, body) = frames::channel(4);
        writer.offer(&first_word);
        let reply = client.send(Request::post(paths::CONTROL).body(body).unwrap()).await.unwrap();
        control = Some((writer, FrameReader::new(reply.into_body(), 1024)));
    }
    let _ = links.send(Linked { client, control, _cut: cut });
}

/// The agent's service: a control stream that says hello and listens, and a call that ends when the test says so.
fn service(finish: Arc<Notify>) -> Router {
    let listening = |body: Body| async {
        let hello = stream::iter([Ok::<_, axum::Error>(Bytes::from_static(b"{\"hello\":true}\n"))]);
        let silence = body.into_data_stream().filter_map(|frame| async { frame.err().map(Err) });
        Body::from_stream(hello.chain(silence))
    };
    let slow = move || {
        let finish = Arc::clone(&finish);
        async move {
            finish.notified().await;
            "done"
        }
    };
    Router::new().route(paths::CONTROL, post(listening)).route("/slow", post(slow))
}

fn config(address: SocketAddr, change: impl FnOnce(&mut Timings)) -> LinkConfig {
    let mut timings = Timings { reconnect_max: Duration::from_millis(40), ..Timings::default() };
    change(&mut timings);
    let cluster = ClusterId::new("prod-eu").unwrap();
    LinkConfig::new(&format!("ws://{address}"), "the-token", None, cluster, timings).unwrap()
}

/// A running agent.
struct Agent {
    shutdown: CancellationToken,
    finish: Arc<Notify>,
    tasks: JoinSet<()>,
}

fn run_agent(config: LinkConfig) -> Agent {
    let (shutdown, finish) = (CancellationToken::new(), Arc::new(Notify::new()));
    let mut tasks = JoinSet::new();
    tasks.spawn(run(config, service(Arc::clone(&finish)), TaskTracker::new(), shutdown.clone()));
    Agent { shutdown, finish, tasks }
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work).await.expect("the test hangs")
}

async fn slow_call(client: &Client) -> Bytes {
    let request = Request::post("/slow").body(Full::default().boxed_unsync()).unwrap();
    client.send(request).await.unwrap().into_body().collect().await.unwrap().to_bytes()
}

#[tokio::test]
async fn a_gateway_that_went_and_came_back_is_linked_again() {
    within(async {
        let mut gateway = Gateway::start(anywhere(), Reception::Welcome).await;
        let address = gateway.address;
        let agent = run_agent(config(address, |_| {}));
        let linked = gateway.links.recv().await.unwrap();
        agent.finish.notify_one();
        assert_eq!(slow_call(&linked.client).await, "done");
        gateway.tasks.shutdown().await;
        drop(linked);
        let mut gateway = Gateway::start(address, Reception::Welcome).await;
        let linked = gateway.links.recv().await.unwrap();
        agent.finish.notify_one();
        assert_eq!(slow_call(&linked.client).await, "done");
    })
    .await;
}

#[tokio::test]
async fn a_gateway_that_went_silent_is_dialled_again() {
    within(async {
        let mut gateway = Gateway::start(anywhere(), Reception::Welcome).await;
        let _agent = run_agent(config(gateway.address, |timings| {
            timings.suspect_after = Duration::from_millis(100);
            timings.lost_after = Duration::from_millis(200);
        }));
        // The connection stays open; no byte comes over it.
        let silent = gateway.links.recv().await.unwrap();
        let _next = gateway.links.recv().await.unwrap();
        drop(silent);
    })
    .await;
}

#[tokio::test]
async fn a_gateway_that_never_says_welcome_is_dialled_again() {
    within(async {
        let mut gateway = Gateway::start(anywhere(), Reception::Ignore).await;
        let _agent = run_agent(config(gateway.address, |timings| timings.hello = Duration::from_millis(50)));
        let ignored = gateway.links.recv().await.unwrap();
        assert!(ignored.control.is_none());
        let _next = gateway.links.recv().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_refused_token_is_tried_again_for_ever() {
    within(async {
        let mut gateway = Gateway::start(anywhere(), Reception::Status(StatusCode::UNAUTHORIZED, None)).await;
        let _agent = run_agent(config(gateway.address, |_| {}));
        for _ in 0..3 {
            gateway.dials.recv().await.unwrap();
        }
        gateway.reception.send_replace(Reception::Welcome);
        gateway.links.recv().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_wait_that_a_gateway_asks_for_is_kept() {
    let refusal = Refusal { message: "another agent serves prod-eu".to_owned(), retry_after_ms: Some(1_000) };
    for reception in [
        Reception::Status(StatusCode::SERVICE_UNAVAILABLE, Some(1)),
        Reception::Status(StatusCode::TOO_MANY_REQUESTS, Some(1)),
        Reception::Refuse(refusal),
    ] {
        within(async {
            let mut gateway = Gateway::start(anywhere(), reception.clone()).await;
            let _agent = run_agent(config(gateway.address, |_| {}));
            let first = gateway.dials.recv().await.unwrap();
            let second = gateway.dials.recv().await.unwrap();
            assert!(second - first >= Duration::from_secs(1), "{reception:?}: {:?}", second - first);
        })
        .await;
    }
}

#[tokio::test]
async fn an_agent_that_stops_says_goodbye_and_ends_what_it_began() {
    within(async {
        let mut gateway = Gateway::start(anywhere(), Reception::Welcome).await;
        let mut agent = run_agent(config(gateway.address, |_| {}));
        let mut linked = gateway.links.recv().await.unwrap();
        let (_writer, mut control) = linked.control.take().unwrap();
        assert!(control.next_line().await.unwrap().is_ok());
        let calling = slow_call(&linked.client);
        let stopping = async {
            // The call is on its way before anything ends, because both go over one connection in order.
            tokio::task::yield_now().await;
            agent.shutdown.cancel();
            assert!(control.next_line().await.is_none(), "the control stream ends first");
            agent.finish.notify_one();
        };
        let (answer, ()) = tokio::join!(calling, stopping);
        assert_eq!(answer, "done");
        agent.tasks.join_next().await.unwrap().unwrap();
    })
    .await;
}
