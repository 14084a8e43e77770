//! A thousand clients at once.

use std::fs;

use futures::future::join_all;
use kubeplex_cli::client::Client;
use kubeplex_cli::hints;
use kubeplex_gateway::limits::Limits;
use serde_json::{Map, Value, json};

use super::rig::{Rig, Setup, small};

const CLIENTS: usize = 1_000;

/// What a thousand answered clients may leave behind in this process, which holds the clients' ends, too.
const LEFT_BEHIND: u64 = 400 << 20;

async fn fleet(limits: Limits) -> Rig {
    Setup::new().limits(limits).sim(small("eu", 1)).sim(small("us", 2)).sim(small("ap", 3)).ready().await
}

/// One call each of so many clients, every one over a connection of its own.
async fn all_at_once(rig: &Rig, arguments: Value) -> Vec<Result<Value, Value>> {
    let endpoint = hints::endpoint(rig.gateway.addresses().listen);
    let arguments: Map<String, Value> = arguments.as_object().cloned().unwrap();
    let calls = (0..CLIENTS).map(|_| async {
        let client = Client::new(endpoint.clone()).expect("a client");
        let exchange = client.call("pods_list", arguments.clone(), false).await.expect("an answer");
        exchange.structured().cloned().map_err(Clone::clone)
    });
    join_all(calls).await
}

/// This process' memory in bytes, where the system tells it.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[tokio::test(flavor = "multi_thread")]
async fn all_are_answered_alike_and_memory_is_given_back() {
    let rig = fleet(Limits::default()).await;
    let question = json!({"limit": 20, "timeoutSeconds": 120});
    let expected = rig.call("pods_list", question.clone()).await;
    let before = resident();
    for _ in 0..2 {
        for answer in all_at_once(&rig, question.clone()).await {
            let answer = answer.expect("patience is enough");
            assert_eq!(answer["partial"], Value::Null, "{answer}");
            let names = |answer: &Value| {
                let groups = answer["groups"].as_array().unwrap().iter();
                groups
                    .flat_map(|group| group["rows"].as_array().unwrap())
                    .map(|row| row[0].clone())
                    .collect::<Vec<_>>()
            };
            assert_eq!(names(&answer), names(expected.ok()));
        }
    }
    if let (Some(before), Some(after)) = (before, resident()) {
        assert!(after < before + LEFT_BEHIND, "{} MiB more than before", (after - before) >> 20);
    }
    assert_eq!(rig.gateway.pipeline().calls_in_flight(), 0);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_too_small_for_them_says_when_to_come_back() {
    let rig = fleet(Limits { calls_in_flight: 8, ..Limits::default() }).await;
    // Whoever is let in has all the time that a busy machine takes; the others are told at once.
    let answers = all_at_once(&rig, json!({"limit": 20, "timeoutSeconds": 120})).await;
    let mut refused = 0;
    for answer in &answers {
        match answer {
            Ok(answer) => {
                assert_eq!((&answer["shown"], &answer["partial"]), (&json!(20), &Value::Null), "{answer}");
            }
            Err(error) => {
                refused += 1;
                assert_eq!(error["code"], "unavailable", "{error}");
                assert!(error["retryAfterMs"].is_number(), "{error}");
            }
        }
    }
    assert!(refused < CLIENTS, "nobody was served");
    assert!(!rig.pods(json!({})).await.is_partial(), "the next caller is served as ever");
    rig.stop().await;
}
