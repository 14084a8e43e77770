//! A bug costs the call that met it.

use std::panic::AssertUnwindSafe;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;

use super::body::Failure;
use super::bug::bug;

/// Answers a request whose handler panics.
pub(super) async fn contain(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => Failure::from(bug(&path, &*panic)).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::middleware::from_fn;
    use axum::routing::get;
    use kubeplex_proto::status::{AgentError, AgentErrorCode};
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
