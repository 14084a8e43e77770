//! The lines that a person can paste to go on from here.

use std::net::SocketAddr;

use serde_json::json;

/// What somebody is told who has just started clusters.
#[derive(Debug, Clone)]
pub struct Hints {
    /// What there is to see, in lines; nothing where that is not known.
    pub story: Vec<String>,
    /// What is worth asking first.
    pub questions: [Question; 3],
}

/// A question in plain words, and the call that answers it.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    pub ask: &'static str,
    pub tool: &'static str,
    pub arguments: &'static str,
}

impl Hints {
    /// For clusters of which nothing is known but that they are clusters.
    pub const FOR_STRANGERS: Self = Self {
        story: Vec::new(),
        questions: [
            Question { ask: "Which clusters are there?", tool: "clusters_list", arguments: "{}" },
            Question {
                ask: "Which pods restart most, over all clusters?",
                tool: "pods_list",
                arguments: r#"{"sortBy":"-restarts","limit":10}"#,
            },
            Question {
                ask: "Which nodes are there, and are they well?",
                tool: "resources_list",
                arguments: r#"{"kind":"nodes"}"#,
            },
        ],
    };
}

impl Question {
    /// The call, for a gateway.
    pub fn as_typed(&self, endpoint: &str) -> String {
        call(endpoint, self.tool, self.arguments)
    }
}

/// The MCP endpoint of a gateway.
pub fn endpoint(listen: SocketAddr) -> String {
    format!("http://{listen}/mcp")
}

/// Adds the endpoint to VS Code.
pub fn vs_code(listen: SocketAddr) -> String {
    let server = json!({"name": "kubeplex", "type": "http", "url": endpoint(listen)});
    format!("code --add-mcp '{server}'")
}

/// A `kubeplex call` that reaches this gateway, as it would be typed.
pub fn call(endpoint: &str, tool: &str, arguments: &str) -> String {
    let program = std::env::args_os().next().unwrap_or_else(|| "kubeplex".into());
    let program = std::path::Path::new(&program).display().to_string();
    let default = self::endpoint(kubeplex_gateway::config::DEFAULT_LISTEN);
    let endpoint = if endpoint == default { String::new() } else { format!(" --endpoint {endpoint}") };
    let arguments = if arguments == "{}" { String::new() } else { format!(" {}", quoted(arguments)) };
    format!("{program} call{endpoint} {tool}{arguments}")
}

/// For a shell.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_can_be_pasted() {
        let listen: SocketAddr = "127.0.0.1:7575".parse().unwrap();
        assert_eq!(
            vs_code(listen),
            r#"code --add-mcp '{"name":"kubeplex","type":"http","url":"http://127.0.0.1:7575/mcp"}'"#
        );
        assert!(call(&endpoint(listen), "clusters_list", "{}").ends_with(" call clusters_list"));
        assert!(
            call("http://127.0.0.1:9/mcp", "pods_list", r#"{"limit":1}"#)
                .ends_with(r#"call --endpoint http://127.0.0.1:9/mcp pods_list '{"limit":1}'"#)
        );
        assert!(call("x", "t", r#"{"name":"it's"}"#).ends_with(r#"t '{"name":"it'\''s"}'"#));
    }
}
