//! What a request must be before anything parses it: small, shallow, sent in time, and with room for the session that it
//! would open.

use std::borrow::Cow;
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use http_body::Body as _;
use http_body_util::LengthLimitError;
use metrics::Counter;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::json;
use serde_json::value::RawValue;
use tokio_util::task::TaskTracker;

use super::sessions::{BoundedSessions, NoRoom, Opening, Share};
use crate::held::until_sent;
use crate::identify::Caller;
use crate::limits::{JSON_DEPTH, Limits, SESSION_RETRY_AFTER_S};
use crate::telemetry::Telemetry;
use crate::throttle::{Throttle, seconds};

/// JSON-RPC's codes for a request that is not one, and for one that is not even JSON.
const INVALID_REQUEST: i32 = -32_600;
const PARSE_ERROR: i32 = -32_700;

#[derive(Clone)]
pub(super) struct Guard {
    request_bytes: usize,
    request_body: Duration,
    sessions: Arc<BoundedSessions>,
    throttle: Throttle,
    exchanges: TaskTracker,
    metrics: Arc<GuardMetrics>,
}

/// Why a request goes no further.
#[derive(Debug, thiserror::Error)]
enum Denied {
    #[error("the request is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the request broke off before its end, or was not framed as HTTP wants it")]
    Broken,
    #[error("the request did not arrive within {} s", .0.as_secs())]
    TooSlow(Duration),
    #[error("the request nests deeper than {JSON_DEPTH} levels")]
    TooDeep,
    #[error("the request is not JSON: {0}")]
    NotJson(serde_json::Error),
    #[error("the request is no JSON-RPC message: {0}")]
    NotJsonRpc(&'static str),
    #[error("{0}; end one (DELETE) or use protocol 2026-07-28, which needs none")]
    NoSession(NoRoom),
    #[error("sessions are opened too often; keep one, or use protocol 2026-07-28, which needs none")]
    TooOften(Duration),
}

impl Guard {
    pub(super) fn new(
        limits: &Limits,
        sessions: Arc<BoundedSessions>,
        throttle: Throttle,
        exchanges: TaskTracker,
        telemetry: &Telemetry,
    ) -> Self {
        let metrics = Arc::new(GuardMetrics::new(telemetry));
        let Limits { request_bytes, request_body, .. } = *limits;
        Self { request_bytes, request_body, sessions, throttle, exchanges, metrics }
    }

    /// The request, read whole, with room for the session that it would open.
    async fn admit(&self, request: Request) -> Result<(Request, Option<Opening>), Denied> {
        if request.method() != Method::POST {
            return Ok((request, None));
        }
        let (head, body) = request.into_parts();
        let body = self.read(body).await?;
        if depth(&body) > JSON_DEPTH {
            return Err(Denied::TooDeep);
        }
        let message = Envelope::read(&body)?;
        let opening = match head.extensions.get::<Caller>() {
            Some(caller) if message.opens_session(&head.headers) => Some(self.open(caller).await?),
            _ => None,
        };
        Ok((Request::from_parts(head, Body::from(body)), opening))
    }

    /// What is announced as too large is refused before any of it is read.
    async fn read(&self, body: Body) -> Result<Bytes, Denied> {
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if announced > self.request_bytes {
            return Err(Denied::TooLarge(self.request_bytes));
        }
        let reading = to_bytes(body, self.request_bytes);
        let read = tokio::time::timeout(self.request_body, reading).await;
        let read = read.map_err(|_| Denied::TooSlow(self.request_body))?;
        read.map_err(|error| match error.source() {
            Some(source) if source.is::<LengthLimitError>() => Denied::TooLarge(self.request_bytes),
            _ => Denied::Broken,
        })
    }

    async fn open(&self, caller: &Caller) -> Result<Opening, Denied> {
        let user = caller.user().to_owned();
        self.throttle.open_session(caller).map_err(Denied::TooOften)?;
        let share = if self.throttle.limits(caller) { Share::OfOne } else { Share::All };
        self.sessions.open(user, share).await.map_err(Denied::NoSession)
    }
}

/// The middleware.
pub(super) async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    // A GET is a stream without an end; nobody waits for that.
    let exchange = (request.method() == Method::POST).then(|| guard.exchanges.token());
    match guard.admit(request).await {
        // The opening holds its room until the session is there and its owner known, which is before the answer is.
        Ok((request, _opening)) => until_sent(next.run(request).await, exchange),
        Err(denied) => {
            tracing::info!(reason = %denied, "a request was not let in");
            guard.metrics.denied(&denied);
            denied.into_response()
        }
    }
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

/// What every message of the protocol says first.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    jsonrpc: Option<Cow<'a, str>>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// The library says of these no more than that it can't read them, and not as the protocol would.
    fn read(body: &'a [u8]) -> Result<Self, Denied> {
        let text = std::str::from_utf8(body).map_err(|_| Denied::NotJsonRpc("it is not UTF-8"))?;
        let envelope: Self = serde_json::from_str(text).map_err(|error| {
            let kind = serde_json::from_str::<IgnoredAny>(text);
            match (kind, text.trim_start().starts_with('[')) {
                (Err(error), _) => Denied::NotJson(error),
                (Ok(_), true) => {
                    Denied::NotJsonRpc("the protocol has no batches; send one message at a time")
                }
                (Ok(_), false) if error.is_data() && text.trim_start().starts_with('{') => {
                    Denied::NotJsonRpc("jsonrpc and method are strings")
                }
                (Ok(_), false) => Denied::NotJsonRpc("an object is wanted"),
            }
        })?;
        if envelope.jsonrpc.as_deref() != Some("2.0") {
            return Err(Denied::NotJsonRpc("jsonrpc must be \"2.0\""));
        }
        if !envelope.id.is_none_or(can_be_answered) {
            return Err(Denied::NotJsonRpc("id must be a string or an integer of 64 bits"));
        }
        Ok(envelope)
    }

    fn opens_session(&self, headers: &HeaderMap) -> bool {
        !headers.contains_key("mcp-session-id") && self.method.as_deref() == Some("initialize")
    }
}

/// A `null` is there as well: it must not pass for a notification.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

fn can_be_answered(id: &RawValue) -> bool {
    id.get().starts_with('"') || id.get().parse::<i64>().is_ok()
}

/// Requests that went no further, by reason.
struct GuardMetrics {
    too_large: Counter,
    broken: Counter,
    too_slow: Counter,
    too_deep: Counter,
    not_json: Counter,
    not_json_rpc: Counter,
    no_session: Counter,
    too_often: Counter,
}

impl GuardMetrics {
    fn new(telemetry: &Telemetry) -> Self {
        let counter =
            |reason| metrics::counter!("kubeplex_gateway_requests_denied_total", "reason" => reason);
        telemetry.register(|| Self {
            too_large: counter("too_large"),
            broken: counter("broken"),
            too_slow: counter("too_slow"),
            too_deep: counter("too_deep"),
            not_json: counter("not_json"),
            not_json_rpc: counter("not_json_rpc"),
            no_session: counter("no_session"),
            too_often: counter("too_often"),
        })
    }

    fn denied(&self, denied: &Denied) {
        let counter = match denied {
            Denied::TooLarge(_) => &self.too_large,
            Denied::Broken => &self.broken,
            Denied::TooSlow(_) => &self.too_slow,
            Denied::TooDeep => &self.too_deep,
            Denied::NotJson(_) => &self.not_json,
            Denied::NotJsonRpc(_) => &self.not_json_rpc,
            Denied::NoSession(_) => &self.no_session,
            Denied::TooOften(_) => &self.too_often,
        };
        counter.increment(1);
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let (status, code) = match self {
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, INVALID_REQUEST),
            Self::TooSlow(_) => (StatusCode::REQUEST_TIMEOUT, INVALID_REQUEST),
            Self::Broken | Self::TooDeep => (StatusCode::BAD_REQUEST, INVALID_REQUEST),
            Self::NotJson(_) => (StatusCode::BAD_REQUEST, PARSE_ERROR),
            Self::NotJsonRpc(_) => (StatusCode::BAD_REQUEST, INVALID_REQUEST),
            Self::NoSession(NoRoom::All(_)) => (StatusCode::SERVICE_UNAVAILABLE, INVALID_REQUEST),
            Self::NoSession(NoRoom::OfCaller(_)) | Self::TooOften(_) => {
                (StatusCode::TOO_MANY_REQUESTS, INVALID_REQUEST)
            }
        };
        let error = json!({"code": code, "message": self.to_string()});
        let mut response =
            (status, axum::Json(json!({"jsonrpc": "2.0", "id": null, "error": error}))).into_response();
        let wait_s = match self {
            Self::NoSession(_) => Some(SESSION_RETRY_AFTER_S),
            Self::TooOften(wait) => Some(seconds(wait)),
            _ => None,
        };
        if let Some(wait_s) = wait_s {
            response.headers_mut().insert(header::RETRY_AFTER, wait_s.into());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

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
        let throttle = Throttle::new(limits, &telemetry);
        Guard::new(limits, sessions, throttle, TaskTracker::new(), &telemetry)
    }

    fn post(body: Body) -> Request {
        Request::post("/mcp").body(body).unwrap()
    }

    /// Announces so many bytes, and sends none.
    struct Announced(u64);

    impl http_body::Body for Announced {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
            Poll::Pending
        }

        fn size_hint(&self) -> http_body::SizeHint {
            http_body::SizeHint::with_exact(self.0)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_too_slowly_or_too_much_is_cut_off() {
        let guard = guard(&Limits { request_bytes: 100, ..Limits::default() });
        let trickle = futures::stream::pending::<Result<Bytes, std::io::Error>>();
        assert!(matches!(guard.admit(post(Body::from_stream(trickle))).await, Err(Denied::TooSlow(_))));
        let flood = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(b"[[[[")));
        assert!(matches!(guard.admit(post(Body::from_stream(flood))).await, Err(Denied::TooLarge(100))));
        let announced = post(Body::new(Announced(1 << 40)));
        assert!(matches!(guard.admit(announced).await, Err(Denied::TooLarge(100))));
        let broken = futures::stream::iter([Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("cut"))]);
        assert!(matches!(guard.admit(post(Body::from_stream(broken))).await, Err(Denied::Broken)));
        assert!(matches!(guard.admit(post(Body::from("{"))).await, Err(Denied::NotJson(_))));
        assert!(guard.admit(post(Body::from(r#"{"jsonrpc":"2.0","method":"ping"}"#))).await.is_ok());
    }

    #[test]
    fn a_message_is_an_object_of_the_protocol_with_an_id_that_can_be_answered() {
        for (body, problem) in [
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, None),
            (r#" {"jsonrpc":"2.0","id":"x","result":{}}"#, None),
            (r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, None),
            (r#"{"jsonrpc":"2.0","id":-9223372036854775808,"method":"ping"}"#, None),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, Some("batches")),
            ("[]", Some("batches")),
            ("null", Some("an object is wanted")),
            (r#""hi""#, Some("an object is wanted")),
            ("{}", Some("jsonrpc must be")),
            (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, Some("jsonrpc must be")),
            (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, Some("are strings")),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, Some("id must be")),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, Some("id must be")),
            (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, Some("id must be")),
            (r#"{"jsonrpc":"2.0","id":99999999999999999999,"method":"ping"}"#, Some("id must be")),
            ("{\"jsonrpc\":", Some("not JSON")),
        ] {
            let refused = Envelope::read(body.as_bytes()).err().map(|denied| denied.to_string());
            match problem {
                None => assert_eq!(refused, None, "{body}"),
                Some(part) => {
                    assert!(refused.as_ref().is_some_and(|told| told.contains(part)), "{body}: {refused:?}");
                }
            }
        }
        assert!(matches!(Envelope::read(b"{\"jsonrpc\":\"\xff\"}"), Err(Denied::NotJsonRpc(_))));
    }

    #[test]
    fn only_an_initialize_without_a_session_opens_one() {
        let initialize = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#;
        let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
        let opens = |body: &str, headers: &HeaderMap| {
            Envelope::read(body.as_bytes()).is_ok_and(|message| message.opens_session(headers))
        };
        assert!(opens(initialize, &HeaderMap::new()));
        assert!(!opens(list, &HeaderMap::new()));
        let in_session = HeaderMap::from_iter([(
            http::HeaderName::from_static("mcp-session-id"),
            http::HeaderValue::from_static("x"),
        )]);
        assert!(!opens(initialize, &in_session));
    }
}
