//! Agents that hang, talk nonsense, die, or lie. Two clusters are well all the while and must not notice.

use kubeplex_proto::status::AgentErrorCode;
use kubeplex_test_support::agent::{Behaviour, HandMade};
use serde_json::json;

use super::Answer;
use super::rig::{Rig, Setup, eager, small};

/// Two simulated clusters that are well, and one agent that is not.
async fn fleet(behaviour: Behaviour) -> (Rig, HandMade) {
    let agent = HandMade::of("odd", behaviour);
    let rig = Setup::new()
        .timings(eager())
        .sim(small("eu", 1))
        .sim(small("us", 2))
        .hand_made("odd", &agent)
        .ready()
        .await;
    (rig, agent)
}

/// Whether the clusters that are well show the same rows as `before`, and nobody says anything against them.
fn served_as_before(before: &Answer, now: &Answer) {
    for cluster in ["eu", "us"] {
        assert!(before.rows_of(cluster).len() > 30, "{}", before.ok());
        assert_eq!(now.rows_of(cluster), before.rows_of(cluster), "the rows of {cluster}");
        assert!(now.problem(cluster).is_null(), "{}", now.problem(cluster));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_from_one_agent_is_its_problem_alone() {
    let (rig, agent) = fleet(Behaviour::Pods(3)).await;
    let before = rig.pods(json!({})).await;
    assert_eq!((before.rows_of("odd").len(), before.is_partial()), (3, false));
    for (behaviour, rows, expected) in [
        (Behaviour::Garbage, "none", "can't be read"),
        (Behaviour::Noise, "none", "can't be read"),
        (Behaviour::LongLine, "none", "can't be read"),
        (Behaviour::EndlessLine, "none", "can't be read"),
        (Behaviour::Headless, "none", "makes no sense"),
        (Behaviour::BreakOff, "partial", "without an end"),
        (Behaviour::Disorder, "none", "out of order"),
        (Behaviour::Flood, "none", "more rows than"),
        (Behaviour::Misfit, "none", "does not fit"),
        (Behaviour::ProxyError, "none", "502"),
        (Behaviour::Refuse(AgentErrorCode::Internal), "none", "will not have it"),
        (Behaviour::Panic, "none", ""),
    ] {
        agent.behave(behaviour);
        let answer = rig.pods(json!({})).await;
        served_as_before(&before, &answer);
        let problem = answer.problem("odd");
        assert_eq!(problem["rowsShown"], rows, "{behaviour:?}: {problem}");
        let message = problem["message"].as_str().unwrap();
        assert!(message.contains(expected), "{behaviour:?}: {message}");
        assert!(!message.contains('\u{1b}'), "{behaviour:?}: {message}");
        assert!(answer.is_partial(), "{behaviour:?}");
        assert!(answer.text().contains("odd"), "{behaviour:?}: the text says it too");
        agent.behave(Behaviour::Pods(3));
        // A defect of an agent ends its connection at worst; it comes back.
        rig.ready("odd").await;
        let after = rig.pods_until("odd to be well again", json!({}), |answer| !answer.is_partial()).await;
        assert_eq!(after.places(), before.places(), "{behaviour:?}");
    }
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_hangs_costs_its_own_rows_and_is_told_to_stop() {
    let (rig, agent) = fleet(Behaviour::Pods(3)).await;
    let before = rig.pods(json!({})).await;
    agent.behave(Behaviour::Hang);
    let answer = rig.pods(json!({"timeoutSeconds": 1})).await;
    served_as_before(&before, &answer);
    assert_eq!(answer.problem("odd")["status"], "timeout");
    assert!(answer.was_asked("odd"));
    assert!(answer.leg_over_ms("eu") < answer.leg_over_ms("odd"), "the others were read meanwhile");
    assert!(answer.took_ms() < 1_900, "the legs' deadline lies inside the call's: {} ms", answer.took_ms());
    agent.at_work(0).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_before_a_stall_are_kept_in_order_and_said_to_be_partial() {
    let (rig, agent) = fleet(Behaviour::Pods(300)).await;
    let before = rig.pods(json!({})).await;
    assert_eq!(before.rows_of("odd").len(), 300);
    agent.behave(Behaviour::Stall(300));
    let answer = rig.pods(json!({"timeoutSeconds": 2})).await;
    partial_but_in_order(&before, &answer);
    assert_eq!(answer.problem("odd")["status"], "timeout");
    agent.at_work(0).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_killed_in_mid_reply_leaves_its_first_rows_in_order() {
    let (rig, agent) = fleet(Behaviour::Pods(300)).await;
    let before = rig.pods(json!({})).await;
    agent.behave(Behaviour::Stall(300));
    let (answer, ()) = tokio::join!(rig.pods(json!({"timeoutSeconds": 60})), async {
        agent.at_work(1).await;
        // Its first rows are on the way or here; either way the link dies under the rest.
        rig.proxy("odd").sever();
    });
    if answer.rows_of("odd").is_empty() {
        served_as_before(&before, &answer);
        assert_eq!(answer.problem("odd")["rowsShown"], "none");
    } else {
        partial_but_in_order(&before, &answer);
    }
    let status = answer.problem("odd")["status"].as_str().unwrap();
    assert!(["disconnected", "error"].contains(&status), "{status}");
    assert!(answer.took_ms() < 30_000, "nobody waits for the dead: {} ms", answer.took_ms());
    agent.behave(Behaviour::Pods(300));
    rig.ready("odd").await;
    let after = rig.pods_until("odd to be back", json!({}), |answer| !answer.is_partial()).await;
    assert_eq!(after.places(), before.places());
    rig.stop().await;
}

fn partial_but_in_order(before: &Answer, answer: &Answer) {
    served_as_before(before, answer);
    let places = answer.places();
    assert!(places.is_sorted(), "the one order holds");
    let shown = answer.rows_of("odd");
    assert!((1..300).contains(&shown.len()), "{} rows", shown.len());
    assert_eq!(shown[..], before.rows_of("odd")[..shown.len()], "the first ones, without a gap");
    assert_eq!(answer.problem("odd")["rowsShown"], "partial");
    assert!(answer.is_partial());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_lies_about_its_cluster_is_not_believed() {
    let liar = HandMade::of("us", Behaviour::Pods(3));
    let rig = Setup::new().timings(eager()).sim(small("us", 2)).hand_made("odd", &liar).start().await;
    rig.ready("us").await;
    let before = rig.pods(json!({"cluster": "us"})).await;
    kubeplex_tests::wait::until("the liar to have tried", async || {
        let tries = rig.proxy("odd").connections();
        if tries >= 2 { Ok(()) } else { Err(tries) }
    })
    .await;
    let answer = rig.pods(json!({})).await;
    assert_eq!(
        answer.rows_of("us"),
        before.rows_of("us"),
        "the token says which cluster it is, not the agent"
    );
    assert_eq!(answer.problem("odd")["status"], "disconnected");
    assert!(!answer.was_asked("odd"));
    assert_eq!(liar.asked(), 0);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_of_nothing_but_broken_agents_is_an_error_that_says_why() {
    let agents = ["a", "b", "c", "d"].map(|name| HandMade::of(name, Behaviour::Garbage));
    let names = ["a", "b", "c", "d"];
    let setup =
        names.iter().zip(&agents).fold(Setup::new(), |setup, (name, agent)| setup.hand_made(name, agent));
    let rig = setup.ready().await;
    let answer = rig.pods(json!({})).await;
    let error = answer.refused();
    assert_eq!(error["code"], "unavailable", "{error}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("none of the 4 clusters") && message.contains("a: "), "{message}");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_some_clusters_did_not_say_is_not_counted_and_may_be_too_little() {
    let (rig, agent) = fleet(Behaviour::Pods(3)).await;
    let rows = rig.pods(json!({})).await;
    // It knows nothing of groups: it counts its rows, and sends none.
    let counted = rig.call("pods_list", json!({"groupBy": "cluster", "sortBy": "cluster"})).await;
    let expected: Vec<_> =
        ["eu", "us"].iter().map(|cluster| json!([cluster, rows.rows_of(cluster).len()])).collect();
    assert_eq!(counted.ok()["groups"][0]["rows"], json!(expected), "{}", counted.ok());
    let message = counted.problem("odd")["message"].to_string();
    assert!(message.contains("did not group its rows") && counted.is_partial(), "{message}");

    agent.behave(Behaviour::Garbage);
    let too_few = rig.call("pods_list", json!({"minCoverage": 67})).await;
    let error = too_few.refused();
    assert_eq!(error["code"], "unavailable");
    let message = error["message"].as_str().unwrap_or_default();
    assert!(message.contains("2 of 3 clusters answered") && message.contains("odd ("), "{message}");
    assert!(rig.call("pods_list", json!({"minCoverage": 66})).await.is_partial());
    rig.stop().await;
}
