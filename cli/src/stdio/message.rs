//! JSON-RPC messages as they come in, and the HTTP headers that the protocol wants for them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

pub(super) const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

const PARSE_ERROR: i64 = -32_700;
const INVALID_REQUEST: i64 = -32_600;
/// The first code that JSON-RPC leaves to servers: nobody who could answer was reached.
pub(super) const UNANSWERED: i64 = -32_000;

/// Where a message of the newer era says which protocol it is of.
const VERSION_IN_META: &str = "/params/_meta/io.modelcontextprotocol~1protocolVersion";

/// What a client sent.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) value: Value,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Its id, as JSON.
    Request(String),
    Notification,
    /// To a request of the server's.
    Response,
}

/// How the protocol is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Era {
    /// Every message says its protocol version, and there are no sessions.
    Stateless,
    /// `initialize` opens a session, which later messages belong to.
    Sessions,
}

impl Message {
    /// Reads a line.
    ///
    /// # Errors
    /// The answer to what is no message.
    pub(super) fn read(line: &str) -> Result<Self, Value> {
        let value: Value = serde_json::from_str(line)
            .map_err(|error| failure(&Value::Null, PARSE_ERROR, &format!("the line is not JSON: {error}")))?;
        let kind = match (&value["method"], value.get("id")) {
            (Value::String(_), Some(id)) => Kind::Request(id.to_string()),
            (Value::String(_), None) => Kind::Notification,
            (Value::Null, Some(_)) if value.is_object() => Kind::Response,
            _ => {
                let problem = "the line is no JSON-RPC message: one object a line is wanted";
                return Err(failure(&Value::Null, INVALID_REQUEST, problem));
            }
        };
        Ok(Self { value, kind })
    }

    pub(super) fn method(&self) -> &str {
        self.value["method"].as_str().unwrap_or_default()
    }

    pub(super) fn id(&self) -> &Value {
        self.value.get("id").unwrap_or(&Value::Null)
    }

    pub(super) fn era(&self) -> Era {
        match self.value.pointer(VERSION_IN_META) {
            Some(Value::String(_)) => Era::Stateless,
            _ => Era::Sessions,
        }
    }

    /// The id of the request that it takes back, as JSON.
    pub(super) fn cancels(&self) -> Option<String> {
        let id = self.value.pointer("/params/requestId")?;
        (self.method() == "notifications/cancelled").then(|| id.to_string())
    }

    /// What a message of the newer era says in its headers as well, for those who only look there.
    pub(super) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let params = &self.value["params"];
        let name = match self.method() {
            "tools/call" | "prompts/get" => params["name"].as_str(),
            "resources/read" | "resources/subscribe" | "resources/unsubscribe" => params["uri"].as_str(),
            _ => None,
        };
        let version = self.value.pointer(VERSION_IN_META).and_then(Value::as_str);
        let said = [(PROTOCOL_VERSION, version), (METHOD, Some(self.method())), (NAME, name)];
        headers.extend(said.into_iter().filter_map(|(header, text)| Some((header, header_value(text?)?))));
        headers
    }
}

/// As it is where that can be, else the way of the protocol: `=?base64?…?=`.
fn header_value(text: &str) -> Option<HeaderValue> {
    let is_plain = text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && text.trim() == text;
    if is_plain && !text.starts_with("=?base64?") {
        return HeaderValue::from_str(text).ok();
    }
    HeaderValue::try_from(format!("=?base64?{}?=", BASE64_STANDARD.encode(text))).ok()
}

/// The answer to a request that could not be answered.
pub(super) fn failure(id: &Value, code: i64, message: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart() {
        for (line, kind) in [
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, Some(Kind::Request("1".to_owned()))),
            (r#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#, Some(Kind::Request("\"a\"".to_owned()))),
            (r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, Some(Kind::Notification)),
            (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, Some(Kind::Response)),
            ("[]", None),
            ("7", None),
            ("{}", None),
            ("{", None),
        ] {
            match (Message::read(line), kind) {
                (Ok(message), Some(kind)) => assert_eq!(message.kind, kind, "{line}"),
                (Err(answer), None) => {
                    assert!(answer["error"]["code"].is_i64() && answer["id"].is_null(), "{line}");
                }
                (read, _) => panic!("{line}: {read:?}"),
            }
        }
    }

    #[test]
    fn the_newer_era_repeats_itself_in_headers() {
        let call = |name: &str| {
            let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"});
            let params = json!({"name": name, "arguments": {}, "_meta": meta});
            let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
            Message::read(&call.to_string()).unwrap()
        };
        let message = call("pods_list");
        assert_eq!(message.era(), Era::Stateless);
        let headers = message.headers();
        assert_eq!(headers["mcp-protocol-version"], "2026-07-28");
        assert_eq!(
            (&headers["mcp-method"], &headers["mcp-name"]),
            (&"tools/call".parse().unwrap(), &"pods_list".parse().unwrap())
        );
        assert_eq!(call("p\u{f6}ds").headers()["mcp-name"], "=?base64?cMO2ZHM=?=");
        let older = Message::read(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#).unwrap();
        assert_eq!(older.era(), Era::Sessions);
        let takes_back = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"x"}}"#;
        assert_eq!(Message::read(takes_back).unwrap().cancels().as_deref(), Some("\"x\""));
    }
}
