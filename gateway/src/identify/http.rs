//! At the door: a request of somebody goes on as theirs, one of nobody is told what is missing.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Caller;
use super::callers::{Callers, Unidentified};
use crate::error::ErrorCode;

/// Puts the [`Caller`] into the request's extensions.
///
/// # Errors
/// Who is nobody gets 401.
pub(crate) fn require(callers: &Callers, request: &mut Request) -> Result<Caller, Unidentified> {
    let caller = callers
        .identify(request.headers())
        .inspect_err(|reason| tracing::info!(%reason, "a request was nobody's"))?;
    request.extensions_mut().insert(caller.clone());
    Ok(caller)
}

impl Unidentified {
    fn hint(self) -> &'static str {
        match self {
            Self::NoToken => {
                "put the token that you were given into your client's configuration; `kubeplex call` takes it with \
                 --token-file or KUBEPLEX_TOKEN"
            }
            Self::UnknownToken => {
                "it was mistyped, or taken back; whoever runs the gateway makes another with `kubeplex token create` and \
                 adds its section to the gateway's configuration"
            }
        }
    }

    /// As RFC 6750 has it: a client that showed nothing is told no error.
    fn challenge(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::NoToken => "Bearer",
            Self::UnknownToken => "Bearer error=\"invalid_token\"",
        })
    }
}

impl IntoResponse for Unidentified {
    fn into_response(self) -> Response {
        let code = ErrorCode::Unauthenticated.as_str();
        let body = json!({ "code": code, "message": self.to_string(), "hint": self.hint() });
        let challenge = [(header::WWW_AUTHENTICATE, self.challenge())];
        (StatusCode::UNAUTHORIZED, challenge, Json(body)).into_response()
    }
}
