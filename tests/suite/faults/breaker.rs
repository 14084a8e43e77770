//! A cluster that keeps timing out is not waited for, and is tried again by one leg at a time.

use std::time::Duration;

use futures::future::join_all;
use kubeplex_gateway::limits::Limits;
use kubeplex_test_support::agent::{Behaviour, HandMade};
use kubeplex_tests::wait::pass;
use serde_json::json;

use super::rig::{Setup, small};

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_cluster_is_given_up_after_three_time_outs_and_found_again_by_a_probe() {
    let slow = HandMade::of("slow", Behaviour::Pods(3));
    let rig = Setup::new().sim(small("fast", 1)).hand_made("slow", &slow).ready().await;
    let before = rig.pods(json!({})).await;
    slow.behave(Behaviour::Hang);
    for round in 0..3 {
        let answer = rig.pods(json!({"timeoutSeconds": 1})).await;
        assert!(answer.was_asked("slow"), "round {round}");
        assert_eq!(answer.problem("slow")["status"], "timeout");
        assert_eq!(answer.rows_of("fast"), before.rows_of("fast"));
        // The page of the fast one waits for the slow one's deadline, and no longer.
        assert!((700..1_900).contains(&answer.leg_over_ms("slow")), "{}", answer.leg("slow"));
    }
    let asked = slow.asked();
    let answer = rig.pods(json!({"timeoutSeconds": 60})).await;
    assert!(!answer.was_asked("slow"), "the breaker is open: {}", answer.leg("slow"));
    assert_eq!(slow.asked(), asked);
    let problem = answer.problem("slow");
    assert_eq!(problem["status"], "timeout");
    assert!(problem["message"].as_str().unwrap().contains("tried again in"), "{problem}");
    assert_eq!(answer.rows_of("fast"), before.rows_of("fast"));
    assert!(answer.took_ms() < 5_000, "{} ms", answer.took_ms());

    slow.behave(Behaviour::Pods(3));
    let after = rig.pods_until("the probe", json!({}), |answer| answer.was_asked("slow")).await;
    assert_eq!(after.places(), before.places(), "the first leg that is let through closes the breaker");
    assert_eq!(slow.asked(), asked + 1);
    let next = rig.pods(json!({})).await;
    assert!(next.was_asked("slow") && !next.is_partial());
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_that_hang_up_open_no_breaker_and_leave_nobody_working() {
    let busy = HandMade::of("busy", Behaviour::Hang);
    let rig = Setup::new().sim(small("fast", 1)).hand_made("busy", &busy).ready().await;
    for _ in 0..6 {
        let mut call = Box::pin(rig.pods(json!({"timeoutSeconds": 60})));
        tokio::select! {
            answer = &mut call => panic!("busy does not answer: {answer:?}"),
            () = busy.at_work(1) => {}
        }
        drop(call);
        busy.at_work(0).await;
    }
    busy.behave(Behaviour::Pods(3));
    let answer = rig.pods(json!({})).await;
    assert!(answer.was_asked("busy"), "{}", answer.leg("busy"));
    assert!(!answer.is_partial(), "{answer:?}");
    rig.stop().await;
}

/// Callers that queue for a cluster get to it too late to be answered, though it answers everybody in the time that they
/// had at first.
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_before_a_healthy_cluster_opens_no_breaker() {
    let slow = HandMade::of("slow", Behaviour::Slow(3, Duration::from_millis(4_500)));
    let limits = Limits { legs_per_cluster: 8, ..Limits::default() };
    let rig = Setup::new().limits(limits).hand_made("slow", &slow).ready().await;
    let caller = async |begins: u32| {
        // One after the other, so that some find a place when too little of their time is left.
        pass(Duration::from_millis(100) * begins).await;
        rig.pods(json!({"timeoutSeconds": 8})).await
    };
    let answers = join_all((0..40).map(caller)).await;
    let (answered, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.result().is_ok());
    let says =
        |what: &str| refused.iter().filter(|answer| answer.refused().to_string().contains(what)).count();
    assert!(answered.len() >= 8, "{} answered", answered.len());
    assert!(says("no answer within") > 3, "nobody came late: {refused:?}");
    assert_eq!(says("latest requests timed out"), 0, "{refused:?}");
    slow.behave(Behaviour::Pods(3));
    let next = rig.pods(json!({})).await;
    assert!(next.was_asked("slow") && !next.is_partial(), "{next:?}");
    rig.stop().await;
}

/// Calls that wait for a hanging cluster have the rows of the others long since; they keep nobody from asking these.
#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_cluster_uses_up_no_places_of_others() {
    let hanging = HandMade::of("c9", Behaviour::Hang);
    let healthy: Vec<_> = (0..9).map(|at| HandMade::of(&format!("c{at}"), Behaviour::Pods(600))).collect();
    let setup = Setup::new().limits(Limits { legs_per_cluster: 4, ..Limits::default() });
    let setup = healthy
        .iter()
        .enumerate()
        .fold(setup, |setup, (at, agent)| setup.hand_made(&format!("c{at}"), agent));
    let rig = setup.hand_made("c9", &hanging).ready().await;
    let question = json!({"limit": 500, "maxBytes": 1 << 20, "timeoutSeconds": 30});
    let flood = join_all((0..12).map(|_| rig.call("pods_list", question.clone())));
    let others = async {
        hanging.at_work(4).await;
        for sort_by in ["", "name"] {
            let question = json!({
                "limit": 500, "maxBytes": 1 << 20, "timeoutSeconds": 10, "sortBy": sort_by,
                "cluster": "c0,c1,c2,c3,c4,c5,c6,c7,c8",
            });
            let answers = join_all((0..8).map(|_| rig.call("pods_list", question.clone()))).await;
            for answer in answers {
                assert_eq!(answer.ok()["shown"], 500, "{answer:?}");
                assert!(!answer.is_partial(), "{answer:?}");
                assert!(answer.took_ms() < 8_000, "{} ms", answer.took_ms());
            }
        }
    };
    // The flood is still waiting when the others are served, and is given up then.
    tokio::select! {
        answers = flood => panic!("c9 does not answer: {answers:?}"),
        () = others => {}
    }
    rig.stop().await;
}
