//! The lines that a person can paste to go on from here.

use std::net::SocketAddr;

use serde_json::json;

/// Three calls worth trying first.
pub const CALLS: [(&str, &str); 3] = [
    ("clusters_list", "{}"),
    ("pods_list", r#"{"sortBy":"-restarts","limit":10}"#),
    ("resources_list", r#"{"kind":"deployments","namespace":"shop"}"#),
];

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
pub fn call(listen: SocketAddr, tool: &str, arguments: &str) -> String {
    let program = std::env::args_os().next().unwrap_or_else(|| "kubeplex".into());
    let program = std::path::Path::new(&program).display().to_string();
    let endpoint = if listen == kubeplex_gateway::config::DEFAULT_LISTEN {
        String::new()
    } else {
        format!(" --endpoint {}", endpoint(listen))
    };
    let arguments = if arguments == "{}" { String::new() } else { format!(" '{arguments}'") };
    format!("{program} call{endpoint} {tool}{arguments}")
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
        assert!(call(listen, "clusters_list", "{}").ends_with(" call clusters_list"));
        let other: SocketAddr = "127.0.0.1:9".parse().unwrap();
        assert!(
            call(other, "pods_list", r#"{"limit":1}"#)
                .ends_with(r#"call --endpoint http://127.0.0.1:9/mcp pods_list '{"limit":1}'"#)
        );
    }
}
