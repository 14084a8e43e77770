//! Bodies that are not JSON, not JSON-RPC, or not calls.

use serde_json::json;

use super::fleet;
use super::raw::{answer, message, post, request};

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_posted_gets_an_error_and_the_next_call_an_answer() {
    let rig = fleet().await;
    let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let call = |arguments: &str| {
        let body =
            request("tools/call", &json!({"name": "pods_list", "arguments": {"cluster": "@"}})).to_string();
        body.replace("{\"cluster\":\"@\"}", arguments)
    };
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("a word", b"hello".to_vec()),
        ("half a request", br#"{"jsonrpc":"2.0","id":1,"method":"tools/ca"#.to_vec()),
        ("bytes", vec![0xff, 0xfe, 0x00, 0x80]),
        ("no UTF-8 in a text", b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\xfe\"}".to_vec()),
        ("a number", b"7".to_vec()),
        ("null", b"null".to_vec()),
        ("an array", b"[]".to_vec()),
        ("a batch", br#"[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]"#.to_vec()),
        ("an empty object", b"{}".to_vec()),
        ("another protocol", br#"{"jsonrpc":"1.0","id":1,"method":"tools/list"}"#.to_vec()),
        ("a method that is no text", br#"{"jsonrpc":"2.0","id":1,"method":7}"#.to_vec()),
        ("a method that is not there", request("tools/destroy", &json!({})).to_string().into_bytes()),
        ("a call without a name", request("tools/call", &json!({"arguments": {}})).to_string().into_bytes()),
        ("a call of a number", request("tools/call", &json!({"name": 7})).to_string().into_bytes()),
        ("an empty name", request("tools/call", &json!({"name": ""})).to_string().into_bytes()),
        ("arguments in an array", call("[1]").into_bytes()),
        ("arguments as a text", call("\"{}\"").into_bytes()),
        ("depth 63", call(&format!("{{\"cluster\":{}}}", deep(55))).into_bytes()),
        ("depth 100", call(&format!("{{\"cluster\":{}}}", deep(100))).into_bytes()),
        ("depth 300,000", deep(300_000).into_bytes()),
        ("braces", "{\"a\":".repeat(200_000).into_bytes()),
        ("two megabytes", vec![b' '; 2 << 20]),
    ];
    for (what, body) in bodies {
        let (status, body) = answer(post(&rig, "tools/call", body)).await;
        assert!(!status.is_server_error(), "{what}: {status} {body}");
        let message = message(&body);
        let failed = message.get("error").is_some() || message["result"]["isError"] == true;
        assert!(failed, "{what}: {message}");
        assert!(body.len() < 2_000, "{what}: {} bytes", body.len());
        assert_ne!(message["result"]["structuredContent"]["code"], "internal", "{what}: {message}");
        assert_ne!(message["error"]["code"], -32_603, "{what}: {message}");
    }
    let good = rig.pods(json!({})).await;
    assert!(!good.is_partial());
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_heads_do_no_harm() {
    let rig = fleet().await;
    let body = request("tools/call", &json!({"name": "pods_list", "arguments": {}})).to_string();
    for (name, value) in [
        ("mcp-protocol-version", "1999-01-01"),
        ("mcp-protocol-version", "\u{fc}"),
        ("mcp-method", "tools/list"),
        ("mcp-name", "resources_list"),
        ("mcp-session-id", "made-up"),
        ("content-type", "text/plain"),
        ("accept", "image/png"),
        ("last-event-id", "7"),
    ] {
        let request = post(&rig, "tools/call", body.clone()).build().unwrap();
        let (mut parts, endpoint) = (request, reqwest::Client::builder().no_proxy().build().unwrap());
        parts.headers_mut().insert(name, reqwest::header::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        let response = endpoint.execute(parts).await.unwrap();
        assert!(!response.status().is_server_error(), "{name}: {value}: {}", response.status());
    }
    rig.stop().await;
}
