//! SIGTERM under load: whoever was being served gets an answer, and then the process ends, in time.

use std::time::{Duration, Instant};

use kubeplex_cli::client::Client;
use kubeplex_tests::program::{Folder, Program};
use rustix::process::Signal;
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const CLIENTS: usize = 48;

/// A call begun so long before the signal has reached the gateway.
const ON_ITS_WAY: Duration = Duration::from_millis(100);

/// What the gateway grants running calls (10 s), the program its tasks (15 s), and a busy machine.
const LONGEST_END: Duration = Duration::from_secs(20);

/// One call, and what came of it.
struct Call {
    began: Instant,
    ended: Instant,
    outcome: Result<Value, String>,
}

/// A question that takes its time: the agents have to look into every object, and no answer to it was kept.
fn question(client: usize, call: usize) -> Map<String, Value> {
    let selector = format!("spec.schedulerName!=nobody-{client}-{call}");
    json!({"limit": 1000, "maxBytes": 1 << 20, "fieldSelector": selector}).as_object().cloned().unwrap()
}

/// Calls, each over a connection of its own, until one begun after the end is refused.
async fn keep_calling(endpoint: String, number: usize, over: CancellationToken) -> Vec<Call> {
    let mut calls = Vec::new();
    loop {
        let was_over = over.is_cancelled();
        let arguments = question(number, calls.len());
        let client = Client::new(endpoint.clone()).expect("a client");
        let began = Instant::now();
        let answer = client.call("pods_list", arguments, false).await;
        let outcome = answer.map(|exchange| exchange.response).map_err(|error| error.to_string());
        let refused = outcome.is_err();
        calls.push(Call { began, ended: Instant::now(), outcome });
        if was_over && refused {
            return calls;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_under_load_loses_no_call_and_ends_in_time() {
    let folder = Folder::new();
    let arguments = [
        "demo",
        "--clusters",
        "3",
        "--pods",
        "120",
        "--listen",
        "127.0.0.1:0",
        "--admin",
        "127.0.0.1:0",
        "--json",
    ];
    let mut program = Program::start("kubeplex", &arguments, &[], &folder);
    let ready: Value =
        serde_json::from_str(&program.line().await).expect("the line of a program that is ready");
    let endpoint = ready["endpoint"].as_str().expect("its endpoint").to_owned();
    let over = CancellationToken::new();
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        clients.spawn(keep_calling(endpoint.clone(), number, over.clone()));
    }
    // The load stands when a whole round of answers was given under it.
    let probe = Client::new(endpoint.clone()).expect("a client");
    for _ in 0..3 {
        probe.call("pods_list", Map::new(), false).await.expect("an answer under load");
    }
    program.signal(Signal::TERM);
    let told = Instant::now();
    over.cancel();
    let status = program.ended().await;
    assert!(status.success(), "{status}; its log: {}", program.log());
    assert!(told.elapsed() < LONGEST_END, "it took {:?} to end", told.elapsed());

    let calls: Vec<Call> = clients.join_all().await.into_iter().flatten().collect();
    let under_way: Vec<_> =
        calls.iter().filter(|call| call.began + ON_ITS_WAY < told && call.ended > told).collect();
    assert!(!under_way.is_empty(), "nothing was under way: {} calls", calls.len());
    for call in calls.iter().filter(|call| call.began + ON_ITS_WAY < told) {
        match &call.outcome {
            Ok(answer) => {
                let result = &answer["result"]["structuredContent"];
                let is_said =
                    result["total"].as_u64().is_some_and(|total| total > 300) || result["code"].is_string();
                assert!(is_said, "neither rows nor a reason: {answer}");
            }
            Err(error) => {
                panic!("a call under way was lost {:?} after the signal: {error}", call.ended - told)
            }
        }
    }
}
