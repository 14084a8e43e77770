//! A small MCP client: one stateless `tools/call` a request (protocol revision 2026-07-28).

mod endpoint;
mod error;
mod http;

use std::time::Duration;

use ::http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use ::http::{Request, StatusCode};
use bytes::Bytes;
use http_body_util::Full;
use serde_json::{Map, Value, json};

pub use self::endpoint::{Endpoint, NotAnEndpoint};
pub use self::error::{ClientError, Root};
use self::http::Http;
pub use self::http::{Access, InvalidToken, Token};

const PROTOCOL: &str = "2026-07-28";

/// Longer than the longest call that a gateway grants (120 s), so that the gateway's own error arrives first.
const TIMEOUT: Duration = Duration::from_secs(130);

/// Calls tools of one gateway.
#[derive(Debug, Clone)]
pub struct Client {
    endpoint: Endpoint,
    http: Http,
}

/// What went over the wire for one call.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub request: Value,
    pub response: Value,
}

impl Client {
    /// A client for a gateway that wants to see no token.
    ///
    /// # Errors
    /// When `endpoint` is no address, or nobody can be believed to be it.
    pub fn new(endpoint: impl AsRef<str>) -> Result<Self, ClientError> {
        Self::with(endpoint.as_ref().parse()?, Access::default())
    }

    /// # Errors
    /// When nobody can be believed to be the gateway.
    pub fn with(endpoint: Endpoint, access: Access) -> Result<Self, ClientError> {
        let http = Http::new(&endpoint, access)?;
        Ok(Self { endpoint, http })
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
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

    async fn post(&self, tool: &str, message: &Value) -> Result<Value, ClientError> {
        let endpoint = || self.endpoint.clone();
        let answered = tokio::time::timeout(TIMEOUT, self.exchange(tool, message)).await;
        let (status, body) = answered.map_err(|_| ClientError::TimedOut { endpoint: endpoint() })??;
        match last_message(&body).or_else(|| refusal(&body)) {
            // A JSON-RPC error may come with an HTTP error status: it says more.
            Some(message) => Ok(message),
            None if status.is_success() => {
                Err(ClientError::NotJsonRpc { endpoint: endpoint(), body: shortened(&body) })
            }
            None if status == StatusCode::NOT_FOUND => Err(ClientError::NotThere { endpoint: endpoint() }),
            None => {
                let (status, body) = (status.as_u16(), shortened(&body));
                Err(ClientError::Refused { endpoint: endpoint(), status, body })
            }
        }
    }

    async fn exchange(&self, tool: &str, message: &Value) -> Result<(StatusCode, String), ClientError> {
        let endpoint = || self.endpoint.clone();
        let unreachable = |source| ClientError::Unreachable { endpoint: endpoint(), source };
        let request = Request::post(self.endpoint.uri().clone())
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json, text/event-stream")
            .header("MCP-Protocol-Version", PROTOCOL)
            .header("Mcp-Method", "tools/call")
            .header("Mcp-Name", header_value(tool))
            .body(Full::new(Bytes::from(message.to_string())));
        let request = request.map_err(|error| unreachable(Root::of(&error)))?;
        let response = self.http.send(request).await.map_err(unreachable)?;
        let status = response.status();
        let body = http::text(response).await;
        Ok((status, body.map_err(|source| ClientError::BrokeOff { endpoint: endpoint(), source })?))
    }
}

/// What a gateway says to a request that never came to its protocol, such as one without a token: an error all the same.
fn refusal(body: &str) -> Option<Value> {
    let error: Value = serde_json::from_str(body).ok()?;
    let is_error = error["code"].is_string() && error["message"].is_string();
    is_error.then(|| json!({ "error": error }))
}

/// A tool's name comes from a person, and not everything can stand in a header; the body has it as it is.
fn header_value(tool: &str) -> HeaderValue {
    HeaderValue::from_str(tool).unwrap_or_else(|_| HeaderValue::from_static("?"))
}

impl Exchange {
    /// The tool that was called.
    pub fn tool(&self) -> &str {
        self.request["params"]["name"].as_str().unwrap_or_default()
    }

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
            assert_eq!((last_message(body), refusal(body)), (None, None), "{body}");
        }
        let refused = refusal(r#"{"code":"unauthenticated","message":"no token was shown"}"#).unwrap();
        assert_eq!(refused["error"]["code"], "unauthenticated");
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
