//! Health and metrics, on a listener of their own.

use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use kubeplex_agent::config::AdminListener;
use kubeplex_agent::{Agent, gauges};
use kubeplex_program::admin::Audience;
use kubeplex_proto::control::SyncState;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use metrics_util::MetricKindMask;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Gauges are set when they are asked for; one that was not set for so long is of a kind that is watched no more.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(300);

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
    listener: AdminListener,
    agent: &Agent,
    tracker: &TaskTracker,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let metrics = PrometheusBuilder::new()
        .idle_timeout(MetricKindMask::GAUGE, Some(FORGOTTEN_AFTER))
        .install_recorder()
        .context("recording metrics")?;
    let router = router(Admin { agent: agent.clone(), metrics }, listener.audience);
    let address = listener.address;
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

fn router(admin: Admin, audience: Audience) -> Router {
    kubeplex_program::admin::router(get(ready), get(render), admin, audience)
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

/// What is counted as it happens, and the state of the caches as it is now.
async fn render(State(admin): State<Admin>) -> String {
    let kinds = admin.agent.kinds();
    for report in kinds.snapshot() {
        let labels = [("kind", report.kind.to_string())];
        metrics::gauge!("kubeplex_agent_cached_objects", &labels).set(report.objects as f64);
        let synced = f64::from(u8::from(report.state == SyncState::Synced));
        metrics::gauge!("kubeplex_agent_kind_synced", &labels).set(synced);
        if let Some(age_ms) = report.age_ms {
            metrics::gauge!("kubeplex_agent_kind_age_seconds", &labels).set(age_ms as f64 / 1_000.0);
        }
    }
    let bytes: usize = kinds.memory().iter().map(|(_, memory)| memory.total()).sum();
    metrics::gauge!("kubeplex_agent_cache_bytes").set(bytes as f64);
    metrics::gauge!("kubeplex_agent_ready").set(f64::from(u8::from(kinds.cluster().ready)));
    gauges::set_again();
    admin.metrics.render()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{Request, Response, header};
    use kubeplex_agent::config::AgentConfig;
    use kubeplex_proto::ids::ClusterId;
    use tower::ServiceExt as _;

    use super::*;

    /// Of an agent whose API server never answers.
    fn routes(stop: &CancellationToken, audience: Audience) -> Router {
        let silent = tower::service_fn(|_: Request<kube::client::Body>| {
            std::future::pending::<Result<Response<Body>, std::convert::Infallible>>()
        });
        let config = AgentConfig::of_cluster(ClusterId::new("prod-eu").unwrap());
        let client = kube::Client::new(silent, "default");
        let agent = Agent::start(config, client, TaskTracker::new(), stop.clone());
        router(Admin { agent, metrics: PrometheusBuilder::new().build_recorder().handle() }, audience)
    }

    #[tokio::test]
    async fn only_the_audience_is_told_how_the_agent_is() {
        let stop = CancellationToken::new();
        let (here_only, network) = (routes(&stop, Audience::ThisMachine), routes(&stop, Audience::Network));
        for (path, here) in [
            ("/healthz", StatusCode::OK),
            ("/readyz", StatusCode::SERVICE_UNAVAILABLE),
            ("/metrics", StatusCode::OK),
        ] {
            for (router, host, wanted) in [
                (&here_only, "127.0.0.1:7577", here),
                (&here_only, "rebound.example.com:7577", StatusCode::FORBIDDEN),
                // A kubelet addresses a pod so.
                (&network, "10.0.0.7:7577", here),
            ] {
                let request = Request::builder().uri(path).header(header::HOST, host);
                let answer = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
                assert_eq!(answer.status(), wanted, "{path} of {host}");
            }
        }
        stop.cancel();
    }
}
