//! A hundred clusters of which ten hang: that costs a call its deadline until it is noticed, and next to nothing afterwards.

use std::collections::BTreeSet;

use futures::future::join_all;
use kubeplex_gateway::limits::BREAKER_TRIP;
use kubeplex_test_support::agent::{Behaviour, HandMade};
use kubeplex_tests::wait;
use serde_json::json;

use super::Answer;
use super::rig::{Rig, Setup};

const CLUSTERS: usize = 100;
const HANGING: usize = 10;
const PODS: usize = 5;

/// What calls are given once the ten are known, in seconds: far more than a call takes that waits for none of them.
const PATIENT_S: u64 = 120;

async fn fleet() -> (Rig, Vec<(String, HandMade)>) {
    let agents = (0..CLUSTERS).map(|at| format!("c{at:02}"));
    let agents: Vec<_> =
        agents.map(|name| (name.clone(), HandMade::of(&name, Behaviour::Pods(PODS)))).collect();
    let setup = agents.iter().fold(Setup::new(), |setup, (name, agent)| setup.hand_made(name, agent));
    (setup.ready().await, agents)
}

/// Whether an answer has everything but the rows of these clusters, and says so of each of them.
fn all_but(hanging: &[(String, HandMade)], before: &Answer, answer: &Answer) {
    let hangs = |name: &String| hanging.iter().any(|(hanging, _)| hanging == name);
    let others: Vec<_> = before.places().into_iter().filter(|(cluster, ..)| !hangs(cluster)).collect();
    assert_eq!(answer.places(), others);
    let coverage = &answer.ok()["clusters"];
    assert_eq!(
        (&coverage["expected"], &coverage["answered"]),
        (&json!(CLUSTERS), &json!(CLUSTERS - HANGING))
    );
    assert_eq!(coverage["problems"].as_array().map(Vec::len), Some(HANGING), "{coverage}");
    for (name, _) in hanging {
        let problem = answer.problem(name);
        assert_eq!(
            (&problem["status"], &problem["rowsShown"]),
            (&json!("timeout"), &json!("none")),
            "{problem}"
        );
    }
    assert!(answer.is_partial());
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_of_a_hundred_that_hang_are_named_and_soon_not_waited_for() {
    let (rig, agents) = fleet().await;
    let before = rig.pods(json!({})).await;
    assert_eq!((before.places().len(), before.is_partial()), (CLUSTERS * PODS, false), "{before:?}");
    let hanging: Vec<_> = agents.iter().step_by(CLUSTERS / HANGING).cloned().collect();
    hanging.iter().for_each(|(_, agent)| agent.behave(Behaviour::Hang));

    // None of these can know what the others find out.
    let answers = join_all((0..BREAKER_TRIP).map(|_| rig.pods(json!({"timeoutSeconds": 6})))).await;
    for answer in &answers {
        all_but(&hanging, &before, answer);
        assert!(hanging.iter().all(|(name, _)| answer.was_asked(name)), "{answer:?}");
        assert!(answer.took_ms() < 8_000, "the deadline holds: {} ms", answer.took_ms());
    }
    let open = rig.metrics("kubeplex_gateway_breaker_open").await;
    let open: BTreeSet<_> = open.iter().filter(|line| line.ends_with(" 1")).cloned().collect();
    let expected = hanging.iter().map(|(name, _)| format!("{{cluster=\"{name}\"}} 1")).collect();
    assert_eq!(open, expected, "those that hang are given up, and no other");

    // Long enough for each to be tried again, which is part of a call that does not wait for it either.
    let asked: Vec<_> = hanging.iter().map(|(_, agent)| agent.asked()).collect();
    wait::until("each of them to be tried again", async || {
        let answer = rig.pods(json!({"timeoutSeconds": PATIENT_S})).await;
        all_but(&hanging, &before, &answer);
        assert!(answer.took_ms() < PATIENT_S * 500, "nobody waits for them: {} ms", answer.took_ms());
        let again =
            hanging.iter().zip(&asked).filter(|((_, agent), before)| agent.asked() > **before).count();
        if again == HANGING { Ok(()) } else { Err(again) }
    })
    .await;

    hanging.iter().for_each(|(_, agent)| agent.behave(Behaviour::Pods(PODS)));
    let after = rig.pods_until("all of them to be back", json!({}), |answer| !answer.is_partial()).await;
    assert_eq!(after.places(), before.places());
    rig.stop().await;
}
