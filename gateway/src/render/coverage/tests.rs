use kubeplex_proto::ids::ClusterId;
use serde_json::json;

use super::*;
use crate::request::fixtures::NOW;

fn leg(name: &str, status: LegStatus) -> LegOutcome {
    LegOutcome::answered(ClusterId::new(name).unwrap(), status)
}

fn content(legs: Vec<LegOutcome>, cut: bool) -> Value {
    let nouns = Nouns { shown: "rows", kind: "pods", lack: None };
    let content = CoverageContent::new(&Coverage { legs }, nouns, cut, NOW);
    serde_json::to_value(content).unwrap()
}

#[test]
fn each_status_says_what_it_means_for_the_rows() {
    let stale = LegOutcome {
        message: Some("its watch broke".into()),
        as_of: Some(NOW.steady.ago_ms(150_000)),
        ..leg("a", LegStatus::Stale)
    };
    let syncing = LegOutcome {
        message: Some("first list under way.".into()),
        rows: RowsShown::None,
        ..leg("b", LegStatus::Syncing)
    };
    let torn = LegOutcome {
        message: Some("the link broke".into()),
        rows: RowsShown::Partial,
        ..leg("c", LegStatus::Error)
    };
    let cut =
        LegOutcome { message: Some("too large".into()), rows: RowsShown::Partial, ..leg("d", LegStatus::Ok) };
    let hostile = LegOutcome {
        message: Some("\u{1b}[31m\n".repeat(200)),
        rows: RowsShown::None,
        ..leg("e", LegStatus::Forbidden)
    };
    let found = content(vec![stale, syncing, torn, cut, hostile, leg("f", LegStatus::Absent)], false);
    assert_eq!(
        (&found["expected"], &found["answered"], &found["ageMs"]),
        (&json!(6), &json!(2), &json!(150_000))
    );
    let problems = found["problems"].as_array().unwrap();
    let expected = [
        ("stale", "old", "its watch broke: its rows are as of 2m30s ago"),
        ("syncing", "none", "first list under way: none of its rows are in this answer"),
        ("error", "partial", "the link broke: its rows after that are missing from this answer"),
        ("ok", "partial", "too large: its rows after that are missing from this answer"),
    ];
    for (problem, (status, rows_shown, message)) in problems.iter().zip(expected) {
        assert_eq!(problem["status"], status);
        assert_eq!(problem["rowsShown"], rows_shown);
        assert_eq!(problem["message"], message);
    }
    let message = problems[4]["message"].as_str().unwrap();
    assert!(message.starts_with("\\u{1b}[31m\\n") && message.len() < 1_000);
    assert_eq!(problems.len(), 5, "absent is no problem");
    assert_eq!(found["absent"], json!(["f"]));
}

#[test]
fn of_a_cluster_that_is_gone_the_last_that_is_known_is_said() {
    for (objects, problems, said) in [
        (Some(412), Some(3), "; last known 412 pods, 3 problems"),
        (Some(412), None, "; last known 412 pods"),
        (None, Some(1), "; last known 1 problem"),
        (None, None, ""),
    ] {
        let lost = LegOutcome {
            message: Some("no link for 4m".into()),
            rows: RowsShown::None,
            last_known: objects,
            last_known_problems: problems,
            ..leg("a", LegStatus::Disconnected)
        };
        let found = content(vec![lost], false);
        let message = format!("no link for 4m: none of its rows are in this answer{said}");
        assert_eq!(found["problems"][0]["message"], message);
    }
}

#[test]
fn of_many_problems_the_number_is_said() {
    let down = |at: usize| LegOutcome {
        rows: RowsShown::None,
        ..leg(&format!("c{at:03}"), LegStatus::Disconnected)
    };
    let found = content((0..100).map(down).collect(), false);
    assert_eq!(found["problems"].as_array().unwrap().len(), MAX_PROBLEMS);
    assert_eq!(found["moreProblems"], json!({"disconnected": 80}));
    let without = content((0..30).map(|at| leg(&format!("c{at:03}"), LegStatus::Absent)).collect(), false);
    assert_eq!(without["absent"].as_array().unwrap().len(), MAX_PROBLEMS);
    assert_eq!(without["moreProblems"], json!({"absent": 10}));
}

#[test]
fn versions_sources_and_counts_stand_where_they_tell_something() {
    let legs = |sources: [Source; 2], versions: [&str; 2]| -> Vec<LegOutcome> {
        let outcomes = ["a", "b"].iter().zip(sources).zip(versions).zip([3, 40]);
        let outcome = |(((name, source), version), total): (((&&str, Source), &str), u64)| LegOutcome {
            source: Some(source),
            api_version: Some(version.to_owned()),
            total: Some(total),
            ..leg(name, LegStatus::Ok)
        };
        outcomes.map(outcome).collect()
    };
    let alike = content(legs([Source::Cache; 2], ["v1", "v1"]), false);
    assert_eq!(alike, json!({"expected": 2, "answered": 2}));
    let differing = content(legs([Source::Cache, Source::Fill], ["v1", "v1beta1"]), true);
    assert_eq!(
        differing,
        json!({"expected": 2, "answered": 2, "source": {"b": "fill"}, "apiVersion": {"a": "v1", "b": "v1beta1"},
            "counts": {"b": 40, "a": 3}})
    );
    assert_eq!(content(legs([Source::Fill; 2], ["v1", "v1"]), false)["source"], "fill");
}

/// A hundred clusters, each with something to say of every sort.
#[test]
fn an_answer_of_a_hundred_clusters_stays_small() {
    let outcome = |at: usize| LegOutcome {
        source: Some(if at.is_multiple_of(2) { Source::Fill } else { Source::Live }),
        api_version: Some(if at < 3 { "example.com/v1beta1" } else { "example.com/v1" }.to_owned()),
        rejoined: at.is_multiple_of(2),
        total: Some(1_000_000),
        ..leg(
            &format!("production-cluster-{at:03}"),
            if at.is_multiple_of(3) { LegStatus::Absent } else { LegStatus::Timeout },
        )
    };
    let coverage = Coverage { legs: (0..100).map(outcome).collect() };
    let nouns = Nouns { shown: "rows", kind: "pods", lack: None };
    let mut whole = CoverageContent::new(&coverage, nouns, true, NOW);
    let told = serde_json::to_value(&whole).unwrap();
    for (named, more) in [("apiVersion", "moreApiVersions"), ("source", "moreSources")] {
        assert_eq!(told[named].as_object().unwrap().len(), MAX_PROBLEMS);
        let more: u64 = told[more].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(more, 80, "{more}");
    }
    let rare: Vec<_> = told["apiVersion"].as_object().unwrap().values().take(4).collect();
    assert_eq!(rare, ["example.com/v1beta1", "example.com/v1beta1", "example.com/v1beta1", "example.com/v1"]);
    assert_eq!((told["rejoined"].as_array().unwrap().len(), &told["moreRejoined"]), (20, &json!(30)));
    for max_bytes in [500, 2_000, 7_500] {
        whole.leave_room(max_bytes);
        // What is counted by word or status, and one problem, always stays.
        let bytes = json_len(&whole);
        assert!(bytes <= max_bytes * 4 / 5 || bytes < 620, "{bytes} bytes of {max_bytes}");
    }
    let told = serde_json::to_value(&whole).unwrap();
    let versions = told["apiVersion"].as_object().map_or(0, |named| named.len() as u64)
        + told["moreApiVersions"]
            .as_object()
            .unwrap()
            .values()
            .map(|count| count.as_u64().unwrap())
            .sum::<u64>();
    assert_eq!(versions, 100, "each is named or counted");
}
