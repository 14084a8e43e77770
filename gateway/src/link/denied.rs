//! Why an agent is not let in, as it is told so and as the log says it.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kubeplex_link::accept;
use kubeplex_proto::ids::ClusterId;

use super::said::{News, Said};
use crate::config::TokenHash;
use crate::serve::Peer;

/// Why an agent is not let in.
#[derive(Debug, thiserror::Error)]
pub(super) enum Denied {
    #[error("no token was shown; \"Authorization: Bearer <token>\" is wanted")]
    NoToken,
    #[error("the token is not one of this gateway's (its SHA-256 begins with {})", beginning(.0))]
    UnknownToken(TokenHash),
    #[error("the token is the cluster {0}'s, which this gateway does not expect (any more)")]
    NotExpected(ClusterId),
    #[error(transparent)]
    NotAWebSocket(#[from] accept::NotAWebSocket),
    #[error("too many agents are arriving at once")]
    Crowded,
    #[error("this gateway is stopping")]
    Stopping,
}

/// Enough to find it beside others, and too little to guess a token by.
fn beginning(hash: &TokenHash) -> String {
    hash.to_string().chars().take(8).collect()
}

impl Denied {
    fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NoToken | Self::UnknownToken(_) => (StatusCode::UNAUTHORIZED, "unauthenticated"),
            Self::NotExpected(_) => (StatusCode::FORBIDDEN, "forbidden"),
            Self::NotAWebSocket(_) => (StatusCode::UPGRADE_REQUIRED, "invalid_argument"),
            Self::Crowded => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
            Self::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoToken => {
                Some("name the cluster's token in the agent's configuration (gateway.token_file)")
            }
            Self::UnknownToken(_) => Some(
                "put the token's SHA-256 beside the cluster's name in the gateway's configuration (token_sha256), or give the \
                 agent the token that belongs there",
            ),
            Self::NotExpected(_) => Some("add the cluster to the gateway's configuration"),
            Self::NotAWebSocket(_) | Self::Crowded | Self::Stopping => None,
        }
    }

    /// Logged once an hour for each address and reason; what passes by itself, once for all.
    pub(super) fn log(&self, said: &Said, peer: Option<Peer>) {
        let address = peer.map_or_else(|| "an unknown address".to_owned(), |peer| peer.0.ip().to_string());
        let passes = matches!(self, Self::Crowded | Self::Stopping);
        let (whom, reason) = (if passes { "" } else { &address }, self.to_string());
        match said.of(whom, &reason) {
            News::Say => tracing::warn!(
                peer = address,
                reason,
                remedy = self.hint(),
                "an agent was not let in; the same is not said again within the hour"
            ),
            News::SayThatThereAreMore => tracing::warn!(
                "more agents are not let in than the log has room for: kubeplex_gateway_agents_denied_total counts them"
            ),
            News::Known => tracing::debug!(peer = address, reason, "an agent was not let in"),
        }
    }

    /// Says when to come again where that can help.
    pub(super) fn reply(self, retry_after: Duration) -> Response {
        let (status, code) = self.status();
        let mut body = serde_json::json!({ "code": code, "message": self.to_string() });
        if let Some(hint) = self.hint() {
            body["hint"] = hint.into();
        }
        let mut reply = (status, axum::Json(body)).into_response();
        let headers = reply.headers_mut();
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::UPGRADE_REQUIRED => {
                headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers
                    .insert(header::RETRY_AFTER, HeaderValue::from(retry_after.as_secs_f64().ceil() as u64));
            }
            _ => {}
        }
        reply
    }
}
