//! Links that die without a word, seen from either end, and gateways that come back.

use kubeplex_proto::status::LegStatus;
use kubeplex_tests::quick::brisk;
use kubeplex_tests::wait;
use serde_json::json;

use super::Answer;
use super::rig::{Rig, Setup, small};

async fn fleet() -> (Rig, Answer) {
    let rig = Setup::new().timings(brisk()).sim(small("eu", 1)).sim(small("us", 2)).ready().await;
    let before = rig.pods(json!({})).await;
    assert!(!before.is_partial(), "{}", before.ok());
    (rig, before)
}

fn without_eu(before: &Answer, answer: &Answer) {
    assert_eq!(answer.rows_of("us"), before.rows_of("us"));
    assert!(answer.rows_of("eu").is_empty());
    assert!(answer.is_partial());
    let problem = answer.problem("eu");
    assert_eq!(problem["status"], "disconnected", "{problem}");
    assert_eq!(problem["rowsShown"], "none");
    assert!(problem["since"].is_string(), "{problem}");
    let message = problem["message"].as_str().unwrap();
    assert!(message.contains("no link") && message.contains("last known"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_notices_a_link_that_went_silent() {
    let (rig, before) = fleet().await;
    rig.proxy("eu").freeze();
    rig.lost("eu").await;
    let answer = rig.pods(json!({"timeoutSeconds": 60})).await;
    without_eu(&before, &answer);
    assert!(!answer.was_asked("eu"), "no leg goes to a lost cluster: {}", answer.leg("eu"));
    assert!(answer.took_ms() < 5_000, "{} ms", answer.took_ms());
    let only = rig.call("pods_list", json!({"cluster": "eu"})).await;
    assert_eq!((&only.refused()["code"], &only.refused()["cluster"]), (&json!("unavailable"), &json!("eu")));
    let clusters = rig.call("clusters_list", json!({"fields": "name,link", "output": "json"})).await;
    assert!(clusters.ok().to_string().contains("lost"), "{}", clusters.ok());
    rig.proxy("eu").thaw();
    rig.ready("eu").await;
    let after = rig.pods(json!({})).await;
    assert_eq!(after.places(), before.places());
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_under_way_when_its_link_goes_silent_ends_with_the_link() {
    let (rig, before) = fleet().await;
    rig.proxy("eu").freeze();
    // A question whose answer nobody has kept.
    let answer = rig.pods(json!({"timeoutSeconds": 60, "limit": 999})).await;
    assert!(answer.was_asked("eu"), "the link was not known to be dead");
    without_eu_rows(&before, &answer);
    assert!(
        answer.took_ms() < 30_000,
        "it did not wait for the call's own deadline: {} ms",
        answer.took_ms()
    );
    rig.proxy("eu").thaw();
    rig.ready("eu").await;
    rig.stop().await;
}

fn without_eu_rows(before: &Answer, answer: &Answer) {
    assert_eq!(answer.rows_of("us"), before.rows_of("us"));
    assert!(answer.rows_of("eu").is_empty());
    let status = &answer.problem("eu")["status"];
    assert_eq!(*status, json!(LegStatus::Disconnected), "{}", answer.problem("eu"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_notices_that_it_hears_nothing_and_dials_again() {
    let (rig, before) = fleet().await;
    let connections = rig.proxy("eu").connections();
    // The gateway still hears the agent: only the agent can notice.
    rig.proxy("eu").deafen_agent();
    wait::until("the agent to dial again", async || {
        let now = rig.proxy("eu").connections();
        if now > connections { Ok(()) } else { Err(now) }
    })
    .await;
    rig.proxy("eu").thaw();
    rig.ready("eu").await;
    let after = rig.pods_until("eu to be whole", json!({}), |answer| !answer.is_partial()).await;
    assert_eq!(after.places(), before.places());
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_cut_again_and_again_comes_back_each_time() {
    let (rig, before) = fleet().await;
    for _ in 0..5 {
        rig.proxy("eu").sever();
        let answer = rig.pods(json!({"timeoutSeconds": 10})).await;
        assert_eq!(answer.rows_of("us"), before.rows_of("us"), "us never notices");
        assert_eq!(answer.is_partial(), !answer.problem("eu").is_null(), "what is missing is said");
        rig.pods_until("eu to be back", json!({}), |answer| !answer.is_partial()).await;
    }
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_find_a_gateway_that_was_restarted() {
    let (mut rig, before) = fleet().await;
    let first_page = rig.call("pods_list", json!({"limit": 5})).await;
    let cursor = first_page.ok()["continue"].clone();
    rig.restart_gateway().await;
    let early = rig.pods(json!({})).await;
    // Nothing is known yet, or some of it: never is a cluster that has not come back taken for an empty one.
    match early.result() {
        Ok(_) => {
            for name in ["eu", "us"] {
                let whole = early.rows_of(name) == before.rows_of(name);
                assert!(whole || !early.problem(name).is_null(), "{}", early.ok());
            }
        }
        Err(error) => assert_eq!(error["code"], "unavailable", "{error}"),
    }
    for name in ["eu", "us"] {
        rig.ready(name).await;
    }
    let after = rig.pods(json!({})).await;
    assert_eq!(after.places(), before.places());
    let stale = rig.call("pods_list", json!({"limit": 5, "continue": cursor})).await;
    let error = stale.refused();
    assert_eq!(error["code"], "invalid_argument");
    assert!(error["message"].as_str().unwrap().contains("restarted"), "{error}");
    rig.stop().await;
}
