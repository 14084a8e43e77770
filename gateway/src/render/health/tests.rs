use kubeplex_proto::gather::{GatherEnd, GatherHead};
use kubeplex_proto::health::{ApiFacts, NodeFacts};
use kubeplex_proto::status::Source;
use serde_json::json;

use super::*;
use crate::health::HealthThresholds;
use crate::merge::{Answered, Gather, Heard, LegFailure, Merged};
use crate::request::fixtures::{NOW, NOW_MS, cluster, fleet, lost, resolved, sealer};
use crate::request::{Request, legs};
use crate::tools::catalogue;

fn well(nodes: u64) -> HealthFacts {
    let nodes = NodeFacts {
        total: nodes,
        ready: nodes,
        kubelets: [("v1.35.2".to_owned(), nodes)].into(),
        ..NodeFacts::default()
    };
    HealthFacts {
        api: ApiFacts { answered_ms: Some(3), ..ApiFacts::default() },
        nodes: Some(nodes),
        ..HealthFacts::default()
    }
}

fn slow(nodes: u64) -> HealthFacts {
    let api = ApiFacts { answered_ms: Some(3_000), ..ApiFacts::default() };
    HealthFacts { api, ..well(nodes) }
}

fn refused(nodes: u64) -> HealthFacts {
    let api = ApiFacts { problem: "refused".to_owned(), ..ApiFacts::default() };
    HealthFacts { api, ..well(nodes) }
}

/// What is answered when this is what the clusters tell; `None` is one without a link.
fn answer(told: &[(&str, Option<HealthFacts>)], arguments: Value) -> Rendered {
    let views =
        told.iter().map(|(name, facts)| if facts.is_some() { cluster(name, &[]) } else { lost(name) });
    let request = resolved(&fleet(views.collect()), "cluster_health", &arguments).unwrap();
    let Request::Health(query) = &request else { panic!("{request:?}") };
    let mut merge = Gather::new(&query.targets);
    for (leg, cluster) in legs(&query.targets) {
        let facts =
            told.iter().find(|(name, _)| *name == cluster.id.as_str()).and_then(|(_, facts)| facts.clone());
        let Some(facts) = facts else {
            merge.finish(leg, Err(LegFailure::of_cluster(cluster).unwrap()));
            continue;
        };
        let head = GatherHead {
            status: LegStatus::Ok,
            message: None,
            source: Source::Cache,
            api_version: String::new(),
            total: 1,
            age_ms: 10,
            cluster_now_ms: NOW_MS,
            clock_offset_ms: 0,
        };
        merge.head(leg, Heard::new(head, NOW.steady));
        merge.items(leg, vec![facts]);
        merge.finish(leg, Ok(GatherEnd { cut: None }));
    }
    let merged =
        Merged::by_hand(Answered::Health(query, merge.into_gathered().unwrap(), HealthThresholds::default()));
    let sealer = sealer();
    let context = RenderContext { now: NOW, sealer: &sealer, nonce: [1; 24] };
    catalogue().get("cluster_health").unwrap().render(merged, &context).unwrap()
}

fn rows(answer: &Value) -> Vec<String> {
    let rows = answer["groups"][0]["rows"].as_array().unwrap().iter();
    rows.map(|row| format!("{} {} {}", row[0].as_str().unwrap(), row[1].as_str().unwrap(), row[6])).collect()
}

#[test]
fn the_worst_come_first_and_who_is_silent_is_unknown() {
    let told = [
        ("a", Some(well(3))),
        ("b", Some(slow(3))),
        ("c", None),
        ("d", Some(refused(3))),
        ("e", Some(well(3))),
    ];
    let answer = answer(&told, json!({}));
    assert_eq!(
        rows(&answer.structured),
        [
            r#"d critical ["API server: refused"]"#,
            r#"c unknown ["no answer: no link for 4m"]"#,
            r#"b degraded ["API server: took 3000 ms to say whether it is ready"]"#,
            "a healthy []",
            "e healthy []",
        ]
    );
    let content = &answer.structured;
    assert_eq!(
        (&content["total"], &content["shown"], &content["partial"]),
        (&json!(5), &json!(5), &json!(true))
    );
    assert_eq!(content["clusters"]["answered"], 4);
    assert!(
        answer.text.starts_with("d\tcritical\tv1.35.2\t3/3\t-\t-\n  API server: refused\nc\tunknown"),
        "{}",
        answer.text
    );
    assert!(answer.text.contains("5 of 5 clusters shown\nclusters: 4 of 5 answered"), "{}", answer.text);
}

#[test]
fn of_many_those_that_are_well_are_one_row() {
    let names: Vec<String> = (0..100).map(|at| format!("cluster-{at:02}")).collect();
    let told: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(at, name)| (name.as_str(), Some(if at % 50 == 7 { slow(5) } else { well(5) })))
        .collect();
    let answer = answer(&told, json!({})).structured;
    let rows = rows(&answer);
    assert_eq!(rows.len(), 3);
    assert!(
        rows[0].starts_with("cluster-07 degraded") && rows[1].starts_with("cluster-57 degraded"),
        "{rows:?}"
    );
    assert!(rows[2].starts_with("98 clusters healthy [\"cluster-00, cluster-01"), "{rows:?}");
    assert!(rows[2].ends_with("and 78 more\"]"), "{rows:?}");
    assert_eq!(answer["groups"][0]["rows"][2][3], "490/490");
    assert_eq!((&answer["total"], &answer["shown"]), (&json!(100), &json!(100)));
}

#[test]
fn a_hundred_clusters_in_trouble_fit_any_budget() {
    let names: Vec<String> = (0..100).map(|at| format!("cluster-{at:02}")).collect();
    let mut bad = refused(5);
    bad.not_known = (0..12).map(|at| format!("part {at}: {}", "why ".repeat(20))).collect();
    let told: Vec<_> = names.iter().map(|name| (name.as_str(), Some(bad.clone()))).collect();
    for max_bytes in [500, 2_000, 7_500, 100_000] {
        let answer = answer(&told, json!({"maxBytes": max_bytes})).structured;
        assert!(answer.to_string().len() <= max_bytes, "{max_bytes}: {}", answer.to_string().len());
        let shown = rows(&answer).len();
        assert_eq!(answer["shown"], shown);
        assert!(shown >= 1 && rows(&answer)[0].contains("API server: refused"), "{answer}");
        if shown < 100 {
            assert_eq!(answer["statusCounts"], json!({"critical": 100}));
        }
    }
}

#[test]
fn what_is_taken_is_told_in_percent() {
    let of = |cpu_milli, memory_bytes| Resources { cpu_milli, memory_bytes, pods: 0 };
    let told = |requested, used| CapacityFacts { allocatable: of(7_910, 3 << 30), requested, used };
    for (capacity, cpu, memory) in [
        (told(None, None), "7.9", "3.0Gi"),
        (told(Some(of(791, 3 << 29)), None), "10% requested of 7.9", "50% requested of 3.0Gi"),
        (
            told(Some(of(791, 0)), Some(of(7_910, 0))),
            "10% requested, 100% used of 7.9",
            "0% requested, 0% used of 3.0Gi",
        ),
    ] {
        assert_eq!(usage(&capacity, |part| part.cpu_milli, processors), cpu);
        assert_eq!(usage(&capacity, |part| part.memory_bytes, gibibytes), memory);
    }
}
