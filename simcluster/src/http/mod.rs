//! The HTTP face: one tower service that answers as an API server does, whatever carries it.

mod accept;
mod body;
mod cursor;
mod discovery;
mod dispatch;
mod list;
mod openapi;
mod query;
mod render;
mod reply;
mod review;
mod route;
mod serve;
mod watch;
mod write;

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Limited};
use thiserror::Error;

use crate::cluster::Shared;
use crate::faults::FaultAction;
use crate::status::ApiError;
pub(crate) use query::Query;
pub(crate) use reply::Reply;
pub(crate) use serve::serve;

/// What a real server accepts at most, too.
const MAX_REQUEST_BYTES: usize = 3 * 1024 * 1024;

/// The API server of one simulated cluster as a tower service. Clones share the cluster; `kube::Client::new(service, "default")` takes it as it is.
#[derive(Clone, Debug)]
pub struct SimService {
    shared: Arc<Shared>,
}

/// There is no answer: the connection is to be closed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("connection reset by the simulated API server")]
pub struct ConnectionReset;

impl From<Infallible> for ConnectionReset {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl SimService {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl<B> tower::Service<Request<B>> for SimService
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = ConnectionReset;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let shared = self.shared.clone();
        Box::pin(answer(shared, request))
    }
}

/// Counts the request, lets faults happen to it, and answers it.
async fn answer<B>(shared: Arc<Shared>, request: Request<B>) -> Result<Response<Body>, ConnectionReset>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (parts, body) = request.into_parts();
    let route = route::Route::parse(&parts);
    let mut guard = shared.counters.begin(&route.call);
    let mut finish = reply::Finish::default();
    let mut refusal = None;
    for action in shared.faults.take(&route.call) {
        match action {
            FaultAction::Latency(delay) => tokio::time::sleep(delay).await,
            FaultAction::Hang => std::future::pending().await,
            FaultAction::Reset => {
                guard.finish();
                return Err(ConnectionReset);
            }
            other => refusal = refusal.or(finish.take(other)),
        }
    }
    let outcome = match (refusal, Limited::new(body, MAX_REQUEST_BYTES).collect().await) {
        (Some(refusal), _) => Err(refusal),
        (None, Ok(body)) => dispatch::dispatch(&shared, &route, &parts, body.to_bytes()).await,
        (None, Err(_)) => Err(ApiError::bad_request("the request body could not be read or is too large")),
    };
    let reply = outcome.unwrap_or_else(|error| Reply::error(&error));
    Ok(reply.into_response(&shared, guard, finish))
}
