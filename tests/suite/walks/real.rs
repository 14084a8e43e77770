//! The same sort of questions, asked of real API servers about what [`story`](super::story) made happen there.

use super::walk::{MOST_TOKENS, Step, Walk};

/// What a day may cost, asked in one call.
const DAY_TOKENS: usize = 2_000;

pub(super) const WALKS: [Walk; 3] = [
    Walk {
        question: "Why is checkout slow in eu-1?",
        steps: &[
            Step {
                tool: "problems_list",
                arguments: r#"{"cluster":"eu-1","namespace":"storefront"}"#,
                command: "problems --cluster eu-1 -n storefront",
                shows: &["QuotaExceeded", "deployments/checkout", "requests.cpu"],
                learned: "Pods of checkout can't be made, because the quota of the namespace has no processor left. Since when is \
                    there too little?",
            },
            Step {
                tool: "changes_list",
                arguments: r#"{"cluster":"eu-1","namespace":"storefront"}"#,
                command: "changes --cluster eu-1 -n storefront",
                shows: &[
                    "ResourceQuota/team",
                    "platform-defaults",
                    "1.8.1 → 1.8.2",
                    "250m → 600m",
                    "argocd-controller",
                ],
                learned: "Two changes met: somebody gave the namespace a quota of one processor, which was just enough, and then \
                    1.8.2 went out, whose pods ask for 600m where those before asked for 250m.",
            },
            Step {
                tool: "resources_describe",
                arguments: r#"{"cluster":"eu-1","namespace":"storefront","name":"deployment/checkout"}"#,
                command: "describe deployment/checkout --cluster eu-1 -n storefront",
                shows: &["QuotaExceeded", "2/2", "service/checkout"],
                learned: "Two of four replicas are left, of the release before: they carry the load of four.",
            },
        ],
        concluded: "Half of checkout is missing: its rollout to 1.8.2 took two replicas away and can't make new ones within the \
            quota that was set just before. The quota, or what the release asks for, must change.",
        most_tokens: MOST_TOKENS,
    },
    Walk {
        question: "Is checkout the same in all regions?",
        steps: &[Step {
            tool: "fleet_diff",
            arguments: r#"{"namespace":"storefront","name":"deployment/checkout"}"#,
            command: "diff deployment/checkout -n storefront",
            shows: &["checkout:1.8.1", "checkout:1.8.2", "LOG_LEVEL", "debug", "spec.replicas", "ap-1"],
            learned: "eu-1 and us-1 are alike. ap-1 has the release before, logs at another level, and has fewer replicas; what the \
                servers filled in by themselves is no difference.",
        }],
        concluded: "No: ap-1 waits for 1.8.2, and somebody edited it by hand besides.",
        most_tokens: MOST_TOKENS,
    },
    Walk {
        question: "What changed today in the storefront?",
        steps: &[Step {
            tool: "changes_list",
            arguments: r#"{"namespace":"storefront","since":"24h"}"#,
            command: "changes -n storefront --since 24h",
            shows: &[
                "1.8.1 → 1.8.2",
                "eu-1, us-1",
                "info → debug",
                "kubectl-edit",
                "ResourceQuota/team",
                "4 → 3",
            ],
            learned: "A change that was made alike in several clusters is one row with all of them, a rollout one row with what \
                followed from it, and each row says who did it.",
        }],
        concluded: "checkout 1.8.2 in eu-1 and us-1, a quota in eu-1 before it, and edits by hand in ap-1.",
        most_tokens: DAY_TOKENS,
    },
];
