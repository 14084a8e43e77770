//! The other end of a carrier: an agent whose handlers behave well or badly, each at a path of its own.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use kubeplex_proto::control::{GatewayFrame, Refusal};
use kubeplex_proto::paths;
use kubeplex_proto::status::{AgentError, AgentErrorCode};
use kubeplex_test_support::control::Speaker;
use kubeplex_test_support::counter::Counter;

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

/// The agent; clones are the same one, but for what they claim.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) speaker: Speaker,
    /// Handlers at work on a call.
    pub(crate) at_work: Counter,
}

impl Peer {
    pub(crate) fn of(cluster: &str) -> Self {
        Self { speaker: Speaker::of(cluster, "first"), at_work: Counter::default() }
    }

    /// Another process for the same cluster, that saw nothing yet.
    pub(crate) fn twin(&self, instance: &str) -> Self {
        let speaker = Speaker::of(self.speaker.cluster.as_str(), instance);
        Self { speaker, at_work: Counter::default() }
    }

    /// Why the gateway did not accept its link.
    pub(crate) async fn refusal(&self) -> Refusal {
        match self.speaker.first_word().await {
            GatewayFrame::Refused(refusal) => refusal,
            other => panic!("{other:?}"),
        }
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
}

fn lines(lines: impl IntoIterator<Item = String, IntoIter: Send + 'static>) -> Body {
    Body::from_stream(stream::iter(lines.into_iter().map(|line| Ok::<_, Infallible>(Bytes::from(line)))))
}

async fn control(State(peer): State<Peer>, body: Body) -> Response {
    peer.speaker.converse(body)
}

async fn refuse() -> Response {
    let error = AgentError::new(AgentErrorCode::InvalidArgument, "no column \"stauts\"").with_hint("status");
    (StatusCode::BAD_REQUEST, axum::Json(error)).into_response()
}

async fn endless(State(peer): State<Peer>) -> Body {
    let work = peer.at_work.during();
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

async fn first_then_hang(State(peer): State<Peer>) -> Body {
    let work = peer.at_work.during();
    let first = stream::once(async { Ok::<_, Infallible>(Bytes::from_static(b"{\"n\":1}\n")) });
    let never = stream::once(async move {
        let _work = work;
        std::future::pending().await
    });
    Body::from_stream(first.chain(never))
}

async fn hang(State(peer): State<Peer>) -> Body {
    let _work = peer.at_work.during();
    std::future::pending().await
}

async fn panic() -> Body {
    panic!("a bug in the agent, provoked by the test");
}

async fn bulk(State(peer): State<Peer>) -> Body {
    let work = peer.at_work.during();
    let line = Bytes::from(format!("\"{}\"\n", "x".repeat(BULK_FRAME - 3)));
    let lines = std::iter::repeat_n(line, BULK_FRAMES).inspect(move |_| {
        let _ = &work;
    });
    Body::from_stream(stream::iter(lines.map(Ok::<_, Infallible>)))
}
