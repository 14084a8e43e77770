//! What a client of stdio is told of calls that are under way: their progress, and what became of them when their gateway
//! went away.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use parking_lot::Mutex;
use serde_json::{Value, json};
use simcluster::{Fault, FaultAction, Verb};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{ANY, Home};

/// A call that takes some seconds, at an API server that hesitates.
#[tokio::test(flavor = "multi_thread")]
async fn the_progress_of_a_slow_call_is_told_in_both_eras() {
    let home = Home::new().await;
    let mut client = home.client("first");
    client.initialize().await;
    let pods = client.pods(2).await;
    let slow =
        Fault::new(FaultAction::Latency(Duration::from_millis(3_500))).verb(Verb::List).resource("pods");
    home.sim.faults().add(slow);
    let stateless = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    for (id, token, mut meta) in [(3, json!("a"), json!({})), (4, json!(7), stateless)] {
        meta["progressToken"] = token.clone();
        let params = json!({"name": "pods_list", "arguments": {"freshness": "live"}, "_meta": meta});
        client.send(&json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})).await;
        let mut told = Vec::new();
        let answer = loop {
            let message = client.receive().await;
            if message["id"] == id {
                break message;
            }
            assert_eq!(message["method"], "notifications/progress", "{message}");
            assert_eq!(message["params"]["progressToken"], token, "{message}");
            told.push(message["params"]["message"].as_str().unwrap_or_default().to_owned());
        };
        assert_eq!(answer["result"]["structuredContent"]["total"], pods, "{answer}: {}", home.log("first"));
        assert!(told.len() >= 2 && told[0] == "0 of 1 clusters answered", "{told:?}");
    }
    client.end().await;
}

/// A gateway made by hand that dies over the first call of each tool.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_been_done_is_not_asked_again() {
    let home = Home::new().await;
    let calls = Arc::new(Mutex::new(Vec::<String>::new()));
    let seen = Arc::clone(&calls);
    let mcp = post(move |axum::Json(message): axum::Json<Value>| async move {
        let tool = |name: &str, hints: Value| json!({"name": name, "annotations": hints});
        let result = if message["method"] == "tools/list" {
            let get = tool("get", json!({"readOnlyHint": true}));
            let scale = tool("scale", json!({"idempotentHint": true}));
            json!({"tools": [get, scale, tool("delete", json!({"destructiveHint": true}))]})
        } else {
            let name = message["params"]["name"].as_str().expect("a tool").to_owned();
            let is_first = !seen.lock().contains(&name);
            seen.lock().push(name.clone());
            assert!(!is_first, "the end of the connection, in the middle of {name}");
            json!({"content": [{"type": "text", "text": name}]})
        };
        axum::Json(json!({"jsonrpc": "2.0", "id": message["id"], "result": result}))
    });
    let ready = get(|| async { axum::Json(json!({"instance": "made by hand"})) });
    let app = Router::new().route("/mcp", mcp).route("/readyz", ready);
    let listener = TcpListener::bind(ANY).await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let mut serving = JoinSet::new();
    serving.spawn(async move { axum::serve(listener, app).await.expect("it serves") });
    home.announce(address).await;

    let mut client = home.client("first");
    for (id, tool, wanted) in [(1, "get", 2), (2, "scale", 2), (3, "delete", 1), (4, "unheard_of", 1)] {
        let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"});
        let answer =
            client.ask(id, "tools/call", json!({"name": tool, "arguments": {}, "_meta": meta})).await;
        let answered = answer["result"]["content"][0]["text"] == tool;
        let told = answer["error"]["message"].as_str().unwrap_or_default();
        assert_eq!(answered, wanted == 2, "{answer}");
        assert_eq!(told.contains("may have been done"), wanted == 1, "{answer}");
        assert_eq!(calls.lock().iter().filter(|name| *name == tool).count(), wanted, "{tool}");
    }
    client.end().await;
}
