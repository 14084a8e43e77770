//! A small MCP client: one stateless `tools/call` a request (protocol revision 2026-07-28).

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::{Map, Value, json};

const PROTOCOL: &str = "2026-07-28";

/// Longer than the longest call that a gateway grants (120 s), so that the gateway's own error arrives first.
const TIMEOUT: Duration = Duration::from_secs(130);

/// Calls tools of one gateway.
#[derive(Debug, Clone)]
pub struct Client {
    endpoint: String,
    http: reqwest::Client,
}

/// What went over the wire for one call.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub request: Value,
    pub response: Value,
}

/// Why there is no answer at all.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("the endpoint \"{endpoint}\" is no address; write one as http://127.0.0.1:7575/mcp")]
    NotAnAddress { endpoint: String },
    #[error("no gateway answers at {endpoint}; start one with `kubeplex demo` or `kubeplex local`")]
    Unreachable { endpoint: String, source: reqwest::Error },
    #[error("there is no MCP endpoint at {endpoint}; a gateway's path is /mcp")]
    NotThere { endpoint: String },
    #[error("the gateway at {endpoint} answered HTTP {status}: {body}")]
    Refused { endpoint: String, status: u16, body: String },
    #[error("the gateway at {endpoint} answered with something that is not JSON-RPC: {body}")]
    NotJsonRpc { endpoint: String, body: String },
    #[error("reading the answer of {endpoint} broke off")]
    BrokeOff { endpoint: String, source: reqwest::Error },
}

impl Client {
    /// # Errors
    /// When the HTTP client can't be set up.
    pub fn new(endpoint: impl Into<String>) -> reqwest::Result<Self> {
        let http = reqwest::Client::builder().timeout(TIMEOUT).tcp_nodelay(true).no_proxy().build()?;
        Ok(Self { endpoint: endpoint.into(), http })
    }

    /// Calls one tool; with `trace` the answer's `_meta` says how long each stage and each cluster took.
    ///
    /// # Errors
    /// [`ClientError`] when nothing was answered; an error of the tool is an answer.
    pub async fn call(
        &self,
        tool: &str,
        arguments: Map<String, Value>,
        trace: bool,
    ) -> Result<Exchange, ClientError> {
        let mut meta = json!({
            "io.modelcontextprotocol/protocolVersion": PROTOCOL,
            "io.modelcontextprotocol/clientInfo": {"name": "kubeplex-cli", "version": env!("CARGO_PKG_VERSION")},
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        if trace {
            meta["kubeplex/trace"] = json!(true);
        }
        let params = json!({"name": tool, "arguments": arguments, "_meta": meta});
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        let response = self.post(tool, &request).await?;
        Ok(Exchange { request, response })
    }

    async fn post(&self, tool: &str, request: &Value) -> Result<Value, ClientError> {
        let endpoint = self.endpoint.clone();
        let sent = self
            .http
            .post(&endpoint)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json, text/event-stream")
            .header("MCP-Protocol-Version", PROTOCOL)
            .header("Mcp-Method", "tools/call")
            .header("Mcp-Name", tool)
            .json(request)
            .send()
            .await;
        let response = sent.map_err(|source| match source.is_builder() {
            true => ClientError::NotAnAddress { endpoint: endpoint.clone() },
            false => ClientError::Unreachable { endpoint: endpoint.clone(), source },
        })?;
        let status = response.status();
        let text = response.text().await;
        let body = text.map_err(|source| ClientError::BrokeOff { endpoint: endpoint.clone(), source })?;
        match last_message(&body) {
            // A JSON-RPC error may come with an HTTP error status: it says more.
            Some(message) => Ok(message),
            None if status.is_success() => Err(ClientError::NotJsonRpc { endpoint, body: shortened(&body) }),
            None if status == StatusCode::NOT_FOUND => Err(ClientError::NotThere { endpoint }),
            None => Err(ClientError::Refused { endpoint, status: status.as_u16(), body: shortened(&body) }),
        }
    }
}

impl Exchange {
    /// The tool's structured result; `Err` holds the tool's or the protocol's error.
    pub fn structured(&self) -> Result<&Value, &Value> {
        if let Some(error) = self.response.get("error") {
            return Err(error);
        }
        let result = &self.response["result"];
        let content = result.get("structuredContent").unwrap_or(result);
        if result["isError"] == Value::Bool(true) { Err(content) } else { Ok(content) }
    }

    /// The text that a client without structured content reads.
    pub fn text(&self) -> &str {
        self.response["result"]["content"][0]["text"].as_str().unwrap_or_default()
    }
}

/// The response among what came: a plain JSON body, or the last JSON-RPC response of an event stream.
fn last_message(body: &str) -> Option<Value> {
    let is_response = |message: &Value| message.get("result").is_some() || message.get("error").is_some();
    if let Ok(message) = serde_json::from_str::<Value>(body) {
        return is_response(&message).then_some(message);
    }
    let events = body.lines().rev().filter_map(|line| line.strip_prefix("data:"));
    events.filter_map(|data| serde_json::from_str(data.trim()).ok()).find(is_response)
}

fn shortened(body: &str) -> String {
    body.chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_response_is_found_in_plain_bodies_and_in_event_streams() {
        let plain = r#"{"jsonrpc":"2.0","id":1,"result":{"x":1}}"#;
        let stream = "data:\n\nevent: message\ndata: {\"method\":\"notifications/progress\"}\n\ndata: {\"result\":{\"x\":1}}\n\n";
        for body in [plain, stream] {
            assert_eq!(last_message(body).unwrap()["result"]["x"], 1, "{body}");
        }
        for body in ["", "Not found", "{}", "data: {\"method\":\"x\"}"] {
            assert_eq!(last_message(body), None, "{body}");
        }
    }

    #[test]
    fn errors_of_tools_and_of_the_protocol_are_errors() {
        let exchange = |response| Exchange { request: Value::Null, response };
        let good =
            exchange(json!({"result": {"structuredContent": {"total": 1}, "content": [{"text": "one"}]}}));
        assert_eq!(good.structured(), Ok(&json!({"total": 1})));
        assert_eq!(good.text(), "one");
        let bad = exchange(json!({"result": {"isError": true, "structuredContent": {"code": "not_found"}}}));
        assert_eq!(bad.structured(), Err(&json!({"code": "not_found"})));
        let refused = exchange(json!({"error": {"code": -32602, "message": "Unknown tool"}}));
        assert!(refused.structured().is_err());
    }
}
