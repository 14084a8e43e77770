//! Health and metrics, on a listener of their own.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
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
    }
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
