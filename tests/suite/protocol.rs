//! The endpoint as a client sees it that speaks plain HTTP, in both eras of the protocol.

use kubeplex_tests::fleet::TestFleet;
use reqwest::header::ACCEPT;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use crate::ground;

const TOOLS: [&str; 15] = [
    "clusters_list",
    "problems_list",
    "cluster_health",
    "fleet_search",
    "fleet_diff",
    "api_resources_list",
    "resource_explain",
    "resources_list",
    "resources_get",
    "resources_describe",
    "pods_list",
    "pods_log",
    "top",
    "events_list",
    "changes_list",
];

/// What the ground has in one cluster, and what it has not.
const THERE: &str = "k8s://eu-1/shop/apps/deployments/leaky";
const NOT_THERE: &str = "k8s://eu-1/shop/apps/deployments/nobody";

#[test]
fn clients_with_sessions_are_served() {
    ground::simulated(with_a_session);
}

#[test]
fn clients_without_sessions_are_served() {
    ground::simulated(without_a_session);
}

fn post(fleet: &TestFleet, message: &Value) -> RequestBuilder {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    client.post(fleet.endpoint()).header(ACCEPT, "application/json, text/event-stream").json(message)
}

fn request(method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
}

/// The response among what came: a JSON body, or the last event of a stream.
async fn answer(response: Response) -> Value {
    let body = response.text().await.expect("a body");
    let events = body.lines().filter_map(|line| line.strip_prefix("data:"));
    let texts = std::iter::once(body.as_str()).chain(events);
    let answers = texts.filter_map(|text| serde_json::from_str::<Value>(text.trim()).ok());
    answers
        .filter(|answer| answer["id"] == 7)
        .reduce(|_, last| last)
        .unwrap_or_else(|| panic!("no answer in {body}"))
}

fn check_tools(answer: &Value) {
    let tools = answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("no tools in {answer}"));
    assert_eq!(tools.iter().map(|tool| &tool["name"]).collect::<Vec<_>>(), TOOLS);
    for tool in tools {
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{tool}");
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
        assert!(tool["title"].is_string() && tool["description"].is_string(), "{tool}");
    }
}

fn check_pods(answer: &Value) {
    let result = &answer["result"];
    let name = &result["structuredContent"]["groups"][0]["rows"][0][0];
    let text = result["content"][0]["text"].as_str().unwrap_or_default();
    assert!(text.contains(name.as_str().expect("a pod's name")), "the text says the same: {text}");
}

/// A resource is what a tool says of it.
fn check_resource(answer: &Value) {
    let contents = &answer["result"]["contents"][0];
    assert_eq!(
        (&contents["uri"], &contents["mimeType"]),
        (&json!(THERE), &json!("application/json")),
        "{answer}"
    );
    let text = contents["text"].as_str().unwrap_or_default();
    let said: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(said["objects"][0]["clusters"], json!(["eu-1"]));
    assert_eq!(said["objects"][0]["object"]["metadata"]["name"], "leaky");
    assert!(!text.contains("KUBEPLEX-LEAK-CANARY"), "redacted as everywhere: {text}");
}

async fn with_a_session(fleet: &'static TestFleet) {
    let params = json!({
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "suite", "version": "1"},
    });
    let response = post(fleet, &request("initialize", &params)).send().await.expect("a response");
    let session = response.headers().get("mcp-session-id").cloned().expect("a session");
    let welcome = answer(response).await;
    assert_eq!(welcome["result"]["protocolVersion"], "2025-11-25");
    assert!(welcome["result"]["instructions"].as_str().is_some_and(|text| text.contains("cluster")));

    let in_session = |message: &Value| {
        post(fleet, message).header("mcp-session-id", &session).header("mcp-protocol-version", "2025-11-25")
    };
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let response = in_session(&initialized).send().await.expect("a response");
    assert_eq!(response.status(), 202);
    let ask = async |method: &str, params: Value| {
        answer(in_session(&request(method, &params)).send().await.expect("a response")).await
    };
    check_tools(&ask("tools/list", json!({})).await);
    check_pods(&ask("tools/call", json!({"name": "pods_list", "arguments": {"limit": 3}})).await);
    check_resource(&ask("resources/read", json!({"uri": THERE})).await);
    let unknown = ask("tools/call", json!({"name": "pods_delete", "arguments": {}})).await;
    assert!(unknown["error"]["code"].is_i64(), "the protocol's own error: {unknown}");
}

async fn without_a_session(fleet: &'static TestFleet) {
    let ask = async |method: &str, name: Option<&str>, mut params: Value| {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "suite", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let mut sent = post(fleet, &request(method, &params))
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", method);
        if let Some(name) = name {
            sent = sent.header("mcp-name", name);
        }
        let response = sent.send().await.expect("a response");
        assert!(response.headers().get("mcp-session-id").is_none(), "no session was asked for");
        answer(response).await
    };
    check_tools(&ask("tools/list", None, json!({})).await);
    let call = |name: &str| json!({"name": name, "arguments": {"limit": 3}});
    check_pods(&ask("tools/call", Some("pods_list"), call("pods_list")).await);
    let templates = ask("resources/templates/list", None, json!({})).await;
    assert_eq!(templates["result"]["resourceTemplates"].as_array().map(Vec::len), Some(2), "{templates}");
    check_resource(&ask("resources/read", Some(THERE), json!({"uri": THERE})).await);
    let nobody = ask("resources/read", Some(NOT_THERE), json!({"uri": NOT_THERE})).await;
    assert_eq!(nobody["error"]["data"]["code"], "not_found", "{nobody}");
    let clusters = ask("resources/read", Some("fleet://clusters"), json!({"uri": "fleet://clusters"})).await;
    assert!(
        clusters["result"]["contents"][0]["text"].as_str().is_some_and(|text| text.contains("eu-1")),
        "{clusters}"
    );
    let unknown = ask("tools/call", Some("pods_delete"), call("pods_delete")).await;
    assert!(unknown["error"]["code"].is_i64(), "the protocol's own error: {unknown}");
}
