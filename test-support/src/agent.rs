//! An agent written by hand, that answers for pods, well or badly, as told from call to call.

mod frames;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures::stream::{self, BoxStream, StreamExt as _};
use kubeplex_proto::call::CallContext;
use kubeplex_proto::get::GetRequest;
use kubeplex_proto::list::{ListFrame, ListRequest};
use kubeplex_proto::paths;
use kubeplex_proto::status::{AgentError, AgentErrorCode};
use serde::Serialize;
use tokio::sync::watch;

use crate::control::Speaker;
use crate::counter::{Counted, Counter};

/// Of one line in [`Behaviour::LongLine`].
pub const LONG_LINE: usize = 10 << 20;

/// Of one cell in [`Behaviour::Wide`].
pub const WIDE_CELL: usize = 4 << 10;

/// What it does when it is asked for pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Has so many pods, and answers properly.
    Pods(usize),
    /// The same, and tells the revision of its answers, which it reports: they may be kept.
    Steady(usize),
    /// Has so many pods, each with a status of [`WIDE_CELL`] bytes.
    Wide(usize),
    /// Has so many pods, but no frame is ready at the moment when it is asked for.
    Stepwise(usize),
    /// Has so many pods, and thinks about each answer for so long.
    Slow(usize, Duration),
    /// Never answers.
    Hang,
    /// Sends the head and the first rows of so many pods, and then nothing more.
    Stall(usize),
    /// Has so many pods, sends the first that it is asked for, and nothing when it is asked to go on.
    StallLater(usize),
    /// Sends rows in the wrong order.
    Disorder,
    /// Sends rows that have other cells than the columns that it announced.
    Misfit,
    /// Sends more rows than it was asked for, and objects without an end.
    Flood,
    /// Sends rows without a head.
    Headless,
    /// Ends its answer before it is over.
    BreakOff,
    /// Answers with something else than frames.
    Garbage,
    /// Bytes that are no text.
    Noise,
    /// One row of ten megabytes.
    LongLine,
    /// A line that never ends.
    EndlessLine,
    /// A status and a body that explain nothing.
    ProxyError,
    Refuse(AgentErrorCode),
    Panic,
}

/// A handle of the agent; clones are the same one.
#[derive(Clone)]
pub struct HandMade {
    speaker: Speaker,
    behaviour: Arc<watch::Sender<Behaviour>>,
    asked: Counter,
    at_work: Counter,
    given_up: Counter,
    latest: Arc<watch::Sender<Option<CallContext>>>,
}

impl HandMade {
    /// # Panics
    /// When `cluster` can't name one.
    pub fn of(cluster: &str, behaviour: Behaviour) -> Self {
        Self {
            speaker: Speaker::of(cluster, &format!("hand-made {cluster}")),
            behaviour: Arc::new(watch::Sender::new(behaviour)),
            asked: Counter::default(),
            at_work: Counter::default(),
            given_up: Counter::default(),
            latest: Arc::default(),
        }
    }

    /// What it does from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.behaviour.send_replace(behaviour);
    }

    /// Lists and objects that it was asked for so far.
    pub fn asked(&self) -> usize {
        self.asked.get()
    }

    /// Whom the latest request for rows came from, and what it said beside its question.
    pub fn latest(&self) -> Option<CallContext> {
        self.latest.borrow().clone()
    }

    /// Answers that hung or stalled, and were given up by who had asked.
    pub fn given_up(&self) -> usize {
        self.given_up.get()
    }

    /// Waits until it was asked for something.
    pub async fn until_asked(&self) {
        self.asked.until("the agent is asked", |count| count > 0).await;
    }

    /// Waits until it is at work on so many answers.
    pub async fn at_work(&self, wanted: usize) {
        self.at_work.until(&format!("the agent is at work on {wanted}"), |count| count == wanted).await;
    }

    /// Waits until an answer was given up.
    pub async fn until_given_up(&self) {
        self.given_up.until("the agent's work is given up", |count| count > 0).await;
    }

    pub fn router(&self) -> Router {
        Router::new()
            .route(paths::CONTROL, post(control))
            .route(paths::LIST, post(list))
            .route(paths::GET, post(get))
            .with_state(self.clone())
    }

    fn behaviour(&self) -> Behaviour {
        *self.behaviour.borrow()
    }

    fn work(&self) -> Counted {
        self.asked.add_one();
        self.at_work.during()
    }

    /// Never ends, and notices when it is no longer waited for.
    async fn hang<T>(self, work: Counted) -> T {
        let _waiting = Waiting { work: Some(work), given_up: self.given_up };
        std::future::pending().await
    }
}

/// An answer that does not come.
struct Waiting {
    work: Option<Counted>,
    given_up: Counter,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // The work is over before anybody is told that it was given up.
        drop(self.work.take());
        self.given_up.add_one();
    }
}

async fn control(State(agent): State<HandMade>, body: Body) -> Response {
    agent.speaker.report(frames::report(agent.behaviour()));
    agent.speaker.converse(body)
}

async fn list(State(agent): State<HandMade>, body: Bytes) -> Response {
    let work = agent.work();
    let request: ListRequest = serde_json::from_slice(&body).expect("a request that can be read");
    agent.latest.send_replace(Some(request.context.clone()));
    let page = |pods| frames::page(&agent.speaker.cluster, &request, pods);
    match agent.behaviour() {
        Behaviour::Pods(pods) => reply(stream::iter(page(pods)).boxed()),
        Behaviour::Steady(pods) => reply(stream::iter(frames::steady(page(pods))).boxed()),
        Behaviour::Wide(pods) => reply(stream::iter(frames::wide(page(pods))).boxed()),
        Behaviour::Stepwise(pods) => reply(stream::iter(page(pods)).then(later).boxed()),
        Behaviour::Slow(pods, thinks) => {
            tokio::time::sleep(thinks).await;
            reply(stream::iter(page(pods)).boxed())
        }
        Behaviour::Hang => agent.hang(work).await,
        Behaviour::StallLater(pods) if request.after.is_none() => reply(stream::iter(page(pods)).boxed()),
        Behaviour::StallLater(_) => agent.hang(work).await,
        Behaviour::Stall(pods) => {
            let first = stream::iter(page(pods).into_iter().take(2));
            reply(first.chain(stream::once(agent.hang(work))).boxed())
        }
        Behaviour::Garbage => "<html>please log in</html>\n".into_response(),
        Behaviour::Noise => [0xff, 0xfe, 0x00, b'\n', 0x80].as_slice().into_response(),
        Behaviour::EndlessLine => {
            let piece = || Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 64 * 1024]));
            Body::from_stream(stream::repeat_with(piece)).into_response()
        }
        Behaviour::ProxyError => (StatusCode::BAD_GATEWAY, "<html>\u{1b}[31mbad</html>").into_response(),
        Behaviour::Refuse(code) => refusal(code),
        Behaviour::Panic => panic!("an agent with a defect"),
        wrong => reply(stream::iter(frames::wrong(&agent.speaker.cluster, &request, wrong)).boxed()),
    }
}

/// With pods it has whatever object it is asked for, the same in every cluster.
async fn get(State(agent): State<HandMade>, body: Bytes) -> Response {
    let work = agent.work();
    let request: GetRequest = serde_json::from_slice(&body).expect("a request that can be read");
    let [head, object, end] = frames::object(&request);
    match agent.behaviour() {
        Behaviour::Pods(_) => reply(stream::iter([head, object, end]).boxed()),
        Behaviour::Flood => reply(stream::iter([head]).chain(stream::repeat(object)).boxed()),
        Behaviour::Garbage => reply(stream::iter([object]).boxed()),
        Behaviour::Refuse(code) => refusal(code),
        _ => agent.hang::<Response>(work).await,
    }
}

async fn later(frame: ListFrame) -> ListFrame {
    tokio::task::yield_now().await;
    frame
}

fn refusal(code: AgentErrorCode) -> Response {
    (StatusCode::BAD_REQUEST, axum::Json(AgentError::new(code, "the agent will not have it"))).into_response()
}

fn reply<T: Serialize + 'static>(frames: BoxStream<'static, T>) -> Response {
    let lines = frames.map(|frame| kubeplex_link::frames::encode(&frame));
    Body::from_stream(lines).into_response()
}
