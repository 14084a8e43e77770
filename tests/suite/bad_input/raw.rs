//! Requests written by hand.

use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::faults::rig::Rig;

const PROTOCOL: &str = "2026-07-28";

/// A POST with the headers of a well-behaved call.
pub(super) fn post(rig: &Rig, method: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
    let url = kubeplex_cli::hints::endpoint(rig.gateway.addresses().listen);
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    client
        .post(url)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", PROTOCOL)
        .header("mcp-method", method)
        .body(body)
}

/// Status and body of an answer.
pub(super) async fn answer(request: RequestBuilder) -> (StatusCode, String) {
    let response = request.send().await.expect("an answer");
    (response.status(), response.text().await.expect("a body"))
}

/// The JSON-RPC message in a body, plain or the last of an event stream.
pub(super) fn message(body: &str) -> Value {
    let plain = serde_json::from_str(body).ok();
    let event =
        || body.lines().rev().find_map(|line| serde_json::from_str(line.strip_prefix("data:")?.trim()).ok());
    plain.or_else(event).unwrap_or_else(|| panic!("no message in {body:?}"))
}

/// A request of the stateless era.
pub(super) fn request(method: &str, params: &Value) -> Value {
    let mut params = params.clone();
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": PROTOCOL,
        "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

/// The tools with their schemas.
pub(super) async fn tools(rig: &Rig) -> Vec<Value> {
    let body = request("tools/list", &json!({})).to_string();
    let (status, body) = answer(post(rig, "tools/list", body)).await;
    assert!(status.is_success(), "{status} {body}");
    message(&body)["result"]["tools"].as_array().cloned().expect("tools")
}
