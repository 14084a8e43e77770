//! A small MCP client: one stateless `tools/call` a request (protocol revision 2026-07-28).

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{StatusCode, Url};
use serde_json::{Map, Value, json};

const PROTOCOL: &str = "2026-07-28";

/// Longer than the longest call that a gateway grants (120 s), so that the gateway's own error arrives first.
const TIMEOUT: Duration = Duration::from_secs(130);

/// The address of a gateway's MCP endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

/// An address that can't be a gateway's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}; write it as http://127.0.0.1:7575/mcp")]
pub struct NotAnEndpoint(String);

impl FromStr for Endpoint {
    type Err = NotAnEndpoint;

    /// What a person may leave out: `http://`, and the path.
    fn from_str(text: &str) -> Result<Self, NotAnEndpoint> {
        let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let mut url: Url =
            whole.parse().map_err(|error| NotAnEndpoint(format!("\"{text}\" is no address: {error}")))?;
        if url.scheme() != "http" {
            let scheme = url.scheme();
            return Err(NotAnEndpoint(format!(
                "{scheme} is not spoken: a gateway listens on loopback, with http"
            )));
        }
        if url.path() == "/" {
            url.set_path("/mcp");
        }
        Ok(Self(url))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Calls tools of one gateway.
#[derive(Debug, Clone)]
pub struct Client {
    endpoint: Endpoint,
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
    #[error(transparent)]
    NotAnEndpoint(#[from] NotAnEndpoint),
    #[error("the HTTP client can't be set up")]
    NoClient(#[source] reqwest::Error),
    #[error("no gateway answers at {endpoint}; start one with `kubeplex demo` or `kubeplex local`")]
    Unreachable { endpoint: Endpoint, source: Root },
    #[error("the gateway at {endpoint} did not answer within {} s", TIMEOUT.as_secs())]
    TimedOut { endpoint: Endpoint },
    #[error("there is no MCP endpoint at {endpoint}; a gateway's path is /mcp, and its port by default 7575")]
    NotThere { endpoint: Endpoint },
    #[error("what listens at {endpoint} answered HTTP {status}: {body}")]
    Refused { endpoint: Endpoint, status: u16, body: String },
    #[error("what listens at {endpoint} is no gateway: it did not answer with JSON-RPC but with {body:?}")]
    NotJsonRpc { endpoint: Endpoint, body: String },
    #[error("reading the answer of {endpoint} broke off")]
    BrokeOff { endpoint: Endpoint, source: Root },
}

/// What is behind an error of the HTTP library, without what its layers say of each other.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Root(String);

impl Root {
    fn of(error: &dyn Error) -> Self {
        let mut root = error;
        while let Some(cause) = root.source() {
            root = cause;
        }
        Self(root.to_string())
    }
}

impl Client {
    /// # Errors
    /// When `endpoint` is no address, or the HTTP client can't be set up.
    pub fn new(endpoint: impl AsRef<str>) -> Result<Self, ClientError> {
        Self::of(endpoint.as_ref().parse()?)
    }

    /// # Errors
    /// When the HTTP client can't be set up.
    pub fn of(endpoint: Endpoint) -> Result<Self, ClientError> {
        let http = reqwest::Client::builder().timeout(TIMEOUT).tcp_nodelay(true).no_proxy().build();
        Ok(Self { endpoint, http: http.map_err(ClientError::NoClient)? })
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
            .post(endpoint.0.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json, text/event-stream")
            .header("MCP-Protocol-Version", PROTOCOL)
            .header("Mcp-Method", "tools/call")
            .header("Mcp-Name", header_value(tool))
            .json(request)
            .send()
            .await;
        let response = sent.map_err(|error| match error.is_timeout() {
            true => ClientError::TimedOut { endpoint: endpoint.clone() },
            false => ClientError::Unreachable { endpoint: endpoint.clone(), source: Root::of(&error) },
        })?;
        let status = response.status();
        let body = response.text().await.map_err(|error| ClientError::BrokeOff {
            endpoint: endpoint.clone(),
            source: Root::of(&error),
        })?;
        match last_message(&body) {
            // A JSON-RPC error may come with an HTTP error status: it says more.
            Some(message) => Ok(message),
            None if status.is_success() => Err(ClientError::NotJsonRpc { endpoint, body: shortened(&body) }),
            None if status == StatusCode::NOT_FOUND => Err(ClientError::NotThere { endpoint }),
            None => Err(ClientError::Refused { endpoint, status: status.as_u16(), body: shortened(&body) }),
        }
    }
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
    fn an_endpoint_is_an_address_of_this_machine_in_every_way_of_writing_it() {
        for text in
            ["127.0.0.1:7575", "http://127.0.0.1:7575", "127.0.0.1:7575/mcp", "http://127.0.0.1:7575/mcp"]
        {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), "http://127.0.0.1:7575/mcp", "{text}");
        }
        for (text, told) in [
            ("https://127.0.0.1", "https is not spoken"),
            ("ftp://x", "ftp"),
            ("a b", "no address"),
            ("", "no address"),
        ] {
            let error = text.parse::<Endpoint>().unwrap_err().to_string();
            assert!(error.contains(told) && error.contains("http://127.0.0.1:7575/mcp"), "{text}: {error}");
        }
    }

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
