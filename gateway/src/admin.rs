//! Health and metrics, on a listener of their own.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use kubeplex_program::admin::Audience;
use metrics::Gauge;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::fleet::{Fleet, LinkState, SideBySide};
use crate::pipeline::Pipeline;
use crate::registry::Registry;
use crate::telemetry::Telemetry;

/// What the endpoints look at.
#[derive(Clone)]
pub(crate) struct Admin {
    instance: Arc<str>,
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
    instance: Arc<str>,
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
        instance: Arc<str>,
        registry: Registry,
        pipeline: Arc<Pipeline>,
        telemetry: Telemetry,
        stop: CancellationToken,
    ) -> Self {
        let gauges = Arc::new(Gauges::new(&telemetry));
        Self { instance, registry, pipeline, telemetry, gauges, stop }
    }

    /// The routes.
    pub(crate) fn router(self, audience: Audience) -> Router {
        kubeplex_program::admin::router(get(ready), get(render_metrics), self, audience)
    }
}

/// A gateway without a single link still answers, and says what is missing; one that is stopping should get no new calls.
async fn ready(State(admin): State<Admin>) -> Response {
    let links = Links::of(&admin.registry.snapshot());
    let readiness = Readiness { ready: !admin.stop.is_cancelled(), instance: admin.instance, links };
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

async fn render_metrics(State(admin): State<Admin>) -> Response {
    let fleet = admin.registry.snapshot();
    admin.gauges.set(Links::of(&fleet), admin.pipeline.calls_in_flight());
    admin.telemetry.register(|| set_clusters(&fleet));
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], admin.telemetry.render()).into_response()
}

/// What there is to say of each cluster. Their names are the configured ones.
fn set_clusters(fleet: &Fleet) {
    for cluster in fleet.clusters() {
        let name = cluster.id.to_string();
        let rivals =
            cluster.standby.as_ref().is_some_and(|standby| standby.side_by_side == SideBySide::Rivals);
        for (gauge, holds) in [
            (
                metrics::gauge!("kubeplex_gateway_cluster_linked", "cluster" => name.clone()),
                cluster.link.is_usable(),
            ),
            (metrics::gauge!("kubeplex_gateway_cluster_two_agents", "cluster" => name), rivals),
        ] {
            gauge.set(f64::from(u8::from(holds)));
        }
    }
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
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt as _;

    use super::*;
    use crate::config::GatewayConfig;

    fn router(stop: &CancellationToken) -> Router {
        let (registry, telemetry) = (Registry::new(), Telemetry::new());
        let pipeline = Arc::new(Pipeline::new(&GatewayConfig::default(), registry.clone(), &telemetry));
        let admin = Admin::new("i".into(), registry, pipeline, telemetry, stop.clone());
        admin.router(Audience::ThisMachine)
    }

    #[tokio::test]
    async fn each_cluster_says_whether_it_is_linked_and_whether_it_has_an_agent_too_many() {
        let (registry, telemetry) = (Registry::new(), Telemetry::new());
        registry.expect(
            kubeplex_proto::ids::ClusterId::new("prod-eu").unwrap(),
            std::collections::BTreeMap::new(),
        );
        telemetry.register(|| set_clusters(&registry.snapshot()));
        let told = telemetry.render();
        for line in ["cluster_linked{cluster=\"prod-eu\"} 0", "cluster_two_agents{cluster=\"prod-eu\"} 0"] {
            assert!(told.contains(line), "{told}");
        }
    }

    async fn status(router: Router, path: &str, host: &str) -> StatusCode {
        let request = Request::builder().uri(path).header(header::HOST, host).body(Body::empty()).unwrap();
        router.oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn pages_that_call_themselves_this_machine_read_nothing() {
        let router = router(&CancellationToken::new());
        for path in ["/healthz", "/readyz", "/metrics"] {
            assert_eq!(status(router.clone(), path, "127.0.0.1:7576").await, StatusCode::OK, "{path}");
            let rebound = status(router.clone(), path, "rebound.example.com:7576").await;
            assert_eq!(rebound, StatusCode::FORBIDDEN, "{path}");
        }
    }

    #[tokio::test]
    async fn a_gateway_that_stops_is_alive_and_not_ready() {
        let stop = CancellationToken::new();
        stop.cancel();
        assert_eq!(status(router(&stop), "/readyz", "localhost").await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(status(router(&stop), "/healthz", "localhost").await, StatusCode::OK);
    }
}
