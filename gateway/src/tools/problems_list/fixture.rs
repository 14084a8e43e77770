//! What agents would answer, for tests and for the documentation's example.

use kubeplex_proto::gather::{GatherEnd, GatherHead};
use kubeplex_proto::problems::{
    Problem, ProblemEvidence, ProblemNext, ProblemObject, ProblemSeverity, Symptom,
};
use kubeplex_proto::status::{LegStatus, Source};
use serde_json::json;

use crate::merge::{Gather, Gathered, Heard, LegFailure};
use crate::request::fixtures::{NOW, NOW_MS};
use crate::request::{ProblemsQuery, legs};

/// What is wrong in a cluster.
pub(in crate::tools) type Wrong<'a> = dyn Fn(&str) -> Vec<Problem> + 'a;

const MINUTE_MS: i64 = 60_000;

/// `pods/shop/cart-1`, `nodes//n1`.
pub(in crate::tools) fn object(text: &str) -> ProblemObject {
    let [kind, namespace, name] = text.split('/').collect::<Vec<_>>().try_into().unwrap();
    let namespace = (!namespace.is_empty()).then(|| namespace.to_owned());
    ProblemObject { kind: kind.parse().unwrap(), namespace, name: name.to_owned() }
}

pub(in crate::tools) fn problem(cause: &str, subject: &str, objects: u64, example: &str) -> Problem {
    Problem {
        cause: cause.to_owned(),
        severity: ProblemSeverity::Critical,
        message: format!("it has {cause}"),
        subject: object(subject),
        objects,
        examples: vec![object(example)],
        evidence: Vec::new(),
        first_seen_ms: NOW_MS - 60 * MINUTE_MS,
        last_seen_ms: None,
        symptoms: Vec::new(),
        next: None,
    }
}

/// What goes wrong in a shop: more objects where the cluster's name is longer, so that clusters differ.
pub(in crate::tools) fn of_shop(cluster: &str) -> Vec<Problem> {
    let evidence = |source: &str, text: &str| ProblemEvidence {
        source: source.to_owned(),
        text: text.to_owned(),
        at_ms: Some(NOW_MS - MINUTE_MS),
    };
    let next = |tool: &str, arguments: serde_json::Value| ProblemNext {
        tool: tool.to_owned(),
        arguments: arguments.as_object().cloned().unwrap_or_default(),
    };
    let crash = Problem {
        message: "container main ends with exit code 1 (Error) soon after each start".to_owned(),
        evidence: vec![
            evidence("container", "lastState.terminated: Error, exit code 1, ran for 3s"),
            evidence("event", "BackOff: back-off 5m0s restarting failed container main"),
        ],
        symptoms: vec![Symptom {
            cause: "RolloutStuck".to_owned(),
            kind: "deployments.apps".parse().unwrap(),
            objects: 1,
            examples: vec![object("deployments.apps/shop/cart")],
        }],
        next: Some(next("events_list", json!({"since": "1h"}))),
        ..problem(
            "CrashLoop",
            "deployments.apps/shop/cart",
            cluster.len() as u64 / 2,
            "pods/shop/cart-7d9f8b6c5d-x2x9k",
        )
    };
    let pull = Problem {
        severity: ProblemSeverity::Warning,
        message: "image registry.example.com/shop/search:1.9 is not found".to_owned(),
        evidence: vec![evidence("container", "waiting: ImagePullBackOff: manifest unknown")],
        first_seen_ms: NOW_MS - 12 * MINUTE_MS,
        ..problem("ImageNotFound", "statefulsets.apps/shop/search", 1, "pods/shop/search-0")
    };
    match cluster {
        "dev" => vec![pull],
        _ => vec![crash, pull],
    }
}

/// Of linked clusters.
pub(in crate::tools) fn answered(query: &ProblemsQuery) -> Gathered<Problem> {
    gathered(query, &of_shop)
}

pub(in crate::tools) fn gathered(query: &ProblemsQuery, of: &Wrong<'_>) -> Gathered<Problem> {
    let mut gather = Gather::new(&query.targets);
    for (leg, cluster) in legs(&query.targets) {
        if let Some(failure) = LegFailure::of_link(cluster) {
            gather.finish(leg, Err(failure));
            continue;
        }
        let items = of(cluster.id.as_str());
        let head = GatherHead {
            status: LegStatus::Ok,
            message: None,
            source: Source::Cache,
            api_version: String::new(),
            total: items.len() as u64,
            age_ms: 140,
            cluster_now_ms: NOW_MS,
            clock_offset_ms: 0,
        };
        gather.head(leg, Heard::new(head, NOW.steady));
        gather.items(leg, items);
        gather.finish(leg, Ok(GatherEnd { cut: None }));
    }
    gather.into_gathered().unwrap()
}
