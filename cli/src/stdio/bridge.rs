//! Carries messages between a client and a gateway's HTTP endpoint, in both eras of the protocol.
//!
//! Each request is an exchange of its own: answers come in any order, and progress before them. A session of the older era is
//! opened by the client's `initialize`; where the gateway has none of that name any more, or is another one, the bridge
//! opens it anew with the same parameters, and the client notices nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio_util::task::TaskTracker;

use super::gateways::{Gateways, Target};
use super::message::{Era, Kind, Message, PROTOCOL_VERSION, UNANSWERED, failure};
use super::reply::{Failure, Reply};

mod repeat;

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// A gateway on this machine accepts at once, or is not there.
const CONNECT: Duration = Duration::from_secs(5);

/// A notification is acknowledged at once, or its gateway hangs: what comes after it must not wait for ever.
const ACKNOWLEDGED: Duration = Duration::from_secs(5);

/// Requests without a written answer. A client that sends more and reads nothing is not read from, either: its answers
/// would pile up here.
const EXCHANGES: usize = 256;

/// What is written for the client.
pub(super) enum Line {
    Message(String),
    /// All lines before it have been written when it is answered.
    Flushed(oneshot::Sender<()>),
}

/// The bridge. Clones are the same one.
#[derive(Clone)]
pub(super) struct Bridge(Arc<Shared>);

struct Shared {
    http: reqwest::Client,
    gateways: Gateways,
    /// Lines for the client.
    out: mpsc::Sender<Line>,
    /// Owns the requests without an answer yet …
    exchanges: TaskTracker,
    places: Arc<Semaphore>,
    /// … and the streams on which gateways say what nobody asked for.
    streams: TaskTracker,
    /// The exchanges by the ids of their requests, those taken back not among them.
    running: Mutex<HashMap<String, AbortHandle>>,
    session: tokio::sync::Mutex<Session>,
}

/// What the older era remembers.
#[derive(Default)]
struct Session {
    /// The client's own parameters.
    initialize: Option<Value>,
    open: Option<Open>,
}

/// A session that a gateway knows.
#[derive(Clone)]
struct Open {
    gateway: u64,
    headers: HeaderMap,
    listening: Option<AbortHandle>,
}

impl Bridge {
    /// Answers go to `out`.
    ///
    /// # Errors
    /// When the HTTP client can't be set up.
    pub(super) fn new(gateways: Gateways, out: mpsc::Sender<Line>) -> anyhow::Result<Self> {
        let http =
            reqwest::Client::builder().no_proxy().tcp_nodelay(true).connect_timeout(CONNECT).build()?;
        let (exchanges, streams) = (TaskTracker::new(), TaskTracker::new());
        let places = Arc::new(Semaphore::new(EXCHANGES));
        let (running, session) = (Mutex::default(), tokio::sync::Mutex::default());
        Ok(Self(Arc::new(Shared { http, gateways, out, exchanges, places, streams, running, session })))
    }

    /// Takes in a line of the client's. Requests are answered later; of the rest one is passed on before the next.
    pub(super) async fn take(&self, line: &str) {
        let message = match Message::read(line) {
            Ok(message) => message,
            Err(answer) => return self.say(&answer).await,
        };
        match message.kind.clone() {
            Kind::Request(id) => self.begin(id, message).await,
            Kind::Notification | Kind::Response => {
                // Before the gateway hears of it: it ends its answer at once, and nobody waits for that any more.
                let taken_back = message.cancels().and_then(|id| self.0.running.lock().remove(&id));
                // Without sessions a request is taken back by hanging up.
                if message.era() == Era::Sessions {
                    let _ = tokio::time::timeout(ACKNOWLEDGED, self.pass_on(&message)).await;
                }
                if let Some(exchange) = taken_back {
                    exchange.abort();
                }
            }
        }
    }

    /// Waits for a place, so that the client's next lines wait as well.
    async fn begin(&self, id: String, message: Message) {
        let place = Arc::clone(&self.0.places).acquire_owned().await;
        let bridge = self.clone();
        let mut running = self.0.running.lock();
        let ended = id.clone();
        let exchange = self.0.exchanges.spawn(async move {
            let _place = place;
            let outcome = bridge.exchange(&message).await;
            let is_waited_for = bridge.0.running.lock().remove(&ended).is_some();
            if let (Err(problem), true) = (outcome, is_waited_for) {
                bridge.say(&failure(message.id(), UNANSWERED, &problem)).await;
            }
        });
        running.insert(id, exchange.abort_handle());
    }

    /// Sends a request until some gateway has answered it.
    async fn exchange(&self, message: &Message) -> Result<(), String> {
        let mut target = self.target().await?;
        if message.method() == "tools/call" {
            // Right after the start there is nothing to see yet.
            target.settled.cancelled().await;
        }
        for _ in 0..2 {
            match self.send(&target, message).await {
                Ok(()) => return Ok(()),
                Err(Failure::Unreached(problem)) => {
                    tracing::info!(endpoint = target.endpoint, problem, "the gateway is not there");
                    target = self.instead_of(&target).await?;
                }
                Err(Failure::Unanswered(problem)) => {
                    tracing::info!(endpoint = target.endpoint, problem, "the gateway does not answer");
                    target = self.instead_of(&target).await?;
                    if !self.may_repeat(&target, message).await {
                        return Err(format!(
                            "the gateway went away before it answered ({problem}), and what was asked may have been done; see \
                             what is there before you call again"
                        ));
                    }
                }
                Err(Failure::NoSession) => self.forget_session().await,
                Err(Failure::BrokeOff(problem)) => {
                    // The next message finds another one.
                    return Err(format!(
                        "the gateway broke off its answer ({problem}), and what was asked may have been done; call again if it \
                         only reads"
                    ));
                }
            }
        }
        Err("the gateway ended, and the one in its place did not answer, either; call again".to_owned())
    }

    /// Notifications have no answer, so nobody can be told that one is lost.
    async fn pass_on(&self, message: &Message) {
        let Ok(target) = self.target().await else { return };
        if let Err(Failure::BrokeOff(problem)) = self.send(&target, message).await {
            tracing::debug!(method = message.method(), problem, "a notification was not taken");
        }
        if message.method() == "notifications/initialized" {
            self.listen(&target).await;
        }
    }

    async fn target(&self) -> Result<Target, String> {
        self.0.gateways.current().await.map_err(|error| no_gateway(&error))
    }

    async fn instead_of(&self, gone: &Target) -> Result<Target, String> {
        let target = self.0.gateways.instead_of(gone).await.map_err(|error| no_gateway(&error))?;
        target.settled.cancelled().await;
        Ok(target)
    }

    async fn send(&self, target: &Target, message: &Message) -> Result<(), Failure> {
        let headers = match message.era() {
            Era::Stateless => message.headers(),
            Era::Sessions if message.method() == "initialize" => {
                return self.initialize(target, message).await;
            }
            // Whatever becomes of that, the message itself has not left.
            Era::Sessions => self.session(target).await.map_err(Failure::before_it_left)?,
        };
        let response = self.post(target, headers, &message.value).await?;
        self.forward(response, message).await
    }

    /// Passes the client's own `initialize` on, and remembers it.
    async fn initialize(&self, target: &Target, message: &Message) -> Result<(), Failure> {
        let mut session = self.0.session.lock().await;
        session.initialize = Some(message.value["params"].clone());
        let (open, answer) = self.open(target, &message.value).await?;
        session.replace(open);
        drop(session);
        self.say(&answer).await;
        Ok(())
    }

    /// The headers of a session that this gateway knows: it is told what the client told the one before.
    async fn session(&self, target: &Target) -> Result<HeaderMap, Failure> {
        let mut session = self.0.session.lock().await;
        if let Some(open) = session.open.as_ref().filter(|open| open.gateway == target.number) {
            return Ok(open.headers.clone());
        }
        // A client that never said it has no session; the gateway will say what it thinks of that.
        let Some(params) = session.initialize.clone() else { return Ok(HeaderMap::new()) };
        let request = json!({"jsonrpc": "2.0", "id": "again", "method": "initialize", "params": params});
        let (mut open, _) = self.open(target, &request).await?;
        let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        drop(self.post(target, open.headers.clone(), &ready).await?);
        open.listening = Some(self.listen_with(target, open.headers.clone()));
        let headers = open.headers.clone();
        session.replace(open);
        Ok(headers)
    }

    /// Opens a session, and hands out the gateway's answer.
    async fn open(&self, target: &Target, request: &Value) -> Result<(Open, Value), Failure> {
        let response = self.post(target, HeaderMap::new(), request).await?;
        let id = response.headers().get(SESSION).cloned();
        let mut answer = Value::Null;
        let mut reply = Reply::new(response);
        while let Some(message) = reply.next().await? {
            if message["id"] == request["id"] && message.get("method").is_none() {
                answer = message;
            }
        }
        if answer.is_null() {
            return Err(Failure::BrokeOff("no answer to initialize".to_owned()));
        }
        let version =
            answer["result"]["protocolVersion"].as_str().and_then(|text| HeaderValue::from_str(text).ok());
        let said = [(SESSION, id), (PROTOCOL_VERSION, version)];
        let headers = said.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        Ok((Open { gateway: target.number, headers, listening: None }, answer))
    }

    async fn forget_session(&self) {
        if let Some(open) = self.0.session.lock().await.open.take() {
            open.end();
        }
    }

    /// Opens the stream on which a gateway says what nobody asked for.
    async fn listen(&self, target: &Target) {
        let mut session = self.0.session.lock().await;
        let Some(open) = session.open.as_mut().filter(|open| open.gateway == target.number) else { return };
        let listening = self.listen_with(target, open.headers.clone());
        if let Some(before) = open.listening.replace(listening) {
            before.abort();
        }
    }

    fn listen_with(&self, target: &Target, headers: HeaderMap) -> AbortHandle {
        let (bridge, target) = (self.clone(), target.clone());
        let listening = self.0.streams.spawn(async move {
            let request = target
                .knock(bridge.0.http.get(&target.endpoint))
                .headers(headers)
                .header(ACCEPT, "text/event-stream");
            // A gateway may have no such stream, and ends it when it ends.
            if let Ok(response) = request.send().await
                && response.status().is_success()
            {
                let mut reply = Reply::new(response);
                while let Ok(Some(message)) = reply.next().await {
                    bridge.say(&message).await;
                }
            }
        });
        listening.abort_handle()
    }

    async fn post(&self, target: &Target, headers: HeaderMap, message: &Value) -> Result<Response, Failure> {
        let request = target.knock(self.0.http.post(&target.endpoint)).headers(headers.clone());
        let request = request.header(ACCEPT, "application/json, text/event-stream");
        let request = request.header(CONTENT_TYPE, "application/json").body(message.to_string());
        let response = request.send().await.map_err(|error| Failure::of(&error))?;
        match response.status() {
            StatusCode::NOT_FOUND if headers.contains_key(SESSION) => Err(Failure::NoSession),
            _ => Ok(response),
        }
    }

    /// Passes on what came back for a message.
    async fn forward(&self, response: Response, message: &Message) -> Result<(), Failure> {
        let status = response.status();
        let mut answered = !matches!(message.kind, Kind::Request(_));
        let mut reply = Reply::new(response);
        while let Some(mut answer) = reply.next().await? {
            if answer.get("method").is_none() {
                // What is refused before it is understood is refused without its id.
                if answer["id"].is_null() {
                    answer["id"] = message.id().clone();
                }
                answered = true;
            }
            self.say(&answer).await;
        }
        match answered {
            true => Ok(()),
            false => Err(Failure::BrokeOff(format!("HTTP {status} without an answer"))),
        }
    }

    /// A message for the client.
    pub(super) async fn say(&self, message: &Value) {
        // Who does not read any more is not waited for: the end of the output ends the program.
        let _ = self.0.out.send(Line::Message(message.to_string())).await;
    }

    /// Waits for the answers to what was asked, and until they are written.
    pub(super) async fn last_answers(&self, patience: Duration) {
        self.0.exchanges.close();
        if tokio::time::timeout(patience, self.0.exchanges.wait()).await.is_err() {
            tracing::warn!(
                requests = self.0.exchanges.len(),
                "the input has ended: these are not waited for"
            );
        }
        let (written, is_written) = oneshot::channel();
        let _ = self.0.out.send(Line::Flushed(written)).await;
        let _ = is_written.await;
    }

    /// Tells the gateway that the session is over, and ends the gateway, if it is of this process.
    pub(super) async fn end(&self) {
        let open = self.0.session.lock().await.open.take();
        if let (Some(open), Ok(target)) = (open, self.0.gateways.current().await)
            && open.gateway == target.number
        {
            open.end();
            let request = target.knock(self.0.http.delete(&target.endpoint)).headers(open.headers.clone());
            // A session that is not closed is ended when it is old.
            let _ = tokio::time::timeout(ACKNOWLEDGED, request.send()).await;
        }
        self.0.gateways.end().await;
    }
}

impl Session {
    fn replace(&mut self, open: Open) {
        if let Some(before) = self.open.replace(open) {
            before.end();
        }
    }
}

impl Open {
    fn end(&self) {
        if let Some(listening) = &self.listening {
            listening.abort();
        }
    }
}

fn no_gateway(error: &anyhow::Error) -> String {
    format!("no gateway runs, and none can be started: {error:#}")
}
