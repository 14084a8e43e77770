//! MCP by raw HTTP, in both eras: nothing here knows more of the protocol than its documents say.

use kubeplex_gateway::Addresses;
use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

pub(crate) const OLDER: &str = "2025-11-25";
pub(crate) const NEWER: &str = "2026-07-28";

#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    addresses: Addresses,
    token: Option<String>,
}

/// A session of the older era.
pub(crate) struct Session<'a> {
    client: &'a Client,
    pub(crate) id: String,
}

impl Client {
    pub(crate) fn new(addresses: Addresses) -> Self {
        Self { http: reqwest::Client::new(), addresses, token: None }
    }

    /// The same client as somebody.
    pub(crate) fn with_token(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) fn mcp(&self) -> String {
        format!("http://{}/mcp", self.addresses.listen)
    }

    /// A POST with the headers that every message has.
    pub(crate) fn post(&self, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.signed(self.http.post(self.mcp()))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .body(body)
    }

    /// A request of the newer era, not yet sent.
    pub(crate) fn request(&self, method: &str, mut params: Value) -> RequestBuilder {
        let meta = params.as_object_mut().unwrap().entry("_meta").or_insert_with(|| json!({}));
        meta["io.modelcontextprotocol/protocolVersion"] = json!(NEWER);
        meta["io.modelcontextprotocol/clientInfo"] = json!({"name": "tests", "version": "1"});
        meta["io.modelcontextprotocol/clientCapabilities"] = json!({});
        let name = params["name"].as_str().map(str::to_owned);
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let request =
            self.post(body.to_string()).header("mcp-protocol-version", NEWER).header("mcp-method", method);
        match name {
            Some(name) => request.header("mcp-name", name),
            None => request,
        }
    }

    /// Sends one, and returns the JSON-RPC response.
    pub(crate) async fn ask(&self, method: &str, params: Value) -> Value {
        message(self.request(method, params).send().await.unwrap()).await
    }

    /// Calls a tool and returns its result.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Value {
        let mut params = json!({"name": tool});
        params["arguments"] = arguments;
        let answer = self.ask("tools/call", params).await;
        assert!(answer["error"].is_null(), "{answer}");
        answer["result"].clone()
    }

    /// Calls `pods_list` and returns what it answers.
    pub(crate) async fn pods(&self, arguments: Value) -> Value {
        let result = self.call("pods_list", arguments).await;
        assert_ne!(result["isError"], json!(true), "{result}");
        result["structuredContent"].clone()
    }

    pub(crate) async fn initialize(&self) -> Session<'_> {
        let params = json!({
            "protocolVersion": OLDER,
            "capabilities": {},
            "clientInfo": {"name": "tests", "version": "1"},
        });
        let body = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
        let response = self.post(body.to_string()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let id = header(response.headers(), "mcp-session-id");
        let answer = message(response).await;
        assert_eq!(answer["result"]["protocolVersion"], OLDER, "{answer}");
        assert_eq!(answer["result"]["serverInfo"]["name"], "kubeplex");
        Session { client: self, id }
    }

    pub(crate) async fn admin(&self, path: &str) -> (StatusCode, String) {
        let response = self.http.get(format!("http://{}{path}", self.addresses.admin)).send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    pub(crate) async fn delete(&self, session: &str) -> StatusCode {
        let request = self.signed(self.http.delete(self.mcp())).header("mcp-session-id", session);
        request.send().await.unwrap().status()
    }
}

impl Session<'_> {
    /// A message of this session, without the version header, as VS Code sends it.
    pub(crate) fn message(&self, body: Value) -> RequestBuilder {
        self.client.post(body.to_string()).header("mcp-session-id", &self.id)
    }

    pub(crate) async fn ask(&self, id: u64, method: &str, params: Value) -> Value {
        let body = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        message(self.message(body).send().await.unwrap()).await
    }

    pub(crate) async fn notify(&self, method: &str, params: Value) -> StatusCode {
        let body = json!({"jsonrpc": "2.0", "method": method, "params": params});
        self.message(body).send().await.unwrap().status()
    }
}

/// The JSON-RPC response out of a body that is one, or a stream that ends with one.
pub(crate) async fn message(response: Response) -> Value {
    let streamed = header(response.headers(), "content-type").starts_with("text/event-stream");
    let text = response.text().await.unwrap();
    if !streamed {
        return serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    }
    events(&text).pop().unwrap_or_else(|| panic!("no message in {text}"))
}

/// The messages of a stream.
pub(crate) fn events(text: &str) -> Vec<Value> {
    let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
    data.filter_map(|data| serde_json::from_str(data.trim()).ok()).collect()
}

fn header(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}
