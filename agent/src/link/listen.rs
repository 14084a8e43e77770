//! Where gateways dial the agent, on networks that lead there: the same service over the same links, opened from the other
//! end.
//!
//! Every request shows the gateway's token. A connection over which no gateway has welcomed the agent in time is closed, so
//! whoever has no token holds one of few places for a few seconds.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use kubeplex_link::activity::Activity;
use kubeplex_link::direct::accept;
use kubeplex_link::identity::Identity;
use kubeplex_link::timings::Timings;
use kubeplex_link::token::TokenHash;
use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::status::{AgentError, AgentErrorCode};
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Agent;
use super::session::take;
use crate::limits::{ACCEPT_PAUSE, GATEWAYS, REFUSAL_SAID_EVERY};

/// Who may dial, and what they are shown.
#[derive(Clone)]
pub struct Door {
    pub cluster: ClusterId,
    pub timings: Timings,
    /// Without one nothing is encrypted: only on loopback.
    pub identity: Option<Identity>,
    /// Of the token that gateways show.
    pub token: TokenHash,
}

/// Serves `router` to gateways that dial `listener`. Tasks of the connections belong to `tracker`. Returns when `shutdown` is
/// cancelled and requests under way have ended, or had their time to.
pub async fn listen(
    listener: TcpListener,
    door: Door,
    router: Router,
    tracker: TaskTracker,
    shutdown: CancellationToken,
) {
    let guard = Guard { token: door.token, said: Arc::default() };
    let router = router.layer(middleware::from_fn_with_state(guard, admit));
    let gateway =
        listener.local_addr().map_or_else(|_| "a listener".to_owned(), |address| address.to_string());
    let Door { cluster, timings, identity, .. } = door;
    let agent = Agent { cluster, gateway, timings, router, tracker, shutdown: shutdown.clone() };
    let places = Arc::new(Semaphore::new(GATEWAYS));
    let mut links = JoinSet::new();
    while let Some(Some((socket, place))) =
        shutdown.run_until_cancelled(next(&listener, &places, &mut links)).await
    {
        links.spawn(serve(agent.clone(), identity.clone(), socket, place));
    }
    // Each has its time to end what is under way.
    while links.join_next().await.is_some() {}
}

/// The next connection. Without a free place, newcomers wait in the kernel.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    links: &mut JoinSet<()>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    loop {
        while links.try_join_next().is_some() {}
        let place = Arc::clone(places).acquire_owned().await.ok()?;
        match listener.accept().await {
            Ok((socket, _)) => return Some((socket, place)),
            Err(error) => {
                tracing::warn!(%error, "accepting a gateway's connection failed");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve(agent: Agent, identity: Option<Identity>, socket: TcpStream, _place: OwnedSemaphorePermit) {
    let activity = Activity::start();
    let stream = match timeout(agent.timings.hello, accept(socket, identity.as_ref(), activity.clone())).await
    {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::warn!(%error, "a gateway's connection broke before it stood"),
        Err(_) => return tracing::warn!("a gateway's connection broke off before TLS was agreed on"),
    };
    let failure = take(&agent, stream, activity).await;
    if let Some(failure) = failure {
        tracing::info!(reason = kubeplex_link::reason(&failure), "a gateway's link is over");
    }
}

/// What every request has to show.
#[derive(Clone)]
struct Guard {
    token: TokenHash,
    /// When it was last said that somebody showed another.
    said: Arc<Mutex<Option<Instant>>>,
}

impl Guard {
    /// A gateway comes again and again with it: it is said now and then.
    fn say_refused(&self) {
        let mut said = self.said.lock();
        if said.is_none_or(|said| said.elapsed() >= REFUSAL_SAID_EVERY) {
            *said = Some(Instant::now());
            tracing::error!(
                "somebody dials who shows another token than the one expected, or none: put the SHA-256 of the gateway's \
                 token into serve.token_sha256, or give the gateway the token that belongs there"
            );
        }
    }
}

async fn admit(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    if guard.token.is_shown(request.headers()) {
        return next.run(request).await;
    }
    guard.say_refused();
    let error = AgentError::new(
        AgentErrorCode::Forbidden,
        "the token is not the one that this agent expects",
    )
    .with_hint(
        "put its SHA-256 into the agent's configuration, or give the gateway the token that belongs there",
    );
    let mut reply = (StatusCode::UNAUTHORIZED, axum::Json(error)).into_response();
    reply.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    reply
}
