//! Whose a session is: the principal's who opened it. For anybody else it is one that there is not.
//!
//! What a session says is each request's own: its caller, and so its reach, are found anew every time.

use axum::extract::Request;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue};
use rmcp::transport::streamable_http_server::SessionId;

use super::sessions::BoundedSessions;
use crate::identify::Caller;

pub(super) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// No session has it, so the library answers to it as to any that it does not know.
const NO_SESSION: HeaderValue = HeaderValue::from_static("none");

/// Hides the session of a request that is not its caller's.
pub(super) fn hide_others(sessions: &BoundedSessions, request: &mut Request, caller: &Caller) {
    if let Some(asked) = session(request.headers())
        && !sessions.is_owned(&asked, caller.user())
    {
        request.headers_mut().insert(SESSION, NO_SESSION);
    }
}

/// Gives a session that was opened to its caller. Nobody else has heard of it before this response is out.
pub(super) fn give_opened(sessions: &BoundedSessions, response: &Response, caller: &Caller) {
    if let Some(opened) = session(response.headers()) {
        sessions.give(&opened, caller.user().to_owned());
    }
}

fn session(headers: &HeaderMap) -> Option<SessionId> {
    headers.get(SESSION).map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned().into())
}
