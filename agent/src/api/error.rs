//! What can go wrong with a call, by what the caller does about it.

use std::fmt;
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, Response};
use kube::client::Body;
use kubeplex_proto::duration::waited;
use serde::Deserialize;

use super::body;
use crate::access::credentials::CredentialError;

/// A `Status` is some hundred bytes; a proxy's error page must not cost more either.
const STATUS_BYTES: usize = 64 * 1024;

/// A failed call.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The resourceVersion or continue token is not served any more, or lies in the server's future.
    #[error("the API server can't go on from there: {message}")]
    Expired {
        message: String,
        /// The version is higher than any the server knows: it was restored from a backup.
        from_the_future: bool,
    },
    #[error("forbidden: {message}")]
    Forbidden { message: String },
    #[error("the API server does not accept the agent's credentials: {message}")]
    Unauthorized { message: String },
    /// Of a path that no handler has nobody says it in a `Status`: `path` tells it from an object that there is not.
    #[error("not found: {message}")]
    NotFound { message: String, path: bool },
    /// 400, 406, 415, 422 and their like: asking again does not help. Status 0: the request was never sent.
    #[error("the API server refuses the request ({status}): {message}")]
    Invalid { status: u16, message: String },
    #[error("the API server is busy: {message}")]
    TooManyRequests { message: String, retry_after: Option<Duration> },
    #[error("the API server failed ({status}): {message}")]
    Server { status: u16, message: String, retry_after: Option<Duration> },
    #[error("the API server did not answer within {}", waited(*.after))]
    Timeout { after: Duration },
    #[error("the API server can't be reached")]
    Connect(#[source] Unreachable),
    /// There is nothing to show the server who is asking.
    #[error(transparent)]
    Credentials(CredentialError),
    /// The reply broke off.
    #[error("the reply of the API server broke off")]
    Broken(#[source] Unreachable),
    #[error("the reply of the API server ended in the middle of a line")]
    Truncated,
    #[error("the reply of the API server is longer than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the reply of the API server can't be read as {what}")]
    Decode {
        what: &'static str,
        #[source]
        source: serde_json::Error,
    },
}

/// What the layers below said: the cause at the bottom of them. Those in between say only that they pass it on ("error
/// sending request", "client error (Connect)").
#[derive(Debug)]
pub struct Unreachable(Box<dyn std::error::Error + Send + Sync>);

/// `metav1.Status`, as far as it is used.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Status {
    pub(crate) code: u16,
    pub(crate) reason: String,
    pub(crate) message: String,
    details: Option<StatusDetails>,
    /// Whether it stands in the place of one.
    #[serde(skip)]
    plain: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct StatusDetails {
    retry_after_seconds: Option<u64>,
    causes: Vec<StatusCause>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StatusCause {
    reason: String,
}

impl ApiError {
    /// Why a request did not get through.
    pub fn unreachable(source: kube::Error) -> Self {
        match source {
            kube::Error::Service(inner) => match inner.downcast::<CredentialError>() {
                Ok(error) => Self::Credentials(*error),
                Err(inner) => Self::Connect(Unreachable(inner)),
            },
            other => Self::Connect(Unreachable::from(other)),
        }
    }

    pub(super) fn broken(source: kube::Error) -> Self {
        Self::Broken(Unreachable::from(source))
    }

    /// Reads the reply's `Status`, or what a proxy wrote in its place.
    pub(super) async fn from_response(response: Response<Body>) -> Self {
        let code = response.status().as_u16();
        let header_wait = retry_after(response.headers());
        let body = body::read(response.into_body(), STATUS_BYTES).await.unwrap_or_default();
        let mut status: Status = serde_json::from_slice(&body).unwrap_or_else(|_| Status {
            message: String::from_utf8_lossy(&body[..body.len().min(200)]).trim().to_owned(),
            plain: true,
            ..Status::default()
        });
        // The line of the reply counts: an aggregated server may say something else inside.
        status.code = code;
        Self::from_status(status, header_wait)
    }

    /// What a `Status` means, from a reply or from the middle of a watch.
    pub(crate) fn from_status(status: Status, header_wait: Option<Duration>) -> Self {
        let details = status.details.unwrap_or_default();
        let retry_after = header_wait.or(details.retry_after_seconds.map(Duration::from_secs));
        let too_large_version = details.causes.iter().any(|cause| cause.reason == "ResourceVersionTooLarge")
            || status.message.contains("Too large resource version");
        let message = if status.message.is_empty() {
            format!("status {} {}", status.code, status.reason)
        } else {
            status.message
        };
        match (status.code, status.reason.as_str()) {
            _ if too_large_version => Self::Expired { message, from_the_future: true },
            (410, _) | (_, "Expired" | "Gone") => Self::Expired { message, from_the_future: false },
            (401, _) => Self::Unauthorized { message },
            (403, _) => Self::Forbidden { message },
            (404, _) => Self::NotFound { message, path: status.plain },
            (429, _) => Self::TooManyRequests { message, retry_after },
            (400..500, _) => Self::Invalid { status: status.code, message },
            (code, _) => Self::Server { status: code, message, retry_after },
        }
    }

    /// One word, for counting.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Expired { .. } => "expired",
            Self::Forbidden { .. } => "forbidden",
            Self::Unauthorized { .. } => "unauthorized",
            Self::NotFound { .. } => "not_found",
            Self::Invalid { .. } => "invalid",
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::Server { .. } => "server_error",
            Self::Timeout { .. } => "timeout",
            Self::Connect(_) => "unreachable",
            Self::Credentials(_) => "no_credentials",
            Self::Broken(_) | Self::Truncated => "broken",
            Self::TooLarge { .. } => "too_large",
            Self::Decode { .. } => "undecodable",
        }
    }

    /// How long the server asked us to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooManyRequests { retry_after, .. } | Self::Server { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl std::error::Error for Unreachable {}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let causes = std::iter::successors(Some(&*self.0 as &dyn std::error::Error), |cause| cause.source());
        let said = causes.map(ToString::to_string).filter(|text| !text.is_empty());
        f.write_str(said.last().as_deref().unwrap_or("no reason was given"))
    }
}

impl From<kube::Error> for Unreachable {
    /// The client's own wrapping says nothing that a person could use.
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Service(inner) => Self(inner),
            other => Self(Box::new(other)),
        }
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use kubeplex_link::reason;

    use super::*;

    fn of(json: &str) -> ApiError {
        ApiError::from_status(serde_json::from_str(json).unwrap(), None)
    }

    #[test]
    fn a_status_is_sorted_by_what_to_do_about_it() {
        type Is = fn(&ApiError) -> bool;
        let table: [(&str, Is); 9] = [
            (r#"{"code":410,"reason":"Expired","message":"too old resource version: 1 (9)"}"#, |error| {
                matches!(error, ApiError::Expired { from_the_future: false, .. })
            }),
            (
                r#"{"code":504,"reason":"Timeout","message":"Too large resource version: 9, current: 3"}"#,
                |error| matches!(error, ApiError::Expired { from_the_future: true, .. }),
            ),
            (
                r#"{"code":504,"reason":"Timeout","details":{"causes":[{"reason":"ResourceVersionTooLarge"}]}}"#,
                |error| matches!(error, ApiError::Expired { from_the_future: true, .. }),
            ),
            (r#"{"code":403,"message":"nodes is forbidden"}"#, |error| {
                matches!(error, ApiError::Forbidden { .. })
            }),
            (r#"{"code":401}"#, |error| matches!(error, ApiError::Unauthorized { .. })),
            (r#"{"code":404}"#, |error| matches!(error, ApiError::NotFound { .. })),
            (r#"{"code":422,"reason":"Invalid"}"#, |error| {
                matches!(error, ApiError::Invalid { status: 422, .. })
            }),
            (r#"{"code":429,"details":{"retryAfterSeconds":7}}"#, |error| {
                error.retry_after() == Some(Duration::from_secs(7))
            }),
            (r#"{"code":500}"#, |error| matches!(error, ApiError::Server { status: 500, .. })),
        ];
        for (json, expected) in table {
            assert!(expected(&of(json)), "{json} became {:?}", of(json));
        }
    }

    #[derive(Debug, thiserror::Error)]
    #[error("client error (Connect)")]
    struct Passes(#[source] std::io::Error);

    #[test]
    fn of_an_unreachable_server_the_cause_is_told() {
        let refused = std::io::Error::other("Connection refused");
        let error = ApiError::unreachable(kube::Error::Service(Box::new(Passes(refused))));
        assert_eq!(reason(&error), "the API server can't be reached: Connection refused");
    }

    #[test]
    fn causes_are_told_once() {
        let error = ApiError::Decode { what: "a list", source: serde_json::from_str::<u8>("x").unwrap_err() };
        assert_eq!(
            reason(&error),
            "the reply of the API server can't be read as a list: expected value at line 1 column 1"
        );
    }
}
