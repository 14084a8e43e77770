//! A cluster that keeps timing out is not waited for, and is tried again by one leg at a time.

use serde_json::json;

use super::hand_made::{Behaviour, HandMade};
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
