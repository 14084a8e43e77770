//! What may be asked twice, where a gateway went away without an answer and nobody knows whether it had begun.
//!
//! Reads may, and so may tools of which the gateway says that they only read, or that doing it twice is doing it once. Of a
//! tool about which nothing is said, nothing is assumed.

use std::collections::HashMap;

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Bridge, Failure, Message, Reply, Target};

/// Requests of the protocol that change nothing, or come to the same however often they are made.
const HARMLESS: [&str; 13] = [
    "initialize",
    "server/discover",
    "ping",
    "logging/setLevel",
    "completion/complete",
    "tools/list",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
];

/// Of the era that needs no session: what the client has negotiated is not touched.
const PROTOCOL: &str = "2026-07-28";

/// Whether a message may be sent again.
#[derive(Debug, PartialEq, Eq)]
enum Twice<'a> {
    Harmless,
    AsToolSays(&'a str),
    Unknown,
}

impl<'a> Twice<'a> {
    fn of(message: &'a Message) -> Self {
        match message.method() {
            "tools/call" => message.value["params"]["name"].as_str().map_or(Self::Unknown, Self::AsToolSays),
            method if HARMLESS.contains(&method) => Self::Harmless,
            _ => Self::Unknown,
        }
    }
}

/// Which tools of an answer to `tools/list` may be called twice.
fn harmless_tools(answer: &Value) -> HashMap<String, bool> {
    let tools = answer["result"]["tools"].as_array().into_iter().flatten();
    let said = |tool: &Value, hint: &str| tool["annotations"][hint] == true;
    let harmless = |tool: &Value| said(tool, "readOnlyHint") || said(tool, "idempotentHint");
    tools.filter_map(|tool| Some((tool["name"].as_str()?.to_owned(), harmless(tool)))).collect()
}

impl Bridge {
    /// Whether a message may be sent to `target` that another gateway may have worked on.
    pub(super) async fn may_repeat(&self, target: &Target, message: &Message) -> bool {
        match Twice::of(message) {
            Twice::Harmless => true,
            Twice::AsToolSays(tool) => match self.tools_of(target).await {
                Ok(tools) => tools.get(tool).copied().unwrap_or_default(),
                Err(_) => false,
            },
            Twice::Unknown => false,
        }
    }

    async fn tools_of(&self, target: &Target) -> Result<HashMap<String, bool>, Failure> {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": PROTOCOL,
            "io.modelcontextprotocol/clientInfo": {"name": "kubeplex-stdio", "version": env!("CARGO_PKG_VERSION")},
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let request =
            json!({"jsonrpc": "2.0", "id": "hints", "method": "tools/list", "params": {"_meta": meta}});
        let unreadable = |_| Failure::BrokeOff("a message of the bridge's own can't be read".to_owned());
        let message = Message::read(&request.to_string()).map_err(unreadable)?;
        let response = self.post(target, message.headers(), &message.value).await?;
        if response.status() != StatusCode::OK {
            return Err(Failure::BrokeOff(format!("HTTP {} to tools/list", response.status())));
        }
        let mut reply = Reply::new(response);
        while let Some(answer) = reply.next().await? {
            if answer["id"] == "hints" {
                return Ok(harmless_tools(&answer));
            }
        }
        Err(Failure::BrokeOff("no answer to tools/list".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_to_do_no_harm_is_asked_twice() {
        for (line, expected) in [
            (r#"{"id":1,"method":"tools/list"}"#, Twice::Harmless),
            (r#"{"id":1,"method":"resources/read"}"#, Twice::Harmless),
            (
                r#"{"id":1,"method":"tools/call","params":{"name":"pods_list"}}"#,
                Twice::AsToolSays("pods_list"),
            ),
            (r#"{"id":1,"method":"tools/call"}"#, Twice::Unknown),
            (r#"{"id":1,"method":"tasks/cancel"}"#, Twice::Unknown),
        ] {
            let message = Message::read(line).unwrap();
            assert_eq!(Twice::of(&message), expected, "{line}");
        }
        let tool = |name: &str, annotations: Value| json!({"name": name, "annotations": annotations});
        let tools = [
            tool("get", json!({"readOnlyHint": true})),
            tool("scale", json!({"readOnlyHint": false, "idempotentHint": true})),
            tool("delete", json!({"readOnlyHint": false, "idempotentHint": false})),
            tool("restart", json!({})),
            json!({"name": "bare"}),
        ];
        let known = harmless_tools(&json!({"result": {"tools": tools}}));
        for (name, expected) in
            [("get", true), ("scale", true), ("delete", false), ("restart", false), ("bare", false)]
        {
            assert_eq!(known.get(name), Some(&expected), "{name}");
        }
        assert!(harmless_tools(&json!({"error": {}})).is_empty());
    }
}
