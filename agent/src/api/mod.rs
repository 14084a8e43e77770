//! Requests to the API server: raw bytes in both directions, within a budget, with typed errors.
//!
//! Everything the agent asks goes through [`Api`], so that one place keeps the request rate, names the agent, measures the
//! cluster's clock, and knows whether the server can be reached. Bodies stay bytes: a page of a list is cut into its items
//! without building a tree of it, a watch into its lines. Dropping a future or a stream cancels the request at the server.

mod body;
mod budget;
mod caller;
mod error;
mod lines;
mod page;
mod paths;
mod pieces;
mod probe;
mod problem;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, DATE, ETAG, IF_NONE_MATCH, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use kube::client::Body;
use tokio::sync::watch;

use crate::clock::ClusterClock;
use crate::limits;

pub use budget::ApiBudget;
pub use caller::{Impersonation, NoImpersonation};
pub(crate) use error::Status;
pub use error::{ApiError, Unreachable};
pub use lines::WatchLines;
pub use page::Page;
pub use paths::{Query, collection_path, object_path};
pub use pieces::Pieces;
pub use probe::Probed;
use problem::Problem;

/// How the agent calls itself.
pub const AGENT_NAME: &str = concat!("kubeplex-agent/", env!("CARGO_PKG_VERSION"));

/// How a reply is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Representation {
    /// The objects themselves.
    Full,
    /// The server's own Table, with whole objects in its rows.
    TableOfObjects,
    /// The server's own Table, with the objects' metadata and nothing else of them in its rows.
    TableOfMetadata,
}

/// A client of one API server. Clones share the budget.
#[derive(Clone)]
pub struct Api {
    client: kube::Client,
    clock: ClusterClock,
    budget: Arc<ApiBudget>,
    problem: Problem,
    /// How messages call the server.
    server: Arc<str>,
    /// Whose rights count: the agent's own where nobody is named.
    acting_as: Option<Impersonation>,
}

/// What to ask, beside the path.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    pub accept: &'a str,
    /// The reply's tag that is already here; an unchanged reply then has no body.
    pub if_none_match: Option<&'a str>,
    /// For the whole call, once the budget has let it through.
    pub timeout: Duration,
}

impl Ask<'static> {
    /// Plain JSON.
    pub fn json(timeout: Duration) -> Self {
        Self { accept: JSON, if_none_match: None, timeout }
    }
}

/// A whole reply.
#[derive(Debug, Clone)]
pub enum Reply {
    /// It is what the tag stands for.
    Unchanged,
    Body {
        body: Bytes,
        etag: Option<String>,
    },
}

const JSON: &str = "application/json";

impl Api {
    pub fn new(client: kube::Client, clock: ClusterClock, budget: ApiBudget) -> Self {
        let (budget, problem) = (Arc::new(budget), Problem::default());
        Self { client, clock, budget, problem, server: "the API server".into(), acting_as: None }
    }

    /// The same, for a server whose address is known: messages then say it.
    #[must_use]
    pub fn at(self, url: &str) -> Self {
        Self { server: format!("the API server at {url}").into(), ..self }
    }

    /// The same, within the same budget, for requests in the name of a caller.
    #[must_use]
    pub fn acting_as(&self, caller: Impersonation) -> Self {
        Self { acting_as: Some(caller), ..self.clone() }
    }

    pub fn clock(&self) -> &ClusterClock {
        &self.clock
    }

    /// What stands between the agent and the API server, in a sentence; empty while it answers.
    pub fn problem(&self) -> String {
        self.problem.describe()
    }

    /// Ticks when [`problem`](Self::problem) says something else.
    pub(crate) fn problem_changed(&self) -> watch::Receiver<()> {
        self.problem.changed()
    }

    /// Whether the server serves nothing: it does not answer, does not know the agent, or fails at whatever it is asked.
    pub(crate) fn serves_nobody(&self) -> bool {
        self.problem.serves_nobody()
    }

    /// Ends when a server that served nothing serves a request again.
    pub(crate) fn answers_again(&self) -> impl Future<Output = ()> + Send + use<> {
        self.problem.answers_again()
    }

    /// One GET, read whole.
    ///
    /// # Errors
    /// Any [`ApiError`]; `TooLarge` above [`limits::REPLY_BYTES`].
    pub async fn get(&self, path_and_query: &str, ask: Ask<'_>) -> Result<Reply, ApiError> {
        let _permit = self.budget.admit().await;
        let call = Box::pin(async {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, header(ask.accept)?);
            if let Some(tag) = ask.if_none_match {
                headers.insert(IF_NONE_MATCH, header(tag)?);
            }
            let response = self.send(path_and_query, headers).await?;
            if response.status() == StatusCode::NOT_MODIFIED {
                return Ok(Reply::Unchanged);
            }
            let etag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
            let body = body::read(response.into_body(), limits::REPLY_BYTES).await?;
            Ok(Reply::Body { body, etag })
        });
        self.within(path_and_query, ask.timeout, call).await
    }

    /// One GET of JSON, as bytes.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn get_bytes(&self, path_and_query: &str, timeout: Duration) -> Result<Bytes, ApiError> {
        self.bytes(path_and_query, Ask::json(timeout)).await
    }

    /// Creates what the API server answers and does not store: a review.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn review(&self, path: &str, review: Vec<u8>, timeout: Duration) -> Result<Bytes, ApiError> {
        let _permit = self.budget.admit().await;
        let call = Box::pin(async {
            let json = HeaderValue::from_static(JSON);
            let headers = HeaderMap::from_iter([(ACCEPT, json.clone()), (CONTENT_TYPE, json)]);
            let response = self.send_as(Method::POST, path, headers, Body::from(review)).await?;
            body::read(response.into_body(), limits::REVIEW_BYTES).await
        });
        self.within(path, timeout, call).await
    }

    /// The server's own Table of a collection or an object. `path_and_query` must not say `includeObject`.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn table(
        &self,
        path_and_query: &str,
        representation: Representation,
        timeout: Duration,
    ) -> Result<Bytes, ApiError> {
        let path = representation.with_objects(path_and_query);
        self.bytes(&path, Ask { accept: representation.accept(), if_none_match: None, timeout }).await
    }

    /// One page of a list.
    ///
    /// # Errors
    /// Any [`ApiError`]; `TooLarge` above [`limits::PAGE_BYTES`], `Decode` where the body is no list.
    pub async fn page(
        &self,
        path_and_query: &str,
        representation: Representation,
        timeout: Duration,
    ) -> Result<Page, ApiError> {
        let _permit = self.budget.admit().await;
        let path = representation.with_objects(path_and_query);
        let call = Box::pin(async {
            let headers = HeaderMap::from_iter([(ACCEPT, header(representation.accept())?)]);
            let response = self.send(&path, headers).await?;
            Page::parse(&body::read(response.into_body(), limits::PAGE_BYTES).await?)
        });
        self.within(&path, timeout, call).await
    }

    /// Opens a watch: `path_and_query` says `watch=true` and the rest. Not charged to the budget. `timeout` is for the head
    /// of the reply; the lines that follow have none.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn watch(
        &self,
        path_and_query: &str,
        representation: Representation,
        timeout: Duration,
    ) -> Result<WatchLines, ApiError> {
        let path = representation.with_objects(path_and_query);
        let call = Box::pin(async {
            let headers = HeaderMap::from_iter([
                (ACCEPT, header(representation.accept())?),
                // A compressed stream reaches us when the compressor's window is full, not when the event happens.
                (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
            ]);
            let body = self.send(&path, headers).await?.into_body();
            Ok(WatchLines::new(body, limits::WATCH_LINE_BYTES, self.problem.clone()))
        });
        self.within(&path, timeout, call).await
    }

    /// Opens a text that may be long, or go on for long: a log. Only its beginning is charged to the budget, and `timeout` is
    /// for the head of the reply.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn pieces(&self, path_and_query: &str, timeout: Duration) -> Result<Pieces, ApiError> {
        let _permit = self.budget.admit().await;
        let call = Box::pin(async {
            let headers = HeaderMap::from_iter([
                (ACCEPT, HeaderValue::from_static("*/*")),
                (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
            ]);
            let body = self.send(path_and_query, headers).await?.into_body();
            Ok(Pieces::new(body, self.problem.clone()))
        });
        self.within(path_and_query, timeout, call).await
    }

    async fn bytes(&self, path_and_query: &str, ask: Ask<'_>) -> Result<Bytes, ApiError> {
        match self.get(path_and_query, ask).await? {
            Reply::Body { body, .. } => Ok(body),
            Reply::Unchanged => Ok(Bytes::new()),
        }
    }

    async fn send(&self, path_and_query: &str, headers: HeaderMap) -> Result<Response<Body>, ApiError> {
        self.send_as(Method::GET, path_and_query, headers, Body::empty()).await
    }

    /// Turns any status but success and 304 into an error.
    async fn send_as(
        &self,
        method: Method,
        path_and_query: &str,
        mut headers: HeaderMap,
        body: Body,
    ) -> Result<Response<Body>, ApiError> {
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT_NAME));
        if let Some(caller) = &self.acting_as {
            caller.add_to(&mut headers);
        }
        let request = Request::builder().method(method).uri(path_and_query).body(body);
        let mut request = request.map_err(|source| ApiError::Invalid {
            status: 0,
            message: format!("{path_and_query:?} is no path to ask for: {source}"),
        })?;
        *request.headers_mut() = headers;
        let sent_ms = self.clock.local_now_ms();
        let response = self.client.send(request).await.map_err(ApiError::unreachable)?;
        self.measure_clock(response.headers(), sent_ms);
        if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED {
            return Ok(response);
        }
        Err(ApiError::from_response(response).await)
    }

    fn measure_clock(&self, headers: &HeaderMap, sent_ms: i64) {
        let received_ms = self.clock.local_now_ms();
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        let Some(date) = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) else { return };
        let date_ms = date.timestamp().as_millisecond();
        if let Some(offset_ms) = self.clock.observe(date_ms, sent_ms, received_ms) {
            tracing::warn!(
                cluster.clock_offset_ms = offset_ms,
                "the cluster's clock differs from this machine's"
            );
        }
    }

    /// Bounds a call, and remembers whether the server could be reached. Calls come in boxes: each takes kilobytes, and what
    /// waits between two of them, such as every watch, would hold room for all that it may ever ask.
    async fn within<T>(
        &self,
        path: &str,
        timeout: Duration,
        call: Pin<Box<impl Future<Output = Result<T, ApiError>>>>,
    ) -> Result<T, ApiError> {
        let before = self.problem.before();
        let result = tokio::select! {
            biased;
            answered = tokio::time::timeout(timeout, call) => answered,
            never = self.problem.tell_silence(&self.server, path) => match never {},
        };
        let result = result.unwrap_or(Err(ApiError::Timeout { after: timeout }));
        self.problem.note(before, path, result.as_ref().err());
        let outcome = result.as_ref().err().map_or("ok", ApiError::label);
        metrics::counter!("kubeplex_agent_api_requests_total", "outcome" => outcome).increment(1);
        result
    }
}

impl Representation {
    fn accept(self) -> &'static str {
        match self {
            Self::Full => JSON,
            Self::TableOfObjects | Self::TableOfMetadata => "application/json;as=Table;v=v1;g=meta.k8s.io",
        }
    }

    fn with_objects(self, path_and_query: &str) -> String {
        let included = match self {
            Self::Full => return path_and_query.to_owned(),
            Self::TableOfObjects => "Object",
            Self::TableOfMetadata => "Metadata",
        };
        let joint = if path_and_query.contains('?') { '&' } else { '?' };
        format!("{path_and_query}{joint}includeObject={included}")
    }
}

fn header(value: &str) -> Result<HeaderValue, ApiError> {
    HeaderValue::from_str(value).map_err(|source| ApiError::Invalid {
        status: 0,
        message: format!("{value:?} can't be sent as a header: {source}"),
    })
}

#[cfg(test)]
mod tests;
