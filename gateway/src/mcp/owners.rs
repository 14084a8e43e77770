//! Whose a session is: the principal's who opened it. For anybody else it is one that there is not.
//!
//! What a session says is each request's own: its caller, and so its reach, are found anew every time.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue};
use rmcp::transport::streamable_http_server::SessionId;

use super::sessions::BoundedSessions;
use crate::identify::Caller;

pub(super) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// No session has it, so the library answers to it as to any that it does not know.
const NO_SESSION: HeaderValue = HeaderValue::from_static("none");

/// The middleware.
pub(super) async fn check(
    State(sessions): State<Arc<BoundedSessions>>,
    mut request: Request,
    next: Next,
) -> Response {
    let owner = request.extensions().get::<Caller>().map(|caller| caller.user().to_owned());
    if let Some(asked) = session(request.headers())
        && !owner.as_ref().is_some_and(|owner| sessions.is_owned(&asked, owner))
    {
        request.headers_mut().insert(SESSION, NO_SESSION);
    }
    let response = next.run(request).await;
    // Nobody else has heard of a new session before this response is out.
    if let (Some(opened), Some(owner)) = (session(response.headers()), owner) {
        sessions.give(&opened, owner);
    }
    response
}

fn session(headers: &HeaderMap) -> Option<SessionId> {
    headers.get(SESSION).map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned().into())
}
