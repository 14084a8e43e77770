//! Both eras of the protocol, as clients really speak them.

use kubeplex_test_support::agent::Behaviour::{Hang, Pods};
use serde_json::{Value, json};

use crate::client::{NEWER, OLDER, events, message};
use crate::world::World;

#[tokio::test]
async fn the_newer_era_needs_no_session() {
    let world = World::of(&[("a", Pods(2))]).await;
    let client = world.client();
    let discovered = client.ask("server/discover", json!({})).await;
    let versions = discovered["result"]["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&json!(NEWER)) && versions.contains(&json!(OLDER)), "{discovered}");
    let listed = client.ask("tools/list", json!({})).await;
    assert!(tool_names(&listed).contains(&"pods_list".to_owned()));
    assert!(listed["result"].get("nextCursor").is_none(), "{listed}");
    assert_eq!(client.pods(json!({})).await["total"], 2);
}

#[tokio::test]
async fn the_older_era_has_sessions_and_takes_messages_as_vs_code_sends_them() {
    let world = World::of(&[("a", Pods(2))]).await;
    let client = world.client();
    let session = client.initialize().await;
    // Before "initialized", and without a version header.
    let level = session.ask(1, "logging/setLevel", json!({"level": "info"})).await;
    assert!(level["error"].is_null(), "{level}");
    assert_eq!(session.notify("notifications/initialized", json!({})).await, 202);
    let listed = session.ask(2, "tools/list", json!({})).await;
    assert!(tool_names(&listed).contains(&"resources_get".to_owned()));
    assert!(listed["result"].get("nextCursor").is_none(), "{listed}");
    let called = session.ask(3, "tools/call", json!({"name": "pods_list", "arguments": {}})).await;
    assert_eq!(called["result"]["structuredContent"]["total"], 2, "{called}");
    assert!(called["result"].get("resultType").is_none(), "that field belongs to the newer era");
    assert!(client.delete(&session.id).await.is_success());
    let gone = session.message(json!({"jsonrpc": "2.0", "id": 4, "method": "ping"})).send().await.unwrap();
    assert_eq!(gone.status(), 404);
}

#[tokio::test]
async fn an_unknown_tool_is_an_error_of_the_protocol_and_bad_arguments_are_a_result() {
    let world = World::of(&[("a", Pods(1))]).await;
    let client = world.client();
    let unknown = client.ask("tools/call", json!({"name": "pods_delete", "arguments": {}})).await;
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
    assert!(unknown["error"]["message"].as_str().unwrap().contains("pods_delete"));
    let wrong = client.call("pods_list", json!({"limit": "many"})).await;
    assert_eq!(wrong["isError"], true);
    assert_eq!(wrong["structuredContent"]["code"], "invalid_argument");
    assert!(wrong["structuredContent"]["message"].as_str().unwrap().contains("limit"), "{wrong}");
}

/// As curl and simple scripts ask; whoever names types gets no other.
#[tokio::test]
async fn a_client_that_takes_anything_is_served_in_both_eras() {
    let world = World::of(&[("a", Pods(1))]).await;
    let client = world.client();
    for (accept, status) in
        [("*/*", 200), ("application/*;q=0.9", 200), ("image/png", 406), ("application/json", 406)]
    {
        let mut newer = client.request("tools/list", json!({})).build().unwrap();
        newer.headers_mut().insert("accept", accept.parse().unwrap());
        let older = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": crate::client::OLDER, "capabilities": {}, "clientInfo": {"name": "curl", "version": "1"},
        }});
        let mut older = client.post(older.to_string()).build().unwrap();
        older.headers_mut().insert("accept", accept.parse().unwrap());
        for (era, request) in [("newer", newer), ("older", older)] {
            let response = reqwest::Client::new().execute(request).await.unwrap();
            assert_eq!(response.status(), status, "{era} {accept}");
            if status == 200 {
                assert!(message(response).await["result"].is_object(), "{era} {accept}");
            }
        }
    }
}

#[tokio::test]
async fn the_fixtures_are_there_only_where_they_are_asked_for() {
    let world = World::of(&[]).await;
    let listed = world.client().ask("tools/list", json!({})).await;
    assert!(tool_names(&listed).iter().all(|name| !name.starts_with("test_")), "{listed}");
    let prompts = world.client().ask("prompts/list", json!({})).await;
    assert_eq!(prompts["error"]["code"], -32601, "{prompts}");
}

#[tokio::test]
async fn a_long_call_reports_progress_if_the_client_wants_it() {
    let world = World::of(&[("a", Pods(1)), ("b", Hang)]).await;
    let client = world.client();
    let params = json!({
        "name": "pods_list",
        "arguments": {"timeoutSeconds": 4},
        "_meta": {"progressToken": "t-1"},
    });
    let response = client.request("tools/call", params).send().await.unwrap();
    let messages = events(&response.text().await.unwrap());
    let (last, progress) = messages.split_last().unwrap();
    assert!(progress.len() >= 2, "{messages:?}");
    let values: Vec<_> =
        progress.iter().map(|message| message["params"]["progress"].as_f64().unwrap()).collect();
    assert!(values.is_sorted_by(|a, b| a < b), "{values:?}");
    assert_eq!(progress[0]["params"]["progressToken"], "t-1");
    assert_eq!(progress[0]["params"]["message"], "1 of 2 clusters answered");
    assert_eq!(last["result"]["structuredContent"]["partial"], true, "{last}");
}

#[tokio::test]
async fn a_client_that_leaves_cancels_its_call_in_the_newer_era() {
    let world = World::of(&[("a", Hang)]).await;
    let client = world.client();
    let call = client
        .request("tools/call", json!({"name": "pods_list", "arguments": {"timeoutSeconds": 60}}))
        .send();
    tokio::select! {
        _ = call => panic!("a hanging cluster can't answer"),
        () = world.agents[0].until_asked() => {}
    }
    world.agents[0].until_given_up().await;
    world.gateway.pipeline().drain().await;
}

#[tokio::test]
async fn a_cancelled_notification_cancels_in_the_older_era() {
    let world = World::of(&[("a", Hang)]).await;
    let client = world.client();
    let session = client.initialize().await;
    session.notify("notifications/initialized", json!({})).await;
    let params = json!({"name": "pods_list", "arguments": {"timeoutSeconds": 60}});
    let body = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params});
    let _stream = session.message(body).send().await.unwrap();
    world.agents[0].until_asked().await;
    let cancelled =
        session.notify("notifications/cancelled", json!({"requestId": 7, "reason": "enough"})).await;
    assert_eq!(cancelled, 202);
    world.agents[0].until_given_up().await;
}

#[tokio::test]
async fn an_unsupported_version_is_refused_with_the_ones_there_are() {
    let world = World::of(&[]).await;
    let params = json!({"_meta": {
        "io.modelcontextprotocol/protocolVersion": "2031-01-01",
        "io.modelcontextprotocol/clientCapabilities": {},
    }});
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params});
    let request = world.client().post(body.to_string());
    let request = request.header("mcp-protocol-version", "2031-01-01").header("mcp-method", "tools/list");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 400);
    let answer = message(response).await;
    assert!(
        answer["error"]["data"]["supported"]
            .as_array()
            .is_some_and(|versions| versions.contains(&json!(NEWER)))
    );
}

fn tool_names(listed: &Value) -> Vec<String> {
    let tools = listed["result"]["tools"].as_array().unwrap_or_else(|| panic!("no tools: {listed}"));
    tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}
