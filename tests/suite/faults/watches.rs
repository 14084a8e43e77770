//! Watches that repeat themselves, come late, fall silent, or lose what they watch.

use std::collections::BTreeSet;
use std::time::Duration;

use kubeplex_tests::wait;
use serde_json::{Value, json};
use simcluster::{Fault, FaultAction, Gvr, SimCluster, Verb};

use super::rig::{Rig, Setup, small};
use super::{Answer, pod};

async fn fleet() -> (Rig, Answer) {
    let rig = Setup::new().alert().sim(small("eu", 1)).sim(small("us", 2)).ready().await;
    let before = rig.pods(json!({})).await;
    assert!(!before.is_partial(), "{}", before.ok());
    (rig, before)
}

/// Name and version of every pod in the store.
fn stored(sim: &SimCluster) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let pods = sim.objects(&Gvr::core("pods"));
    pods.iter()
        .map(|pod| (text(&pod["metadata"]["name"]), text(&pod["metadata"]["resourceVersion"])))
        .collect()
}

/// The same, as the gateway shows it.
fn shown(answer: &Answer) -> BTreeSet<(String, String)> {
    let rows =
        answer.ok()["groups"].as_array().unwrap().iter().flat_map(|group| group["rows"].as_array().unwrap());
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    rows.map(|row| (text(&row[0]), text(&row[1]))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_come_twice_or_late_leave_the_state_of_the_store() {
    let (rig, before) = fleet().await;
    let eu = rig.sim("eu");
    let late = FaultAction::Delay { every: 2, by: Duration::from_millis(40) };
    for fault in [FaultAction::Duplicate { every: 2 }, late] {
        eu.faults().add(Fault::new(fault).verb(Verb::Watch));
    }
    for round in 0..300 {
        let name = format!("p{}", round % 11);
        if round % 5 == 4 {
            // It may be gone already.
            let _ = eu.delete(&Gvr::core("pods"), "default", &name);
        } else {
            eu.apply(pod(&name, json!({"round": round.to_string()}))).unwrap();
        }
        if round % 20 == 0 {
            eu.workloads().tick();
            wait::pass(Duration::from_millis(10)).await;
        }
    }
    let arguments = json!({"cluster": "eu", "fields": "name,metadata.resourceVersion"});
    let settled =
        rig.pods_until("the store's own state", arguments, |answer| shown(answer) == stored(eu)).await;
    assert!(!settled.is_partial(), "{}", settled.ok()["clusters"]);
    let now = rig.pods(json!({})).await;
    assert_eq!(now.rows_of("us"), before.rows_of("us"));
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_watch_is_said_to_be_stale_after_its_time_and_nothing_else_is() {
    let (rig, before) = fleet().await;
    let eu = rig.sim("eu");
    eu.faults().add(Fault::new(FaultAction::Freeze { after_events: 0 }).verb(Verb::Watch).resource("pods"));
    let is_stale = |answer: &Answer| answer.problem("eu")["status"] == "stale";
    let frozen = rig.pods_until("the silence to be noticed", json!({}), is_stale).await;
    let message = frozen.problem("eu")["message"].as_str().unwrap();
    assert!(message.contains("silent") && message.contains("as of"), "{message}");
    assert_eq!(frozen.places(), before.places(), "the rows from before are still there");
    assert!(frozen.is_partial(), "what has changed since can't be in the answer: {}", frozen.ok());
    assert!(frozen.ok()["clusters"]["ageMs"].as_u64().unwrap() >= 1_500, "{}", frozen.ok()["clusters"]);
    let services = rig.call("resources_list", json!({"kind": "services"})).await;
    assert!(!services.is_partial(), "other kinds of the cluster are current: {}", services.ok()["clusters"]);
    // Lists still work, so what happens meanwhile is seen, late.
    eu.apply(pod("unseen", json!({}))).unwrap();
    let more = before.rows_of("eu").len() + 1;
    rig.pods_until("a list around the watch", json!({}), |answer| answer.rows_of("eu").len() == more).await;
    eu.faults().clear();
    rig.pods_until("the watch to be believed again", json!({}), |answer| answer.problem("eu").is_null())
        .await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_is_withdrawn_while_it_is_watched_is_absent_there_and_whole_elsewhere() {
    let (rig, _) = fleet().await;
    let eu = rig.sim("eu");
    let definitions = Gvr::new("apiextensions.k8s.io", "v1", "customresourcedefinitions");
    let name = "certificates.cert-manager.io";
    let definition = eu.object(&definitions, "", name).expect("the company has certificates");
    let list = async || rig.call("resources_list", json!({"kind": name, "limit": 1000})).await;
    let whole = |answer: &Answer| {
        answer.result().is_ok_and(|answer| answer["partial"].is_null())
            && ["eu", "us"].iter().all(|cluster| !answer.rows_of(cluster).is_empty())
    };
    let before = until("certificates of both", &list, whole).await;
    eu.delete(&definitions, "", name).unwrap();
    let absent =
        |answer: &Answer| answer.result().is_ok_and(|answer| answer["clusters"]["absent"] == json!(["eu"]));
    let gone = until("their absence", &list, absent).await;
    assert_eq!(gone.rows_of("us"), before.rows_of("us"));
    assert!(gone.rows_of("eu").is_empty());
    assert!(!gone.is_partial(), "a kind that is not there is an answer: {}", gone.ok());
    // Back again, without objects: now "none" may be said.
    let mut again = definition;
    again["metadata"] = json!({"name": name});
    eu.apply(again).unwrap();
    let back = |answer: &Answer| {
        answer
            .result()
            .is_ok_and(|answer| answer["clusters"].get("absent").is_none() && answer["partial"].is_null())
    };
    let empty = until("the kind's return", &list, back).await;
    assert!(empty.rows_of("eu").is_empty());
    assert_eq!(empty.rows_of("us"), before.rows_of("us"));
    rig.stop().await;
}

async fn until(what: &str, list: &impl AsyncFn() -> Answer, wanted: impl Fn(&Answer) -> bool) -> Answer {
    wait::until(what, async || {
        let answer = list().await;
        if wanted(&answer) { Ok(answer) } else { Err(answer) }
    })
    .await
}
