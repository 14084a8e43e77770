//! An answer on its way out: status, headers as a real server sends them, body, and the faults that touch them.

use axum::body::Body;
use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use jiff::SignedDuration;
use serde_json::Value;

use super::body::{Cut, SimBody, Source};
use crate::clock::http_date;
use crate::cluster::Shared;
use crate::faults::FaultAction;
use crate::stats::CallGuard;
use crate::status::ApiError;

const JSON: &str = "application/json";
const NOT_JSON: &[u8] = b"\x1f\x8b\x00\xff{\"kind\":\xfe]]not json\n";

/// An answer before headers and faults.
pub(crate) struct Reply {
    status: u16,
    content_type: String,
    source: Source,
    headers: Vec<(HeaderName, String)>,
}

impl Reply {
    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self::bytes(status, JSON, value.to_string().into_bytes())
    }

    pub(crate) fn bytes(status: u16, content_type: &str, bytes: impl Into<Bytes>) -> Self {
        let source = Source::Whole(Some(bytes.into()));
        Self { status, content_type: content_type.into(), source, headers: Vec::new() }
    }

    pub(crate) fn stream(stream: futures::stream::BoxStream<'static, Bytes>) -> Self {
        Self { status: 200, content_type: JSON.into(), source: Source::Stream(stream), headers: Vec::new() }
    }

    /// An answer without a body, and so without a content type: caches put the headers of a 304 over those they kept.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, content_type: String::new(), source: Source::Whole(None), headers: Vec::new() }
    }

    pub(crate) fn error(error: &ApiError) -> Self {
        if error.is_plain() {
            let text = format!("{}\n", error.message());
            return Self::bytes(error.code, "text/plain; charset=utf-8", text)
                .with(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        }
        let reply = Self::json(error.code, &error.status());
        match error.retry_after_seconds() {
            Some(seconds) => reply.with(header::RETRY_AFTER, &seconds.to_string()),
            None => reply,
        }
    }

    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn into_response(
        mut self,
        shared: &Shared,
        guard: CallGuard,
        finish: Finish,
    ) -> Response<Body> {
        guard.status(self.status);
        if finish.garbage {
            self.source = garbled(self.source);
        }
        let mut response = Response::new(Body::new(SimBody::new(self.source, finish.cut, guard)));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let date = http_date(shared.clock().now() + finish.date_skew);
        let fixed = [
            (HeaderName::from_static("audit-id"), shared.next_audit_id()),
            (header::CACHE_CONTROL, "no-cache, private".to_owned()),
            (header::CONTENT_TYPE, self.content_type),
            (header::DATE, date),
        ];
        let given = fixed.into_iter().chain(self.headers).filter(|(_, value)| !value.is_empty());
        for (name, value) in given {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// A whole body becomes garbage; a stream begins with a line of it.
fn garbled(source: Source) -> Source {
    let garbage = Bytes::from_static(NOT_JSON);
    match source {
        Source::Whole(_) => Source::Whole(Some(garbage)),
        Source::Stream(stream) => {
            Source::Stream(futures::stream::once(async move { garbage }).chain(stream).boxed())
        }
    }
}

/// Faults that touch an answer as it leaves.
#[derive(Clone, Copy, Default)]
pub(crate) struct Finish {
    cut: Option<Cut>,
    date_skew: SignedDuration,
    garbage: bool,
}

impl Finish {
    /// Takes in one fault; those that refuse the request are returned as the refusal.
    pub(crate) fn take(&mut self, action: FaultAction) -> Option<ApiError> {
        match action {
            FaultAction::TooManyRequests { retry_after_seconds } => {
                return Some(ApiError::too_many_requests(retry_after_seconds));
            }
            FaultAction::Status { code, message } => return Some(ApiError::other(code, &message)),
            FaultAction::Expired => return Some(ApiError::list_too_old()),
            FaultAction::Truncate { after_bytes, end } => {
                self.cut = Some(Cut { remaining: after_bytes, end });
            }
            FaultAction::Garbage => self.garbage = true,
            FaultAction::DateSkew(skew) => self.date_skew = skew,
            FaultAction::Latency(_) | FaultAction::Hang | FaultAction::Reset => {}
            FaultAction::Freeze { .. }
            | FaultAction::Stall
            | FaultAction::Duplicate { .. }
            | FaultAction::Delay { .. } => {}
        }
        None
    }
}
