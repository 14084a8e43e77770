//! An agent written by hand: the control stream, and handlers that behave well or badly.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use kubeplex_link::frames::{FrameReader, encode};
use kubeplex_link::limits::CONTROL_FRAME;
use kubeplex_proto::PROTOCOL;
use kubeplex_proto::control::{AgentFrame, GatewayFrame, Hello, ProtocolRange, Report};
use kubeplex_proto::ids::{ClusterId, Epoch, InstanceId};
use kubeplex_proto::paths;
use kubeplex_proto::status::{AgentError, AgentErrorCode};
use tokio::sync::{mpsc, watch};

pub(crate) const COUNT: &str = "/test/count";
pub(crate) const REFUSE: &str = "/test/refuse";
pub(crate) const BARE_STATUS: &str = "/test/bare-status";
pub(crate) const GARBAGE: &str = "/test/garbage";
pub(crate) const ENDLESS: &str = "/test/endless";
pub(crate) const BREAK: &str = "/test/break";
pub(crate) const FIRST_THEN_HANG: &str = "/test/first-then-hang";
pub(crate) const HANG: &str = "/test/hang";
pub(crate) const PANIC: &str = "/test/panic";
pub(crate) const BULK: &str = "/test/bulk";

/// How many bytes the frames of [`BULK`] carry, and how many frames there are.
pub(crate) const BULK_FRAME: usize = 10_000;
pub(crate) const BULK_FRAMES: usize = 1_000;

/// What the agent says of itself, and what it saw.
#[derive(Clone)]
pub(crate) struct HandMade {
    pub(crate) cluster: ClusterId,
    pub(crate) instance: &'static str,
    pub(crate) protocol: ProtocolRange,
    epoch: Arc<AtomicU64>,
    /// Handlers at work on a call.
    pub(crate) at_work: Arc<watch::Sender<usize>>,
    /// Heartbeats from the gateway.
    pub(crate) beats: Arc<watch::Sender<usize>>,
    /// The gateway's first word on the last link.
    pub(crate) first_word: Arc<watch::Sender<Option<GatewayFrame>>>,
    reports: Arc<watch::Sender<Report>>,
}

impl HandMade {
    pub(crate) fn of(cluster: &str) -> Self {
        Self {
            cluster: ClusterId::new(cluster).unwrap(),
            instance: "first",
            protocol: PROTOCOL,
            epoch: Arc::default(),
            at_work: Arc::new(watch::Sender::new(0)),
            beats: Arc::new(watch::Sender::new(0)),
            first_word: Arc::new(watch::Sender::new(None)),
            reports: Arc::new(watch::Sender::new(Report::default())),
        }
    }

    /// Another process for the same cluster, that saw nothing yet.
    pub(crate) fn twin(&self, instance: &'static str) -> Self {
        Self { instance, ..Self::of(self.cluster.as_str()) }
    }

    /// Sends a report over the control stream.
    pub(crate) fn report(&self, report: Report) {
        self.reports.send_replace(report);
    }

    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route(paths::CONTROL, post(control))
            .route(COUNT, post(|| async { lines((1..=200).map(|n| format!("{{\"n\":{n}}}\n"))) }))
            .route(REFUSE, post(refuse))
            .route(BARE_STATUS, post(|| async { (StatusCode::BAD_GATEWAY, "<html>proxy</html>") }))
            .route(
                GARBAGE,
                post(|| async { lines(["{\"n\":1}\n", "\u{1}\u{2} not JSON\n"].map(str::to_owned)) }),
            )
            .route(ENDLESS, post(endless))
            .route(BREAK, post(break_off))
            .route(FIRST_THEN_HANG, post(first_then_hang))
            .route(HANG, post(hang))
            .route(PANIC, post(panic))
            .route(BULK, post(bulk))
            .with_state(self.clone())
    }

    fn hello(&self) -> Hello {
        Hello {
            protocol: self.protocol,
            features: Vec::new(),
            agent_version: "0.1.0-test".to_owned(),
            kubernetes_version: "v1.35.0".to_owned(),
            cluster: self.cluster.clone(),
            instance: InstanceId(self.instance.to_owned()),
            epoch: Epoch(self.epoch.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

/// Counts a handler for as long as it lives.
struct AtWork(HandMade);

impl AtWork {
    fn begin(agent: &HandMade) -> Self {
        agent.at_work.send_modify(|count| *count += 1);
        Self(agent.clone())
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.at_work.send_modify(|count| *count -= 1);
    }
}

fn lines(lines: impl IntoIterator<Item = String, IntoIter: Send + 'static>) -> Body {
    Body::from_stream(stream::iter(lines.into_iter().map(|line| Ok::<_, Infallible>(Bytes::from(line)))))
}

/// Hello, then heartbeats in the rhythm that the gateway asks for, and whatever the test reports.
async fn control(State(agent): State<HandMade>, body: Body) -> Response {
    let (sender, receiver) = mpsc::channel::<AgentFrame>(16);
    sender.try_send(AgentFrame::Hello(Box::new(agent.hello()))).unwrap();
    let mut from_gateway = FrameReader::new(body, CONTROL_FRAME);
    let conversation = async move {
        let Some(Ok(first)) = from_gateway.next::<GatewayFrame>().await else { return };
        agent.first_word.send_replace(Some(first.clone()));
        let GatewayFrame::Welcome(welcome) = first else { return };
        let mut beat = tokio::time::interval(Duration::from_millis(welcome.heartbeat_ms));
        let mut reports = agent.reports.subscribe();
        reports.mark_changed();
        loop {
            let report = tokio::select! {
                frame = from_gateway.next::<GatewayFrame>() => match frame {
                    Some(Ok(_)) => { agent.beats.send_modify(|beats| *beats += 1); continue }
                    _ => return,
                },
                _ = beat.tick() => Report::default(),
                Ok(()) = reports.changed() => reports.borrow_and_update().clone(),
            };
            if sender.send(AgentFrame::Report(Box::new(report))).await.is_err() {
                return;
            }
        }
    };
    Body::from_stream(alongside(conversation, receiver)).into_response()
}

/// The frames of `receiver`, while `work` runs; it is dropped with them.
fn alongside(
    work: impl Future<Output = ()> + Send + 'static,
    receiver: mpsc::Receiver<AgentFrame>,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let frames = stream::unfold(receiver, async |mut receiver| {
        let frame = receiver.recv().await?;
        Some((Some(encode(&frame).unwrap()), receiver))
    });
    let work = stream::once(work).map(|()| None);
    stream::select(frames, work).filter_map(|line| async move { line.map(Ok) })
}

async fn refuse() -> Response {
    let error = AgentError::new(AgentErrorCode::InvalidArgument, "no column \"stauts\"").with_hint("status");
    (StatusCode::BAD_REQUEST, axum::Json(error)).into_response()
}

async fn endless(State(agent): State<HandMade>) -> Body {
    let work = AtWork::begin(&agent);
    let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
    Body::from_stream(stream::repeat_with(move || {
        let _ = &work;
        Ok::<_, Infallible>(chunk.clone())
    }))
}

async fn break_off() -> Body {
    let first = Ok(Bytes::from_static(b"{\"n\":1}\n"));
    let rest = Err(std::io::Error::other("the disk is gone"));
    Body::from_stream(stream::iter([first, rest]))
}

async fn first_then_hang(State(agent): State<HandMade>) -> Body {
    let work = AtWork::begin(&agent);
    let first = stream::once(async { Ok::<_, Infallible>(Bytes::from_static(b"{\"n\":1}\n")) });
    let never = stream::once(async move {
        let _work = work;
        std::future::pending().await
    });
    Body::from_stream(first.chain(never))
}

async fn hang(State(agent): State<HandMade>) -> Body {
    let _work = AtWork::begin(&agent);
    std::future::pending().await
}

async fn panic() -> Body {
    panic!("a bug in the agent, provoked by the test");
}

async fn bulk(State(agent): State<HandMade>) -> Body {
    let work = AtWork::begin(&agent);
    let line = Bytes::from(format!("\"{}\"\n", "x".repeat(BULK_FRAME - 3)));
    let lines = std::iter::repeat_n(line, BULK_FRAMES).inspect(move |_| {
        let _ = &work;
    });
    Body::from_stream(stream::iter(lines.map(Ok::<_, Infallible>)))
}
