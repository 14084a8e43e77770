//! Three questions that people ask, answered in at most three calls: `docs/walks.md` is written from these.

use kubeplex_tests::fleet::TestFleet;
use serde_json::Value;
use tiktoken_rs::o200k_base;

/// What a whole walk may cost a model.
const MOST_TOKENS: usize = 4_000;

/// A question, and the calls that answer it.
struct Walk {
    question: &'static str,
    calls: &'static [Call],
}

/// One call, and what its answer must show.
struct Call {
    tool: &'static str,
    arguments: &'static str,
    shows: &'static [&'static str],
}

const WALKS: [Walk; 3] = [
    Walk {
        question: "why is checkout slow in prod-eu",
        calls: &[
            Call {
                tool: "problems_list",
                arguments: r#"{"cluster":"prod-eu","namespace":"shop"}"#,
                shows: &["checkout", "AtMaximum"],
            },
            Call {
                tool: "changes_list",
                arguments: r#"{"cluster":"prod-eu","namespace":"shop","name":"deployment/checkout","since":"3h"}"#,
                shows: &["1.8.1", "1.8.2", "25m"],
            },
            Call {
                tool: "pods_log",
                arguments: r#"{"cluster":"prod-eu","namespace":"shop","name":"deployment/checkout","container":"checkout","patterns":true}"#,
                shows: &["slow request"],
            },
        ],
    },
    Walk {
        question: "is payments-api the same in all regions of production",
        calls: &[Call {
            tool: "fleet_diff",
            arguments: r#"{"cluster":"prod-*","namespace":"payments","name":"deployment/payments-api"}"#,
            shows: &["LOG_LEVEL", "debug", "spec.replicas", "prod-ap"],
        }],
    },
    Walk {
        question: "what changed today in production",
        calls: &[Call {
            tool: "changes_list",
            arguments: r#"{"cluster":"prod-*","since":"24h"}"#,
            shows: &["checkout", "1.9.0", "recommendations", "48Gi", "payments-api"],
        }],
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn questions_of_every_day_take_three_calls() {
    let fleet = TestFleet::simulated(kubeplex_cli::demo::configs(6, 150)).await.ready().await;
    let encoding = o200k_base().expect("the vocabulary is built in");
    for Walk { question, calls } in &WALKS {
        let mut tokens = 0;
        for Call { tool, arguments, shows } in *calls {
            let arguments: Value = serde_json::from_str(arguments).expect("JSON");
            let answer = fleet.call(tool, arguments.clone()).await;
            let text = answer.to_string();
            tokens += encoding.encode_ordinary(&text).len();
            for shown in *shows {
                assert!(text.contains(shown), "{question}: {tool} {arguments} should show {shown}: {text}");
            }
        }
        assert!(calls.len() <= 3 && tokens <= MOST_TOKENS, "{question}: {tokens} tokens");
        println!("{question}: {tokens} tokens in {} calls", calls.len());
    }
    fleet.stop().await;
}
