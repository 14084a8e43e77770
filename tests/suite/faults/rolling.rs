//! Agents that are rolled and links that grow old, under load: no call may notice.

use std::time::Duration;

use kubeplex_link::timings::Timings;
use kubeplex_tests::wait;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::answer::{Answer, Place};
use super::rig::{Caller, Rig, Setup, eager, small};

const CALLERS: usize = 4;
const ROLLS: usize = 4;

async fn fleet(timings: Timings) -> Rig {
    Setup::new().timings(timings).sim(small("eu", 1)).sim(small("us", 2)).ready().await
}

/// Callers who go on until they are told to stop, and what they then have to say.
struct Load {
    callers: JoinSet<usize>,
    over: CancellationToken,
}

/// What callers ask, time after time.
#[derive(Clone, Copy)]
enum Questions {
    /// The same, so that most are answered by what an earlier one left.
    Same,
    /// Another each time, so that all of them are asked.
    Other,
}

impl Load {
    fn start(rig: &Rig, before: &Answer, (callers, questions): (usize, Questions)) -> Self {
        let (over, mut calling) = (CancellationToken::new(), JoinSet::new());
        for caller in 0..callers {
            let question = move |call: usize| match questions {
                Questions::Same => json!({"timeoutSeconds": 30}),
                Questions::Other => {
                    json!({"timeoutSeconds": 30, "labelSelector": format!("app!=none-{caller}-{call}")})
                }
            };
            calling.spawn(call_and_check(rig.caller(), question, before.places(), over.clone()));
        }
        Self { callers: calling, over }
    }

    /// How many calls there were, all of them whole.
    async fn stop(self) -> usize {
        self.over.cancel();
        self.callers.join_all().await.into_iter().sum()
    }
}

async fn call_and_check(
    caller: Caller,
    question: impl Fn(usize) -> Value,
    places: Vec<Place>,
    over: CancellationToken,
) -> usize {
    let mut calls = 0;
    while !over.is_cancelled() {
        let answer = caller.pods(question(calls)).await;
        assert!(!answer.is_partial(), "call {calls}: {}", answer.ok());
        assert_eq!(answer.places(), places, "call {calls}");
        calls += 1;
    }
    calls
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_are_rolled_without_a_call_that_fails() {
    let mut rig = fleet(eager()).await;
    let before = rig.pods(json!({})).await;
    assert!(!before.is_partial(), "{}", before.ok());
    let load = Load::start(&rig, &before, (CALLERS, Questions::Same));
    for _ in 0..ROLLS {
        let old = rig.instance("eu");
        let first = rig.start_beside("eu");
        rig.until("eu", "another agent stands by", |view| view.standby.is_some()).await;
        assert_eq!(rig.instance("eu"), old, "the first keeps serving");
        // As a Deployment does it: the old pod is told to stop when the new one is ready.
        rig.settled("eu").await;
        first.cancel();
        rig.until("eu", "the other one serves", |view| {
            view.standby.is_none() && view.instance.as_ref().is_some_and(|instance| *instance != old)
        })
        .await;
    }
    let calls = load.stop().await;
    assert!(calls > ROLLS, "{calls} calls are no load");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_grow_old_without_a_call_that_fails() {
    let rig = fleet(Timings { max_age: Duration::from_millis(200), ..eager() }).await;
    let before = rig.pods(json!({})).await;
    let load = Load::start(&rig, &before, (CALLERS, Questions::Same));
    let connections = rig.proxy("eu").connections();
    wait::until("ten links to have followed each other", async || {
        let since = rig.proxy("eu").connections() - connections;
        if since >= 10 { Ok(()) } else { Err(since) }
    })
    .await;
    assert!(load.stop().await > 0);
    rig.stop().await;
}

/// A question that meets a link at any moment of its end is asked over the next one: none hangs, and none is lost.
#[tokio::test(flavor = "multi_thread")]
async fn links_that_are_replaced_all_the_time_lose_no_question() {
    const REPLACED: usize = 150;
    let rig = fleet(Timings { max_age: Duration::from_millis(10), ..eager() }).await;
    let before = rig.pods(json!({})).await;
    let load = Load::start(&rig, &before, (4 * CALLERS, Questions::Other));
    let connections = ["eu", "us"].map(|name| rig.proxy(name).connections());
    wait::until(&format!("{REPLACED} links of each to have followed each other"), async || {
        let now = ["eu", "us"].map(|name| rig.proxy(name).connections());
        let since = [now[0] - connections[0], now[1] - connections[1]];
        if since.iter().all(|since| *since >= REPLACED) { Ok(()) } else { Err(since) }
    })
    .await;
    let calls = load.stop().await;
    assert!(calls > REPLACED, "{calls} calls are no load");
    rig.stop().await;
}
