//! Health and metrics, on a loopback listener.

use std::net::SocketAddr;

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use kubeplex_agent::Agent;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

#[derive(Clone)]
struct Admin {
    agent: Agent,
    metrics: PrometheusHandle,
}

/// Serves `/healthz`, `/readyz` and `/metrics` until `stop` is cancelled.
///
/// # Errors
/// When the address is taken, or metrics are recorded elsewhere already.
pub(crate) async fn start(
    address: SocketAddr,
    agent: &Agent,
    tracker: &TaskTracker,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let metrics = PrometheusBuilder::new().install_recorder().context("recording metrics")?;
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(|State(admin): State<Admin>| async move { admin.metrics.render() }))
        .with_state(Admin { agent: agent.clone(), metrics });
    let listener = TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))?;
    tracing::info!(admin.address = %listener.local_addr()?, "serving health and metrics");
    tracker.spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
        if let Err(error) = served {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "health and metrics are not served any more"
            );
        }
    });
    Ok(())
}

/// Which kinds are waited for, where any is.
async fn ready(State(admin): State<Admin>) -> (StatusCode, String) {
    let report = admin.agent.kinds().cluster();
    if report.ready {
        return (StatusCode::OK, "ready\n".to_owned());
    }
    let states = admin.agent.kinds().snapshot();
    let lines = states.iter().map(|kind| format!("{} {:?}\n", kind.kind, kind.state).to_lowercase());
    (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n{}", report.api_problem, lines.collect::<String>()))
}
