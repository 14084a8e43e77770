//! Tokens, and what each of them shows.

use kubeplex_gateway::config::{GatewayConfig, TokenHash};
use kubeplex_test_support::agent::Behaviour::Pods;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::client::{Client, message};
use crate::world::World;

/// Ports of the system's choice, and a section a user, who is their own token.
fn config(callers: &[(&str, &str)]) -> GatewayConfig {
    let section = |(user, lists): &(&str, &str)| {
        let hash = TokenHash::of(user);
        format!("[[caller]]\nuser = \"{user}\"\ntoken_sha256 = \"{hash}\"\n{lists}\n")
    };
    let sections: String = callers.iter().map(section).collect();
    let gateway = "[gateway]\nlisten = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n";
    GatewayConfig::from_toml(&format!("{gateway}{sections}")).unwrap()
}

const EVERYTHING: &str = "clusters = [\"*\"]\nnamespaces = [\"*\"]\nkinds = [\"*\"]";

#[tokio::test]
async fn whoever_shows_no_token_is_told_what_to_do() {
    let world = World::of_config(config(&[("anna", EVERYTHING)]), &[("a", Pods(1))]).await;
    for (client, challenge, told) in [
        (world.client(), "Bearer", "no token was shown"),
        (
            world.client().with_token("wrong"),
            "Bearer error=\"invalid_token\"",
            "not one of this gateway's callers",
        ),
    ] {
        let response = client.request("tools/list", json!({})).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers()["www-authenticate"], challenge);
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["code"], "unauthenticated");
        assert!(body["message"].as_str().unwrap().contains(told) && body["hint"].is_string(), "{body}");
    }
    let claimed = world.client().request("tools/list", json!({})).header("x-forwarded-user", "anna");
    assert_eq!(claimed.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let anna = world.client().with_token("anna");
    // Whoever has a token may reach the gateway under any name.
    let listed = anna.request("tools/list", json!({})).header("host", "gateway.example.com");
    assert_eq!(listed.send().await.unwrap().status(), StatusCode::OK);
    let (_, metrics) = anna.admin("/metrics").await;
    for line in ["{reason=\"no_token\"} 2", "{reason=\"unknown_token\"} 1"] {
        let line = format!("kubeplex_gateway_requests_unidentified_total{line}");
        assert!(metrics.contains(&line), "{line} is not in\n{metrics}");
    }
}

#[tokio::test]
async fn a_cluster_out_of_reach_is_like_one_that_there_is_not() {
    let prod = "clusters = [\"prod-*\"]\nnamespaces = [\"*\"]\nkinds = [\"pods\"]";
    let callers = [("anna", EVERYTHING), ("ben", prod), ("carl", "clusters = [\"*\"]")];
    let clusters = [("prod-eu", Pods(2)), ("prod-us", Pods(3)), ("test", Pods(4))];
    let world = World::of_config(config(&callers), &clusters).await;
    let (anna, ben) = (world.client().with_token("anna"), world.client().with_token("ben"));
    for (client, expected, total) in [(&anna, 3, 9), (&ben, 2, 5)] {
        let answer = client.pods(json!({"limit": 100, "maxBytes": 100_000})).await;
        assert_eq!((&answer["clusters"]["expected"], &answer["total"]), (&json!(expected), &json!(total)));
        let listed = &client.call("clusters_list", json!({})).await["structuredContent"];
        assert_eq!(listed["total"], expected, "{listed}");
    }
    assert_eq!(world.agents[2].asked(), 1, "ben's call did not reach it");
    // The same words, but for the name asked for, and none of the clusters that are out of reach.
    let refused = |name: &'static str| {
        let ben = ben.clone();
        async move { ben.call("pods_list", json!({"cluster": name})).await["structuredContent"].to_string() }
    };
    let (hidden, missing) = (refused("test").await, refused("tost").await);
    assert_eq!(hidden.replace("test", "tost"), missing);
    assert!(hidden.contains("not_found") && !hidden.replace("\\\"test\\\"", "").contains("test"), "{hidden}");
    let nodes = |listed: &Value| listed["structuredContent"].to_string().contains("2/3");
    assert!(!nodes(&ben.call("clusters_list", json!({})).await), "ben may not see nodes");
    let carl = world.client().with_token("carl");
    let listed = carl.ask("tools/list", json!({})).await;
    assert_eq!(listed["result"]["tools"], json!([]), "carl sees no object, so there is no tool for him");
}

#[tokio::test]
async fn every_leg_says_who_asks_and_what_they_may_see() {
    let shop = "groups = [\"developers\"]\nclusters = [\"*\"]\nnamespaces = [\"shop\"]\nkinds = [\"pods\"]";
    let world = World::of_config(config(&[("anna", shop)]), &[("a", Pods(1)), ("b", Pods(1))]).await;
    world.client().with_token("anna").pods(json!({})).await;
    for agent in &world.agents {
        let context = agent.latest().unwrap();
        assert_eq!(
            (context.caller.user.as_str(), context.caller.groups.as_slice()),
            ("anna", &["developers".to_owned()][..])
        );
        let seen = serde_json::to_value(&context.visibility).unwrap();
        assert_eq!(
            seen,
            json!([{"kinds": {"only": ["pods"]}, "namespaces": {"only": ["shop"]}, "names": "all"}])
        );
    }
}

#[tokio::test]
async fn a_session_of_one_caller_is_unknown_to_others() {
    let callers = config(&[("anna", EVERYTHING), ("ben", EVERYTHING)]);
    let world = World::of_config(callers, &[("a", Pods(1))]).await;
    let (anna, ben) = (world.client().with_token("anna"), world.client().with_token("ben"));
    let session = anna.initialize().await;
    let unknown = |client: &Client, id: &str| {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
        client.post(body.to_string()).header("mcp-session-id", id)
    };
    let (theirs, none) = (unknown(&ben, &session.id), unknown(&ben, "no-such-session"));
    let (theirs, none) = (theirs.send().await.unwrap(), none.send().await.unwrap());
    assert_eq!((theirs.status(), none.status()), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
    assert_eq!(theirs.text().await.unwrap(), none.text().await.unwrap());
    ben.delete(&session.id).await;
    let listed = message(unknown(&anna, &session.id).send().await.unwrap()).await;
    assert!(listed["result"]["tools"].is_array(), "it is still hers: {listed}");
}

#[tokio::test]
async fn a_cursor_of_one_caller_is_of_no_use_to_another() {
    let callers = config(&[("anna", EVERYTHING), ("ben", EVERYTHING)]);
    let world = World::of_config(callers, &[("a", Pods(9))]).await;
    let page = world.client().with_token("anna").pods(json!({"limit": 3})).await;
    let rest = json!({"limit": 3, "continue": page["continue"]});
    let refused = world.client().with_token("ben").call("pods_list", rest).await;
    assert!(refused.to_string().contains("was given to another caller"), "{refused}");
}

#[tokio::test]
async fn callers_are_replaced_while_the_gateway_runs() {
    let world = World::of_config(config(&[("anna", EVERYTHING)]), &[("a", Pods(1))]).await;
    let status = |token: &'static str| {
        let client = world.client().with_token(token);
        async move { client.request("tools/list", json!({})).send().await.unwrap().status() }
    };
    assert_eq!((status("anna").await, status("ben").await), (StatusCode::OK, StatusCode::UNAUTHORIZED));
    world.gateway.callers().replace(config(&[("ben", EVERYTHING)]).callers());
    assert_eq!((status("anna").await, status("ben").await), (StatusCode::UNAUTHORIZED, StatusCode::OK));
}
