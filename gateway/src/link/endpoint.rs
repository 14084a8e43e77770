//! Where agents dial in: `GET /agent/v1/link`, a WebSocket with a bearer token.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use kubeplex_link::accept;
use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::paths;
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use super::credentials::{Believed, BelievedNow};
use super::{Credentials, Links, session};
use crate::tokens::bearer;

/// The endpoint's state.
#[derive(Clone)]
pub struct LinkEndpoint {
    links: Links,
    credentials: BelievedNow,
    arrivals: Arc<Semaphore>,
}

/// Why an agent is not let in.
#[derive(Debug, thiserror::Error)]
enum Denied {
    #[error("no token was shown; \"Authorization: Bearer <token>\" is wanted")]
    NoToken,
    #[error("the token is not one of this gateway's")]
    UnknownToken,
    #[error("the token is the cluster {0}'s, which this gateway does not expect (any more)")]
    NotExpected(ClusterId),
    #[error(transparent)]
    NotAWebSocket(#[from] accept::NotAWebSocket),
    #[error("too many agents are arriving at once")]
    Crowded,
    #[error("this gateway is stopping")]
    Stopping,
}

impl LinkEndpoint {
    /// Lets agents in that show one of `credentials`, so many at once until each has reported.
    pub fn new(links: Links, credentials: Credentials, arrivals: usize) -> Self {
        let arrivals = Arc::new(Semaphore::new(arrivals));
        Self { links, credentials: BelievedNow::new(credentials), arrivals }
    }

    /// From now on these are believed, and no others. Links that stand are not touched; those that are on their way get no
    /// place by a token that is not among these.
    pub fn replace(&self, credentials: Credentials) {
        self.credentials.replace(credentials);
    }

    /// The route.
    pub fn router(self) -> Router {
        Router::new().route(paths::LINK, any(dial_in)).with_state(self)
    }

    fn authenticate(&self, headers: &HeaderMap) -> Result<Believed, Denied> {
        let token = bearer(headers).ok_or(Denied::NoToken)?;
        let believed = self.credentials.believe(token).ok_or(Denied::UnknownToken)?;
        if !self.links.registry.expects(believed.cluster()) {
            return Err(Denied::NotExpected(believed.cluster().clone()));
        }
        Ok(believed)
    }

    fn let_in(&self, mut request: Request<Body>) -> Result<Response, Denied> {
        if self.links.stop.is_cancelled() {
            return Err(Denied::Stopping);
        }
        let believed = self.authenticate(request.headers())?;
        let arrival = Arc::clone(&self.arrivals).try_acquire_owned().map_err(|_| Denied::Crowded)?;
        let (reply, upgrading) = accept::accept(&mut request)?;
        let span = tracing::info_span!("link", cluster = %believed.cluster(), carrier = "websocket");
        let session = session::run(self.links.clone(), believed, upgrading, arrival);
        drop(self.links.tracker.spawn(session.instrument(span)));
        Ok(reply.map(|()| Body::empty()))
    }
}

async fn dial_in(State(endpoint): State<LinkEndpoint>, request: Request<Body>) -> Response {
    endpoint.let_in(request).unwrap_or_else(|denied| {
        tracing::warn!(reason = %denied, "an agent was not let in");
        endpoint.links.metrics.denied(matches!(denied, Denied::Crowded));
        denied.reply(spread(endpoint.links.timings.retry_after, rand::random()))
    })
}

/// When one of many that have to come again should: they are spread over as long as the first of them waits.
fn spread(base: Duration, sample: f64) -> Duration {
    base.mul_f64(1.0 + sample.clamp(0.0, 1.0))
}

impl Denied {
    fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NoToken | Self::UnknownToken => (StatusCode::UNAUTHORIZED, "unauthenticated"),
            Self::NotExpected(_) => (StatusCode::FORBIDDEN, "forbidden"),
            Self::NotAWebSocket(_) => (StatusCode::UPGRADE_REQUIRED, "invalid_argument"),
            Self::Crowded => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
            Self::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::UnknownToken => {
                Some("put its SHA-256 beside the cluster's name in the gateway's configuration")
            }
            Self::NotExpected(_) => Some("add the cluster to the gateway's configuration"),
            _ => None,
        }
    }

    /// Says when to come again where that can help.
    fn reply(self, retry_after: Duration) -> Response {
        let (status, code) = self.status();
        let mut body = serde_json::json!({ "code": code, "message": self.to_string() });
        if let Some(hint) = self.hint() {
            body["hint"] = hint.into();
        }
        let mut reply = (status, axum::Json(body)).into_response();
        let headers = reply.headers_mut();
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::UPGRADE_REQUIRED => {
                headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers
                    .insert(header::RETRY_AFTER, HeaderValue::from(retry_after.as_secs_f64().ceil() as u64));
            }
            _ => {}
        }
        reply
    }
}
