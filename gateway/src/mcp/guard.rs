//! What a request must be before anything parses it: small, shallow, sent in time, and with room for the session that it
//! would open.

mod denied;
mod envelope;

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, Method, header};
use http_body::Body as _;
use http_body_util::LengthLimitError;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::sessions::{BoundedSessions, Opening, Share};
use crate::identify::Caller;
use crate::limits::{JSON_DEPTH, Limits};
use crate::telemetry::Telemetry;
use crate::throttle::Throttle;
use denied::{Denied, GuardMetrics};
use envelope::{Envelope, depth};

pub(super) struct Guard {
    request_bytes: usize,
    request_body: Duration,
    sessions: Arc<BoundedSessions>,
    throttle: Throttle,
    exchanges: TaskTracker,
    metrics: GuardMetrics,
}

/// A request that was read whole.
pub(super) struct LetIn {
    pub(super) request: Request,
    /// Holds its room until the session is there and its owner known, which is before the answer is.
    pub(super) opening: Option<Opening>,
    /// To be held until the answer is out.
    pub(super) exchange: Option<TaskTrackerToken>,
}

impl Guard {
    pub(super) fn new(
        limits: &Limits,
        sessions: Arc<BoundedSessions>,
        throttle: Throttle,
        exchanges: TaskTracker,
        telemetry: &Telemetry,
    ) -> Self {
        let metrics = GuardMetrics::new(telemetry);
        let Limits { request_bytes, request_body, .. } = *limits;
        Self { request_bytes, request_body, sessions, throttle, exchanges, metrics }
    }

    /// Lets a request in.
    ///
    /// # Errors
    /// The answer to one that can't be.
    pub(super) async fn enter(&self, request: Request) -> Result<LetIn, Response> {
        // A GET is a stream without an end; nobody waits for that.
        let exchange = (request.method() == Method::POST).then(|| self.exchanges.token());
        match self.admit(request).await {
            Ok((request, opening)) => Ok(LetIn { request, opening, exchange }),
            Err(denied) => {
                tracing::info!(reason = %denied, "a request was not let in");
                self.metrics.denied(&denied);
                Err(denied.into_response())
            }
        }
    }

    /// The request, read whole, with room for the session that it would open.
    async fn admit(&self, request: Request) -> Result<(Request, Option<Opening>), Denied> {
        stand_once(request.headers())?;
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

/// Who reads the first and who reads the last of two would not agree on where a request goes, and from where it comes.
fn stand_once(headers: &HeaderMap) -> Result<(), Denied> {
    let twice = |name| headers.get_all(name).iter().nth(1).is_some();
    match () {
        () if twice(header::HOST) => Err(Denied::HeaderTwice("Host")),
        () if twice(header::ORIGIN) => Err(Denied::HeaderTwice("Origin")),
        () => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use super::*;

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

    #[tokio::test]
    async fn a_header_that_decides_stands_once() {
        let guard = guard(&Limits::default());
        for (name, said) in [(header::HOST, "Host twice"), (header::ORIGIN, "Origin twice")] {
            for method in [Method::GET, Method::POST] {
                let request = |values: &[&str]| {
                    let body = Body::from(r#"{"jsonrpc":"2.0","method":"ping"}"#);
                    let mut request = Request::builder().method(&method).uri("/mcp");
                    for value in values {
                        request = request.header(&name, *value);
                    }
                    request.body(body).unwrap()
                };
                assert!(guard.admit(request(&["localhost"])).await.is_ok());
                let told = guard.admit(request(&["localhost", "evil.example.com"])).await.err().unwrap();
                assert!(told.to_string().contains(said), "{told}");
                assert_eq!(told.into_response().status(), http::StatusCode::BAD_REQUEST);
            }
        }
    }
}
