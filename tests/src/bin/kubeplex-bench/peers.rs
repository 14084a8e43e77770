//! What a call costs without Kubeplex: the same bytes from bare rmcp, and from plain axum after parsing the request.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse as _;
use axum::routing::post;
use bytes::Bytes;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

/// Answers every call with the same result.
#[derive(Clone)]
struct Fixed {
    result: Arc<CallToolResult>,
}

impl ServerHandler for Fixed {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    fn get_tool(&self, _name: &str) -> Option<Tool> {
        None
    }

    async fn call_tool(
        &self,
        _request: CallToolRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        Ok(CallToolResult::clone(&self.result).into())
    }
}

/// rmcp as it comes, stateless, with JSON replies; `result` is what Kubeplex answered.
pub(crate) async fn bare_rmcp(result: &Value, tracker: &TaskTracker) -> anyhow::Result<SocketAddr> {
    let fixed = Fixed { result: Arc::new(serde_json::from_value(result.clone())?) };
    let config = StreamableHttpServerConfig::default().with_json_response(true);
    let sessions = Arc::new(LocalSessionManager::default());
    let service = StreamableHttpService::new(move || Ok(fixed.clone()), sessions, config);
    serve(Router::new().route_service("/mcp", service), tracker).await
}

/// axum, the request parsed as JSON, the response sent as it is.
pub(crate) async fn plain_axum(response: &Value, tracker: &TaskTracker) -> anyhow::Result<SocketAddr> {
    let body = Bytes::from(serde_json::to_vec(response)?);
    let answer = move |request: axum::Json<Value>| {
        let body = body.clone();
        async move {
            std::hint::black_box(&request);
            ([(CONTENT_TYPE, "application/json")], body).into_response()
        }
    };
    serve(Router::new().route("/mcp", post(answer)), tracker).await
}

async fn serve(router: Router, tracker: &TaskTracker) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        // A peer without it would look slower than it is.
        let _ = stream.set_nodelay(true);
    });
    drop(tracker.spawn(async move { axum::serve(listener, router).await }));
    Ok(address)
}
