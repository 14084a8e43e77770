//! What the demo tells: where its clusters stand when it begins, and what to ask them. What happens to them is a scenario of
//! `simcluster`; `docs/demo.md` lists every cause, and where its evidence is.

use crate::hints::{Hints, Question};

/// A line a cluster.
const LINES: [(&str, &str); 6] = [
    (
        "prod-us",
        "checkout 1.9.0 went out two hours ago, is killed for its memory again and again, and its rollout is stuck",
    ),
    (
        "prod-eu",
        "checkout is slow since its last release, a node is not heard from, search can't grow any further, a certificate is not \
         renewed, last night's settlement failed",
    ),
    (
        "prod-ap",
        "the new recommendations fit on no node, payments-api was edited by hand, and a catalog release is about to go wrong",
    ),
    (
        "staging-eu",
        "a disk is full, the new ledger is never ready, a claim waits for storage that does not exist",
    ),
    (
        "staging-us",
        "the new fraud-detector wants a Secret that is not there; later a node gets tired, and recovers",
    ),
    ("dev-eu", "somebody deployed a catalog that nobody has pushed"),
];

const TITLE: &str = "The day before the biggest sale of a small web shop:";

const QUESTIONS: [Question; 3] = [
    Question {
        ask: "Which pods restart most, over all clusters, and what ended them?",
        tool: "pods_list",
        arguments: r#"{"sortBy":"-restarts","limit":5,"fields":"name,status,restarts,status.containerStatuses[0].lastState.terminated.reason"}"#,
    },
    Question {
        ask: "Is the shop's checkout the same everywhere?",
        tool: "resources_get",
        arguments: r#"{"name":"deployment/checkout","namespace":"shop","fields":"spec.template.spec.containers[*].image"}"#,
    },
    Question {
        ask: "What are the clusters warning of?",
        tool: "events_list",
        arguments: r#"{"fieldSelector":"type=Warning","groupBy":"cluster,reason,sum(count)"}"#,
    },
];

/// For a demo of these clusters.
pub(super) fn hints<'a>(clusters: impl IntoIterator<Item = &'a str>) -> Hints {
    let clusters: Vec<_> = clusters.into_iter().collect();
    let lines = LINES.iter().filter(|(name, _)| clusters.contains(name));
    let lines = lines.map(|(name, line)| format!("  {name:10}  {line}"));
    Hints { story: std::iter::once(TITLE.to_owned()).chain(lines).collect(), questions: QUESTIONS }
}
