//! A bug costs the call that met it.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use kubeplex_proto::status::{AgentError, AgentErrorCode};

use super::body::Failure;

/// Answers a request whose handler panics.
pub(super) async fn contain(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => Failure::from(bug(&path, &*panic)).into_response(),
    }
}

/// The answer to a request that met a bug; what was met goes into the log.
pub(super) fn bug(place: &str, panic: &(dyn Any + Send)) -> AgentError {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)");
    tracing::error!(place, panic = message, "a request met a bug in the agent");
    AgentError::new(AgentErrorCode::Internal, "the agent met a bug over this request; its log says more")
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::middleware::from_fn;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_panicking_handler_is_answered_for() {
        async fn fails() -> &'static str {
            panic!("something from the inside")
        }
        let router = Router::new().route("/", get(fails)).layer(from_fn(contain));
        let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), 500);
        let body = to_bytes(response.into_body(), 1_000).await.unwrap();
        let error: AgentError = serde_json::from_slice(&body).unwrap();
        assert_eq!(error.code, AgentErrorCode::Internal);
        assert!(!error.message.contains("something"), "the inside stays inside: {error}");
    }
}
