//! What a request must be before anything parses it: small, shallow, sent in time, and with room for the session that it
//! would open.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::BodyExt as _;
use metrics::Counter;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::sessions::BoundedSessions;
use crate::limits::{BODY_TIMEOUT, JSON_DEPTH, Limits, SESSION_RETRY_AFTER_S};
use crate::telemetry::Telemetry;

/// JSON-RPC's codes for a request that is not one, and for one that is not even JSON.
const INVALID_REQUEST: i32 = -32_600;
const PARSE_ERROR: i32 = -32_700;

#[derive(Clone)]
pub(super) struct Guard {
    request_bytes: usize,
    sessions: Arc<BoundedSessions>,
    exchanges: TaskTracker,
    metrics: Arc<GuardMetrics>,
}

/// Why a request goes no further.
#[derive(Debug, thiserror::Error)]
enum Denied {
    #[error("the request is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the request did not arrive within {} s", BODY_TIMEOUT.as_secs())]
    TooSlow,
    #[error("the request nests deeper than {JSON_DEPTH} levels")]
    TooDeep,
    #[error("the request is not JSON: {0}")]
    NotJson(serde_json::Error),
    #[error("all {0} sessions are in use; end one (DELETE) or use protocol 2026-07-28, which needs none")]
    NoSession(usize),
}

impl Guard {
    pub(super) fn new(
        limits: &Limits,
        sessions: Arc<BoundedSessions>,
        exchanges: TaskTracker,
        telemetry: &Telemetry,
    ) -> Self {
        let metrics = Arc::new(GuardMetrics::new(telemetry));
        Self { request_bytes: limits.request_bytes, sessions, exchanges, metrics }
    }

    async fn admit(&self, request: Request) -> Result<Request, Denied> {
        if request.method() != Method::POST {
            return Ok(request);
        }
        let (head, body) = request.into_parts();
        let reading = to_bytes(body, self.request_bytes);
        let body = tokio::time::timeout(BODY_TIMEOUT, reading).await.map_err(|_| Denied::TooSlow)?;
        let body = body.map_err(|_| Denied::TooLarge(self.request_bytes))?;
        if depth(&body) > JSON_DEPTH {
            return Err(Denied::TooDeep);
        }
        serde_json::from_slice::<IgnoredAny>(&body).map_err(Denied::NotJson)?;
        if opens_session(&head.headers, &body) && !self.sessions.make_room().await {
            return Err(Denied::NoSession(self.sessions.limit()));
        }
        Ok(Request::from_parts(head, Body::from(body)))
    }
}

/// The middleware.
pub(super) async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    // A GET is a stream without an end; nobody waits for that.
    let exchange = (request.method() == Method::POST).then(|| guard.exchanges.token());
    match guard.admit(request).await {
        Ok(request) => until_sent(next.run(request).await, exchange),
        Err(denied) => {
            tracing::info!(reason = %denied, "a request was not let in");
            guard.metrics.denied(&denied);
            denied.into_response()
        }
    }
}

/// Keeps the exchange's token for as long as there is something left to send.
fn until_sent(response: Response, exchange: Option<TaskTrackerToken>) -> Response {
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _kept = &exchange;
            frame
        }))
    })
}

/// The deepest nesting of arrays and objects. Text that is not JSON gets some number; the parser will say what is wrong.
fn depth(body: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn opens_session(headers: &HeaderMap, body: &Bytes) -> bool {
    #[derive(Deserialize)]
    struct Peek<'a> {
        #[serde(borrow)]
        method: Option<std::borrow::Cow<'a, str>>,
    }
    // Requests of the newer era name their method in a header, which spares them the second look.
    !headers.contains_key("mcp-session-id")
        && headers.get("mcp-method").is_none_or(|method| method == "initialize")
        && serde_json::from_slice::<Peek<'_>>(body)
            .is_ok_and(|peek| peek.method.as_deref() == Some("initialize"))
}

/// Requests that went no further, by reason.
struct GuardMetrics {
    too_large: Counter,
    too_slow: Counter,
    too_deep: Counter,
    not_json: Counter,
    no_session: Counter,
}

impl GuardMetrics {
    fn new(telemetry: &Telemetry) -> Self {
        let counter =
            |reason| metrics::counter!("kubeplex_gateway_requests_denied_total", "reason" => reason);
        telemetry.register(|| Self {
            too_large: counter("too_large"),
            too_slow: counter("too_slow"),
            too_deep: counter("too_deep"),
            not_json: counter("not_json"),
            no_session: counter("no_session"),
        })
    }

    fn denied(&self, denied: &Denied) {
        let counter = match denied {
            Denied::TooLarge(_) => &self.too_large,
            Denied::TooSlow => &self.too_slow,
            Denied::TooDeep => &self.too_deep,
            Denied::NotJson(_) => &self.not_json,
            Denied::NoSession(_) => &self.no_session,
        };
        counter.increment(1);
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let (status, code) = match self {
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, INVALID_REQUEST),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, INVALID_REQUEST),
            Self::TooDeep => (StatusCode::BAD_REQUEST, INVALID_REQUEST),
            Self::NotJson(_) => (StatusCode::BAD_REQUEST, PARSE_ERROR),
            Self::NoSession(_) => (StatusCode::SERVICE_UNAVAILABLE, INVALID_REQUEST),
        };
        let error = json!({"code": code, "message": self.to_string()});
        let mut response =
            (status, axum::Json(json!({"jsonrpc": "2.0", "id": null, "error": error}))).into_response();
        if matches!(self, Self::NoSession(_)) {
            response.headers_mut().insert(header::RETRY_AFTER, SESSION_RETRY_AFTER_S.into());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_counted_outside_of_strings() {
        for (text, expected) in [
            ("", 0),
            ("{}", 1),
            (r#"{"a":[[1],{"b":2}]}"#, 3),
            (r#"{"a":"[[[[{{{{"}"#, 1),
            (r#"{"a":"\"[["}"#, 1),
            (r#"{"a":"\\"}"#, 1),
            ("]]]][[", 2),
        ] {
            assert_eq!(depth(text.as_bytes()), expected, "{text}");
        }
    }

    fn guard(limits: &Limits) -> Guard {
        let telemetry = Telemetry::new();
        let sessions = Arc::new(BoundedSessions::new(limits, &telemetry));
        Guard::new(limits, sessions, TaskTracker::new(), &telemetry)
    }

    fn post(body: Body) -> Request {
        Request::post("/mcp").body(body).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_too_slowly_or_too_much_is_cut_off() {
        let guard = guard(&Limits { request_bytes: 100, ..Limits::default() });
        let trickle = futures::stream::pending::<Result<Bytes, std::io::Error>>();
        assert!(matches!(guard.admit(post(Body::from_stream(trickle))).await, Err(Denied::TooSlow)));
        let flood = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(b"[[[[")));
        assert!(matches!(guard.admit(post(Body::from_stream(flood))).await, Err(Denied::TooLarge(100))));
        assert!(matches!(guard.admit(post(Body::from("{"))).await, Err(Denied::NotJson(_))));
        assert!(guard.admit(post(Body::from("{}"))).await.is_ok());
    }

    #[test]
    fn only_a_legacy_initialize_opens_a_session() {
        let with = |header: Option<(&'static str, &'static str)>| {
            let mut headers = HeaderMap::new();
            if let Some((name, value)) = header {
                headers.insert(name, value.parse().unwrap());
            }
            headers
        };
        let initialize = Bytes::from_static(br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#);
        let list = Bytes::from_static(br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
        assert!(opens_session(&with(None), &initialize));
        assert!(!opens_session(&with(None), &list));
        assert!(opens_session(&with(Some(("mcp-method", "initialize"))), &initialize));
        assert!(!opens_session(&with(Some(("mcp-method", "tools/call"))), &initialize));
        assert!(!opens_session(&with(Some(("mcp-session-id", "x"))), &initialize));
    }
}
