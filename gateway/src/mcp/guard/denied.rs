//! Why requests go no further, as their senders and the metrics hear of it.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use metrics::Counter;
use serde_json::json;

use crate::limits::{JSON_DEPTH, SESSION_RETRY_AFTER_S};
use crate::mcp::sessions::NoRoom;
use crate::telemetry::Telemetry;
use crate::throttle::seconds;

/// JSON-RPC's codes for a request that is not one, and for one that is not even JSON.
const INVALID_REQUEST: i32 = -32_600;
const PARSE_ERROR: i32 = -32_700;

/// Why a request goes no further.
#[derive(Debug, thiserror::Error)]
pub(super) enum Denied {
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
    #[error("the request has {0} twice, and nobody knows which counts")]
    HeaderTwice(&'static str),
    #[error("the key {0:?} stands twice in one object of the request, and nobody knows which counts")]
    KeyTwice(String),
    #[error("the request is no JSON-RPC message: {0}")]
    NotJsonRpc(&'static str),
    #[error("{0}; end one (DELETE) or use protocol 2026-07-28, which needs none")]
    NoSession(NoRoom),
    #[error("sessions are opened too often; keep one, or use protocol 2026-07-28, which needs none")]
    TooOften(Duration),
}

/// Requests that went no further, by reason.
pub(super) struct GuardMetrics {
    too_large: Counter,
    broken: Counter,
    too_slow: Counter,
    too_deep: Counter,
    ambiguous: Counter,
    not_json: Counter,
    not_json_rpc: Counter,
    no_session: Counter,
    too_often: Counter,
}

impl GuardMetrics {
    pub(super) fn new(telemetry: &Telemetry) -> Self {
        let counter =
            |reason| metrics::counter!("kubeplex_gateway_requests_denied_total", "reason" => reason);
        telemetry.register(|| Self {
            too_large: counter("too_large"),
            broken: counter("broken"),
            too_slow: counter("too_slow"),
            too_deep: counter("too_deep"),
            ambiguous: counter("ambiguous"),
            not_json: counter("not_json"),
            not_json_rpc: counter("not_json_rpc"),
            no_session: counter("no_session"),
            too_often: counter("too_often"),
        })
    }

    pub(super) fn denied(&self, denied: &Denied) {
        let counter = match denied {
            Denied::TooLarge(_) => &self.too_large,
            Denied::Broken => &self.broken,
            Denied::TooSlow(_) => &self.too_slow,
            Denied::TooDeep => &self.too_deep,
            Denied::HeaderTwice(_) | Denied::KeyTwice(_) => &self.ambiguous,
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
            Self::Broken | Self::TooDeep | Self::HeaderTwice(_) | Self::KeyTwice(_) => {
                (StatusCode::BAD_REQUEST, INVALID_REQUEST)
            }
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
