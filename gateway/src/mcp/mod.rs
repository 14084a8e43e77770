//! The MCP endpoint, and the only place that knows the MCP library.
//!
//! Two eras of the protocol on one path: 2025-11-25 with sessions, 2026-07-28 without. At the [`door`], a request gets its caller
//! ([`identify`](crate::identify)), passes [`throttle`](crate::throttle) (how often), [`guard`] (size, depth, room for a
//! session), [`accept`] and [`owners`] (whose session it is), then the library (Host, Origin, protocol version, headers), then
//! [`server`], which turns `tools/list` and `tools/call` over to the pipeline.

mod accept;
mod call;
mod door;
mod fixtures;
mod guard;
mod owners;
mod resources;
mod server;
mod sessions;
mod written;

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::service_fn;

use crate::config::GatewayConfig;
use crate::identify::{self, Callers};
use crate::pipeline::Pipeline;
use crate::telemetry::Telemetry;
use crate::throttle::Throttle;
use door::Door;
use guard::Guard;
use server::McpServer;
use sessions::BoundedSessions;

/// The path of the endpoint.
pub const PATH: &str = "/mcp";

/// Names under which this machine reaches itself.
const LOOPBACK_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Origins of pages that this machine serves itself, on any port.
const LOOPBACK_ORIGINS: [&str; 6] = [
    "http://localhost:*",
    "http://127.0.0.1:*",
    "http://[::1]:*",
    "https://localhost:*",
    "https://127.0.0.1:*",
    "https://[::1]:*",
];

/// The endpoint's route. `exchanges` holds a token for every request until its answer is out; when `cut` is cancelled,
/// sessions and open streams end.
pub fn router(
    pipeline: Arc<Pipeline>,
    callers: Callers,
    throttle: Throttle,
    config: &GatewayConfig,
    telemetry: &Telemetry,
    exchanges: TaskTracker,
    cut: CancellationToken,
) -> Router {
    let sessions = Arc::new(BoundedSessions::new(config.limits(), telemetry));
    let server = McpServer::new(pipeline, config.fixtures());
    let guard = Guard::new(config.limits(), sessions.clone(), throttle.clone(), exchanges, telemetry);
    let service =
        StreamableHttpService::new(move || Ok(server.clone()), sessions.clone(), transport(config, cut));
    let door = Arc::new(Door { callers, throttle, guard, sessions, service });
    let serve = move |request| {
        let door = Arc::clone(&door);
        async move { Ok::<_, Infallible>(door.serve(request).await) }
    };
    Router::new().route_service(PATH, service_fn(serve))
}

fn transport(config: &GatewayConfig, cut: CancellationToken) -> StreamableHttpServerConfig {
    let origins =
        LOOPBACK_ORIGINS.into_iter().map(str::to_owned).chain(config.allowed_origins().iter().map(with_port));
    StreamableHttpServerConfig::default()
        .with_allowed_hosts(hosts(config))
        .with_allowed_origins(origins)
        .enforce_origin_validation()
        .with_max_request_body_bytes(config.limits().request_bytes)
        // A short answer is a plain JSON body; only calls that report progress become a stream.
        .with_json_response(true)
        .with_cancellation_token(cut)
}

/// A page that gives itself a name of this machine (DNS rebinding) calls as whoever may call without a token. Where a token
/// is wanted it has none, and which name leads here is not the gateway's to know: no name at all stands for any.
fn hosts(config: &GatewayConfig) -> Vec<String> {
    if identify::tokens_wanted(config) && config.allowed_hosts().is_empty() {
        return Vec::new();
    }
    LOOPBACK_HOSTS.into_iter().map(str::to_owned).chain(config.allowed_hosts().iter().cloned()).collect()
}

/// The library takes an origin without a port for one with any port; an origin without a port means its scheme's.
fn with_port(origin: &String) -> String {
    let authority = origin.split_once("://").map_or(origin.as_str(), |(_, authority)| authority);
    let has_port =
        authority.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    match (has_port, origin.starts_with("https://")) {
        (true, _) => origin.clone(),
        (false, true) => format!("{origin}:443"),
        (false, false) => format!("{origin}:80"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_without_a_port_means_the_usual_one() {
        for (configured, meant) in [
            ("https://console.example.com", "https://console.example.com:443"),
            ("http://console.example.com", "http://console.example.com:80"),
            ("https://console.example.com:8443", "https://console.example.com:8443"),
            ("http://[fd00::1]", "http://[fd00::1]:80"),
        ] {
            assert_eq!(with_port(&configured.to_owned()), meant);
        }
    }
}
