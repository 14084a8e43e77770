//! The listener for health and metrics: the same three routes in every program, and who may ask.

use std::net::IpAddr;

use axum::Router;
use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get};

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Whoever addresses the listener as this machine.
    ThisMachine,
    /// Whoever can reach it, under any name: a kubelet probes a pod by its address.
    Network,
}

/// `/healthz`, which says that the process lives, `/readyz` and `/metrics`.
pub fn router<S>(ready: MethodRouter<S>, metrics: MethodRouter<S>, state: S, audience: Audience) -> Router
where
    S: Clone + Send + Sync + 'static,
{
    let routes = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", ready)
        .route("/metrics", metrics)
        .with_state(state);
    match audience {
        Audience::ThisMachine => routes.layer(middleware::from_fn(only_this_machine)),
        Audience::Network => routes,
    }
}

/// A page in this machine's browser can reach the listener under a name of its own (DNS rebinding); it shall read nothing.
async fn only_this_machine(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(Authority::as_str)).unwrap_or_default();
    if is_loopback(host) {
        return next.run(request).await;
    }
    (StatusCode::FORBIDDEN, "this listener is addressed as localhost, 127.0.0.1 or [::1]\n").into_response()
}

fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tower::ServiceExt as _;

    use super::*;

    #[test]
    fn only_names_of_this_machine_are_taken() {
        for (host, expected) in [
            ("127.0.0.1:7576", true),
            ("localhost:7576", true),
            ("LOCALHOST", true),
            ("[::1]:7576", true),
            ("127.0.0.1.evil.example.com:7576", false),
            ("localhost.evil.example.com", false),
            ("10.0.0.7:7576", false),
            ("", false),
        ] {
            assert_eq!(is_loopback(host), expected, "{host}");
        }
    }

    #[tokio::test]
    async fn no_route_is_beside_the_guard() {
        let app = |audience| router(get(|| async { "ready" }), get(|| async { "metrics" }), (), audience);
        for path in ["/healthz", "/readyz", "/metrics"] {
            for (audience, host, wanted) in [
                (Audience::ThisMachine, "localhost:1", StatusCode::OK),
                (Audience::ThisMachine, "rebound.example.com", StatusCode::FORBIDDEN),
                (Audience::Network, "10.0.0.7:7576", StatusCode::OK),
            ] {
                let request = Request::builder().uri(path).header(header::HOST, host);
                let answer = app(audience).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
                assert_eq!(answer.status(), wanted, "{path} of {host} for {audience:?}");
            }
        }
    }
}
