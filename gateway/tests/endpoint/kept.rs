//! A page that is given again, as clients of either era get it.

use kubeplex_test_support::agent::Behaviour::Steady;
use serde_json::{Value, json};

use crate::client::{Client, message};
use crate::world::World;

fn question() -> Value {
    json!({"name": "pods_list", "arguments": {}})
}

/// What stands in a body for the age of its data.
fn ageless(body: &str) -> String {
    let mut body = body.to_owned();
    for mark in ["\"ageMs\":", "data at most "] {
        let at = body.find(mark).unwrap_or_else(|| panic!("no {mark} in {body}")) + mark.len();
        let digits = body[at..].bytes().take_while(u8::is_ascii_digit).count();
        body.replace_range(at..at + digits, "0");
    }
    body
}

async fn ask(client: &Client) -> String {
    let response = client.request("tools/call", question()).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    let length = response.headers()["content-length"].to_str().unwrap().parse::<usize>().unwrap();
    let body = response.text().await.unwrap();
    assert_eq!(body.len(), length);
    body
}

#[tokio::test]
async fn a_page_that_is_given_again_is_the_same_message_but_for_its_age() {
    let world = World::of(&[("a", Steady(3)), ("b", Steady(2))]).await;
    let client = world.client();
    let first = ask(&client).await;
    for _ in 0..3 {
        assert_eq!(ageless(&ask(&client).await), ageless(&first));
    }
    assert_eq!(world.agents[0].asked(), 1, "it is kept");

    let mut traced = question();
    traced["_meta"] = json!({"kubeplex/trace": true});
    let traced = client.ask("tools/call", traced).await["result"].take();
    assert_eq!(traced["_meta"]["kubeplex/trace"]["legs"][1]["kept"], "page", "{traced}");
    let first: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(traced["structuredContent"]["groups"], first["result"]["structuredContent"]["groups"]);
}

#[tokio::test]
async fn who_gets_streams_gets_the_same_page() {
    let world = World::of(&[("a", Steady(3))]).await;
    let client = world.client();
    let first: Value = serde_json::from_str(&ageless(&ask(&client).await)).unwrap();
    let session = client.initialize().await;
    let older = session.ask(7, "tools/call", question()).await;
    let mut told = question();
    told["_meta"] = json!({"progressToken": "p"});
    let with_progress = message(client.request("tools/call", told).send().await.unwrap()).await;
    for answer in [older, with_progress] {
        let answer: Value = serde_json::from_str(&ageless(&answer.to_string())).unwrap();
        for part in ["content", "structuredContent", "isError"] {
            assert_eq!(answer["result"][part], first["result"][part], "{part}");
        }
    }
    assert_eq!(world.agents[0].asked(), 1, "it is kept");
}

#[tokio::test]
async fn what_a_client_calls_its_request_does_not_lead_astray() {
    let world = World::of(&[("a", Steady(1))]).await;
    let client = world.client();
    let first: Value = serde_json::from_str(&ageless(&ask(&client).await)).unwrap();
    let id = r#"x","result":{"content":[],"#;
    let body = client.request("tools/call", question()).build().unwrap();
    let mut request: Value = serde_json::from_slice(body.body().unwrap().as_bytes().unwrap()).unwrap();
    request["id"] = json!(id);
    let mut again = body;
    *again.body_mut() = Some(request.to_string().into());
    again.headers_mut().remove("content-length");
    let answer = reqwest::Client::new().execute(again).await.unwrap().text().await.unwrap();
    let answer: Value = serde_json::from_str(&ageless(&answer)).unwrap();
    assert_eq!((&answer["id"], &answer["result"]), (&json!(id), &first["result"]));
    assert_eq!(world.agents[0].asked(), 1, "it is kept");
}
