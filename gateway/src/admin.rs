//! Health and metrics, on a listener of their own.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, middleware};
use metrics::Gauge;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::fleet::{Fleet, LinkState};
use crate::pipeline::Pipeline;
use crate::registry::Registry;
use crate::telemetry::Telemetry;

/// What the endpoints look at.
#[derive(Clone)]
pub(crate) struct Admin {
    registry: Registry,
    pipeline: Arc<Pipeline>,
    telemetry: Telemetry,
    gauges: Arc<Gauges>,
    stop: CancellationToken,
}

/// The body of `/readyz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Readiness {
    ready: bool,
    links: Links,
}

/// The links there are, beside the links there should be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
struct Links {
    expected: usize,
    connected: usize,
    suspect: usize,
    lost: usize,
    never: usize,
}

struct Gauges {
    calls: Gauge,
    expected: Gauge,
    by_state: [(LinkState, Gauge); 4],
}

impl Admin {
    pub(crate) fn new(
        registry: Registry,
        pipeline: Arc<Pipeline>,
        telemetry: Telemetry,
        stop: CancellationToken,
    ) -> Self {
        let gauges = Arc::new(Gauges::new(&telemetry));
        Self { registry, pipeline, telemetry, gauges, stop }
    }

    /// The routes.
    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .route("/metrics", get(render_metrics))
            .with_state(self)
            .layer(middleware::from_fn(only_this_machine))
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

/// A gateway without a single link still answers, and says what is missing; one that is stopping should get no new calls.
async fn ready(State(admin): State<Admin>) -> Response {
    let readiness =
        Readiness { ready: !admin.stop.is_cancelled(), links: Links::of(&admin.registry.snapshot()) };
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

async fn render_metrics(State(admin): State<Admin>) -> Response {
    admin.gauges.set(Links::of(&admin.registry.snapshot()), admin.pipeline.calls_in_flight());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], admin.telemetry.render()).into_response()
}

impl Links {
    fn of(fleet: &Fleet) -> Self {
        let mut links = Self { expected: fleet.clusters().len(), ..Self::default() };
        for cluster in fleet.clusters() {
            match cluster.link {
                LinkState::Connected => links.connected += 1,
                LinkState::Suspect => links.suspect += 1,
                LinkState::Lost => links.lost += 1,
                LinkState::Never => links.never += 1,
            }
        }
        links
    }

    fn count(&self, state: LinkState) -> usize {
        match state {
            LinkState::Connected => self.connected,
            LinkState::Suspect => self.suspect,
            LinkState::Lost => self.lost,
            LinkState::Never => self.never,
        }
    }
}

impl Gauges {
    fn new(telemetry: &Telemetry) -> Self {
        let states = [LinkState::Connected, LinkState::Suspect, LinkState::Lost, LinkState::Never];
        telemetry.register(|| Self {
            calls: metrics::gauge!("kubeplex_gateway_calls_in_flight"),
            expected: metrics::gauge!("kubeplex_gateway_clusters_expected"),
            by_state: states
                .map(|state| (state, metrics::gauge!("kubeplex_gateway_clusters", "link" => state.as_str()))),
        })
    }

    fn set(&self, links: Links, calls: usize) {
        self.calls.set(calls as f64);
        self.expected.set(links.expected as f64);
        for (state, gauge) in &self.by_state {
            gauge.set(links.count(*state) as f64);
        }
    }
}

#[cfg(test)]
mod tests {
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
}
