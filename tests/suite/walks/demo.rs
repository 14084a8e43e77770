//! The demo's questions. What is wrong there, and why, `docs/demo.md` tells.

use super::walk::{MOST_TOKENS, Step, Walk};

/// What a day may cost, asked in one call.
const DAY_TOKENS: usize = 2_000;

pub(super) const WALKS: [Walk; 3] = [
    Walk {
        question: "Why is checkout slow in prod-eu?",
        steps: &[
            Step {
                tool: "problems_list",
                arguments: r#"{"cluster":"prod-eu","namespace":"shop"}"#,
                command: "problems --cluster prod-eu -n shop",
                shows: &["horizontalpodautoscalers/checkout", "AutoscalerAtMaximum"],
                learned: "The autoscaler of checkout wants more replicas than it may have: each of them does too little. When \
                    did that begin, and with what?",
            },
            Step {
                tool: "changes_list",
                arguments: r#"{"cluster":"prod-eu","namespace":"shop","name":"deployment/checkout","since":"3h"}"#,
                command: "changes deployment/checkout --cluster prod-eu -n shop --since 3h",
                shows: &["1.8.1", "1.8.2", "100m → 25m"],
                learned: "It began with the release of 1.8.2, which also cut the processor that a replica gets: 25m, where it was \
                    100m, and likely 250m was meant.",
            },
            Step {
                tool: "pods_log",
                arguments: r#"{"cluster":"prod-eu","namespace":"shop","name":"deployment/checkout","container":"checkout","patterns":true}"#,
                command: "logs deployment/checkout --cluster prod-eu -n shop -c checkout --patterns",
                shows: &["slow request", "context deadline exceeded"],
                learned: "What replicas write agrees: slow requests are the commonest line, in all of them.",
            },
        ],
        concluded: "The release 1.8.2 gave checkout a tenth of the processor that it needs. It is throttled, its autoscaler is at \
            its maximum, and more replicas would not help: the limit must be put right.",
        most_tokens: MOST_TOKENS,
    },
    Walk {
        question: "Is payments-api the same in all regions of production?",
        steps: &[Step {
            tool: "fleet_diff",
            arguments: r#"{"cluster":"prod-*","namespace":"payments","name":"deployment/payments-api"}"#,
            command: "diff deployment/payments-api -n payments --cluster 'prod-*'",
            shows: &["LOG_LEVEL", "debug", "spec.replicas", "prod-ap"],
            learned: "prod-ap logs at another level, and has a number of replicas of its own. Nothing else differs.",
        }],
        concluded: "No: in prod-ap somebody set it to debug and scaled it by hand, and left it at that.",
        most_tokens: MOST_TOKENS,
    },
    Walk {
        question: "What changed today in production?",
        steps: &[Step {
            tool: "changes_list",
            arguments: r#"{"cluster":"prod-*","since":"24h"}"#,
            command: "changes --cluster 'prod-*' --since 24h",
            shows: &["1.8.2", "1.9.0", "Deployment/recommendations", "48Gi", "Deployment/payments-api"],
            learned: "Four rollouts, and some new workloads with all that belongs to them. Nobody recorded it, because the agents \
                have only just started: what objects still tell is noted as inferred, and the gap is declared.",
        }],
        concluded: "checkout 1.9.0 in prod-us and 1.8.2 in prod-eu, recommendations 0.10.0 with 48Gi of memory in prod-ap, and the \
            log level of payments-api there.",
        most_tokens: DAY_TOKENS,
    },
];
