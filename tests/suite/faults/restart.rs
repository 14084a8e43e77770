//! A gateway that is restarted while a hundred agents are linked to it and people go on calling.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kubeplex_gateway::GatewayConfig;
use kubeplex_gateway::fleet::LinkState;
use kubeplex_link::timings::Timings;
use kubeplex_tests::wait;
use serde_json::json;
use simcluster::{SimConfig, Verb};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::answer::{Answer, Place};
use super::pod;
use super::rig::{Caller, Rig, Setup};

const CLUSTERS: usize = 100;
const PODS: usize = 3;
const CALLERS: usize = 4;

/// Agents that may be arriving at once.
const ARRIVALS: usize = 8;

/// How long an agent is told to wait that finds the door crowded, at least.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How long it may take until the last agent is back: the crowd before the door is let in by eights, and whoever has to wait
/// comes again within two seconds.
const BACK_WITHIN: Duration = Duration::from_secs(45);

type Rows = BTreeMap<String, Vec<Place>>;

/// What came of one call.
#[derive(Debug)]
enum Outcome {
    /// Every row of every cluster.
    Whole,
    /// Clusters are missing, and all of them are told of.
    Partial,
    /// An error of the gateway.
    Refused(String),
    NoAnswer(String),
}

#[derive(Debug)]
struct Call {
    began: Instant,
    ended: Instant,
    outcome: Outcome,
}

async fn fleet() -> Rig {
    let gateway = GatewayConfig::from_toml(&format!("[link]\narrivals = {ARRIVALS}"));
    let timings =
        Timings { retry_after: RETRY_AFTER, reconnect_max: Duration::from_secs(2), ..Timings::default() };
    let setup = Setup::new().gateway(gateway.expect("a configuration")).timings(timings).on_demand();
    let names = (0..CLUSTERS).map(|at| format!("c{at:02}"));
    let rig = names.fold(setup, |setup, name| setup.sim(SimConfig::empty(&name))).ready().await;
    for name in rig.names() {
        for at in 0..PODS {
            rig.sim(&name).apply(pod(&format!("pod-{at}"), json!({}))).unwrap();
        }
    }
    rig
}

/// Calls until it is over, each time over a connection of its own.
async fn keep_calling(rig: Caller, before: Rows, over: CancellationToken) -> Vec<Call> {
    let mut calls = Vec::new();
    while !over.is_cancelled() {
        let began = Instant::now();
        let outcome = match rig.anew().try_pods(json!({"timeoutSeconds": 60})).await {
            Ok(answer) => judged(&before, &answer),
            Err(error) => Outcome::NoAnswer(error),
        };
        calls.push(Call { began, ended: Instant::now(), outcome });
    }
    calls
}

/// # Panics
/// When an answer is wrong: a row that is not there, or one that is missing without a word.
fn judged(before: &Rows, answer: &Answer) -> Outcome {
    if let Err(error) = answer.result() {
        return Outcome::Refused(error["code"].as_str().unwrap_or_default().to_owned());
    }
    let shown = answer.rows_by_cluster();
    assert!(shown.keys().all(|cluster| before.contains_key(cluster)), "{answer:?}");
    assert_eq!(answer.ok()["clusters"]["expected"], CLUSTERS, "{answer:?}");
    let (mut named, mut unnamed) = (0, 0);
    for (cluster, rows) in before {
        let shown = shown.get(cluster).map(Vec::as_slice).unwrap_or_default();
        let problem = answer.problem(cluster);
        match problem["rowsShown"].as_str() {
            None if shown == rows => {}
            None => unnamed += 1,
            Some("none") => assert!(shown.is_empty(), "{cluster}: {problem}"),
            Some("partial") => {}
            Some(other) => panic!("no rows are {other}: {problem}"),
        }
        assert!(rows.starts_with(shown), "{cluster}: {shown:?}");
        named += u64::from(!problem.is_null());
    }
    // Of many that are missing some are named, and the rest is counted.
    let coverage = &answer.ok()["clusters"];
    let counted = coverage["moreProblems"].as_object().into_iter().flatten();
    let counted: u64 = counted.filter_map(|(_, count)| count.as_u64()).sum();
    assert_eq!(counted, unnamed, "{coverage}");
    assert_eq!(coverage["answered"].as_u64(), Some(before.len() as u64 - named - unnamed), "{coverage}");
    assert_eq!(answer.is_partial(), named > 0, "{coverage}");
    if named == 0 { Outcome::Whole } else { Outcome::Partial }
}

/// Waits until every agent is back, and sees to it that never too many were arriving.
async fn until_all_are_back(rig: &Rig, since: Instant) -> Duration {
    wait::until("all agents to be back", async || {
        let fleet = rig.gateway.registry().snapshot();
        let linked = fleet.clusters().iter().filter(|view| view.link == LinkState::Connected);
        let (told, arriving): (Vec<_>, Vec<_>) = linked.partition(|view| view.kinds.is_some());
        assert!(arriving.len() <= ARRIVALS, "{} are arriving at once", arriving.len());
        if told.len() == CLUSTERS { Ok(()) } else { Err(told.len()) }
    })
    .await;
    since.elapsed()
}

/// What all API servers were asked for so far, watches aside.
fn lists(rig: &Rig) -> u64 {
    rig.names().iter().map(|name| rig.sim(name).stats().count(Verb::List, "pods")).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_agents_come_back_and_no_answer_is_wrong_meanwhile() {
    let mut rig = fleet().await;
    let all = |answer: &Answer| !answer.is_partial() && answer.places().len() == CLUSTERS * PODS;
    let before = rig.pods_until("all pods", json!({}), all).await.rows_by_cluster();
    let listed = lists(&rig);
    let (over, mut callers) = (CancellationToken::new(), JoinSet::new());
    for _ in 0..CALLERS {
        callers.spawn(keep_calling(rig.caller(), before.clone(), over.clone()));
    }
    // The load stands when a round of answers was given under it.
    for _ in 0..3 {
        assert!(all(&rig.pods(json!({})).await));
    }
    let (told, listening) = rig.restart_gateway().await;
    let back = until_all_are_back(&rig, listening).await;
    let waited = rig.metrics("kubeplex_gateway_agents_denied_total{reason=\"crowded\"} ").await;
    for name in rig.names() {
        rig.ready(&name).await;
    }
    let whole_since = Instant::now();
    rig.pods_until("all pods again", json!({}), all).await;
    over.cancel();
    let calls = callers.join_all().await.into_iter().flatten().collect::<Vec<_>>();

    assert!(back < BACK_WITHIN, "the last agent was back after {back:?}");
    let waited: u64 = waited[0].parse().unwrap();
    let tries = CLUSTERS as u64 * (back.as_secs() / RETRY_AFTER.as_secs() + 2);
    assert!((1..=tries).contains(&waited), "{waited} were told to come again in {back:?}");
    assert_eq!(
        lists(&rig),
        listed,
        "what agents have of their clusters is theirs: no API server is asked again"
    );

    for call in &calls {
        let (at_first, in_the_gap) = (call.ended < told, call.began < listening && call.ended > told);
        let last = call.began > whole_since;
        match &call.outcome {
            Outcome::Whole => {}
            Outcome::Partial | Outcome::Refused(_) if at_first || last => panic!("all were linked: {call:?}"),
            Outcome::Partial => {}
            Outcome::Refused(code) => assert_eq!(code, "unavailable", "{call:?}"),
            Outcome::NoAnswer(why) => assert!(in_the_gap, "somebody listened: {why}: {call:?}"),
        }
    }
    let partial = calls.iter().filter(|call| matches!(call.outcome, Outcome::Partial)).count();
    let whole = calls.iter().filter(|call| matches!(call.outcome, Outcome::Whole)).count();
    assert!(partial > 0 && whole > 0, "{partial} partial, {whole} whole of {} calls", calls.len());
    rig.stop().await;
}
