//! Where agents dial in: `GET /agent/v1/link`, a WebSocket with a bearer token.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Request};
use axum::response::Response;
use axum::routing::any;
use kubeplex_link::accept;
use kubeplex_proto::paths;
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use super::credentials::{Believed, BelievedNow};
use super::denied::Denied;
use super::{Credentials, Links, session};
use crate::config::TokenHash;
use crate::serve::Peer;
use crate::tokens::bearer;

/// The endpoint's state.
#[derive(Clone)]
pub struct LinkEndpoint {
    links: Links,
    credentials: BelievedNow,
    arrivals: Arc<Semaphore>,
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
        let believed =
            self.credentials.believe(token).ok_or_else(|| Denied::UnknownToken(TokenHash::of(token)))?;
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
    let peer = request.extensions().get::<Peer>().copied();
    endpoint.let_in(request).unwrap_or_else(|denied| {
        denied.log(&endpoint.links.said, peer);
        endpoint.links.metrics.denied(matches!(denied, Denied::Crowded));
        denied.reply(spread(endpoint.links.timings.retry_after, rand::random()))
    })
}

/// When one of many that have to come again should: they are spread over as long as the first of them waits.
fn spread(base: Duration, sample: f64) -> Duration {
    base.mul_f64(1.0 + sample.clamp(0.0, 1.0))
}
