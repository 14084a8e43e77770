//! A new configuration for a gateway that runs.

use kubeplex_gateway::config::{ExpectedCluster, TokenHash};
use kubeplex_gateway::fleet::LinkState;
use kubeplex_gateway::limits::{Limits, LocalUser, Rate, Rates};
use kubeplex_gateway::{ReloadError, Reloaded};
use kubeplex_test_support::agent::Behaviour::Pods;
use serde_json::json;

use crate::floods::with_callers;
use crate::world::{World, expected, loopback};

#[tokio::test]
async fn clusters_come_and_go_and_calls_see_it() {
    let world = World::of(&[("a", Pods(1)), ("b", Pods(1))]).await;
    let client = world.client();
    let relabelled =
        ExpectedCluster { labels: [("stage".to_owned(), "new".to_owned())].into(), ..expected("b") };
    let reloaded =
        world.gateway.reload(loopback().with_cluster(relabelled).with_cluster(expected("c"))).unwrap();
    let names =
        |ids: &[kubeplex_proto::ids::ClusterId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&reloaded.added), ["c"]);
    assert_eq!(names(&reloaded.removed), ["a"]);
    assert_eq!(names(&reloaded.changed), ["b"]);
    assert_eq!(reloaded.waiting, [""; 0]);
    let answer = client.pods(json!({})).await;
    assert_eq!((&answer["total"], &answer["clusters"]["expected"]), (&json!(1), &json!(2)), "{answer}");
    assert_eq!(answer["clusters"]["problems"][0]["cluster"], "c", "{answer}");
    let selected = client.pods(json!({"clusterSelector": "stage=new"})).await;
    assert_eq!(selected["clusters"]["expected"], 1, "its link was not touched: {selected}");
    assert_eq!(client.call("pods_list", json!({"cluster": "a"})).await["isError"], true);
    let links = world.gateway.registry().snapshot();
    assert!(links.clusters().iter().all(|cluster| cluster.id.as_str() != "a"));
    assert_eq!(links.clusters()[0].link, LinkState::Connected);
    // The same once more is no news.
    let again = loopback().with_cluster(expected("c"));
    let relabelled =
        ExpectedCluster { labels: [("stage".to_owned(), "new".to_owned())].into(), ..expected("b") };
    assert_eq!(world.gateway.reload(again.with_cluster(relabelled)), Ok(Reloaded::default()));
}

#[tokio::test]
async fn a_file_that_is_cut_off_before_its_first_cluster_changes_nothing() {
    let world = World::of(&[("a", Pods(1))]).await;
    assert_eq!(world.gateway.reload(loopback()), Err(ReloadError::NoClusters { expected: 1 }));
    let answer = world.client().pods(json!({})).await;
    assert_eq!((&answer["total"], &answer["partial"]), (&json!(1), &json!(null)), "{answer}");
}

#[tokio::test]
async fn callers_and_rates_change_and_what_must_wait_is_named() {
    let world = World::empty(loopback()).await;
    let client = world.client();
    let list = async |token: Option<&str>| {
        let request = client.request("tools/list", json!({}));
        let request = token.into_iter().fold(request, |request, token| request.bearer_auth(token));
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(list(None).await, 200);
    let rates = "[rates]\nrequests_per_second = 1\nrequests_burst = 1\n[limits]\nsessions = 5\n[link]\nlost_after_ms = 20000";
    let reloaded = world.gateway.reload(with_callers(rates)).unwrap();
    assert_eq!(reloaded.waiting, ["link", "limits.sessions"]);
    let statuses =
        [list(None).await, list(Some("anna")).await, list(Some("anna")).await, list(Some("ben")).await];
    assert_eq!(statuses, [401, 200, 429, 200]);
}

#[tokio::test]
async fn the_local_user_is_limited_when_the_configuration_says_so() {
    let world = World::of(&[("a", Pods(1))]).await;
    let client = world.client();
    for _ in 0..3 {
        client.pods(json!({})).await;
    }
    let local_user = LocalUser::Limited;
    let rates = Rates { cached: Rate::new(1, 1), local_user, ..Rates::default() };
    let limits = Limits { rates, ..Limits::default() };
    world.gateway.reload(loopback().with_cluster(expected("a")).with_limits(limits)).unwrap();
    client.pods(json!({})).await;
    let refused = client.call("pods_list", json!({})).await["structuredContent"].clone();
    assert_eq!((&refused["code"], &refused["cluster"]), (&json!("rate_limited"), &json!("a")), "{refused}");
    assert!(refused["retryAfterMs"].as_u64().is_some_and(|wait| (1..=1_000).contains(&wait)), "{refused}");
}

#[tokio::test]
async fn an_agent_of_this_process_whose_cluster_got_a_token_is_attached_again() {
    let world = World::of(&[("a", Pods(1))]).await;
    let token = Some(TokenHash::of("t"));
    world.gateway.reload(loopback().with_cluster(ExpectedCluster { token, ..expected("a") })).unwrap();
    world.until_all_reported().await;
    assert_eq!(world.client().pods(json!({})).await["total"], 1);
}
