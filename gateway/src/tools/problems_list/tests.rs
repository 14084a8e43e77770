use kubeplex_proto::problems::ProblemSeverity;

use super::fixture::{Wrong, answered, gathered, problem};
use super::*;
use crate::fleet::Fleet;
use crate::request::fixtures::{NOW, cluster, fleet, lost, resolved, sealer};

fn clusters() -> Fleet {
    fleet(vec![
        cluster("dev", &["env=dev"]),
        cluster("prod-eu", &["env=prod"]),
        cluster("prod-us", &["env=prod"]),
    ])
}

fn asked(fleet: &Fleet, arguments: &Value, of: Option<&Wrong<'_>>) -> Result<Rendered, CallError> {
    let request = resolved(fleet, NAME, arguments)?;
    let Request::Problems(query) = &request else { panic!("{request:?}") };
    let sealer = sealer();
    let context = RenderContext { now: NOW, sealer: &sealer, nonce: [1; 24] };
    let gathered = of.map_or_else(|| answered(query), |of| gathered(query, of));
    render(Merged::by_hand(Answered::Problems(query, gathered)), &context)
}

fn answer(arguments: &Value) -> Value {
    asked(&clusters(), arguments, None).unwrap().structured
}

fn rows(answer: &Value) -> Vec<String> {
    let rows = answer["groups"][0]["rows"].as_array().into_iter().flatten();
    let cell = |cell: &Value| cell.as_str().map_or_else(|| cell.to_string(), str::to_owned);
    rows.map(|row| row.as_array().unwrap().iter().map(cell).collect::<Vec<_>>().join(" | ")).collect()
}

#[test]
fn what_is_the_same_in_several_clusters_is_one_row_and_the_gravest_is_first() {
    let answer = answer(&json!({}));
    assert_eq!(
        answer["columns"],
        json!([
            "severity",
            "cause",
            "object",
            "namespace",
            "clusters",
            "objects",
            "message",
            "evidence",
            "symptoms",
            "firstSeen",
            "next"
        ])
    );
    let next = r#"{"tool":"events_list","arguments":{"cluster":"prod-eu","namespace":"shop","name":"pods/cart-7d9f8b6c5d-x2x9k","since":"1h"}}"#;
    let next: Value = serde_json::from_str(next).unwrap();
    let rows = rows(&answer);
    assert_eq!(rows.len(), 2);
    assert_eq!(
        rows[0],
        format!(
            "critical | CrashLoop | deployments/cart | shop | prod-eu, prod-us | 6 pods | container main ends with exit \
             code 1 (Error) soon after each start | lastState.terminated: Error, exit code 1, ran for 3s; BackOff: back-off \
             5m0s restarting failed container main | 2 deployments RolloutStuck | 60m | {next}"
        )
    );
    assert!(rows[1].starts_with(
        "warning | ImageNotFound | statefulsets/search | shop | dev, prod-eu, prod-us | 3 pods | "
    ));
    assert_eq!((&answer["total"], &answer["clusters"]["ageMs"]), (&json!(2), &json!(140)));
}

#[test]
fn the_call_that_says_more_can_be_made() {
    for row in answer(&json!({"fields": "next"}))["groups"][0]["rows"].as_array().unwrap() {
        let (tool, arguments) = (row[0]["tool"].as_str().unwrap(), &row[0]["arguments"]);
        assert!(resolved(&clusters(), tool, arguments).is_ok(), "{row}");
    }
    // A tool that an agent of another version knows.
    let unknown = |_: &str| {
        let next =
            kubeplex_proto::problems::ProblemNext { tool: "of_tomorrow".to_owned(), arguments: Map::new() };
        vec![Problem { next: Some(next), ..problem("Down", "nodes//n1", 1, "nodes//n1") }]
    };
    let answer = asked(&clusters(), &json!({"fields": "next"}), Some(&unknown)).unwrap().structured;
    let call = &answer["groups"][0]["rows"][0][0];
    assert!(resolved(&clusters(), call["tool"].as_str().unwrap(), &call["arguments"]).is_ok(), "{call}");
    assert_eq!(call["arguments"], json!({"cluster": "dev", "name": "nodes/n1"}));
}

#[test]
fn the_arguments_of_lists_apply() {
    for (arguments, expected) in [
        (
            json!({"fields": "cause,cluster", "sortBy": "severity"}),
            &["ImageNotFound | dev, prod-eu, prod-us", "CrashLoop | prod-eu, prod-us"][..],
        ),
        (json!({"fields": "cause", "sortBy": "firstSeen"}), &["ImageNotFound", "CrashLoop"]),
        (json!({"fields": "cause", "sortBy": "-objects"}), &["CrashLoop", "ImageNotFound"]),
        (
            json!({"fields": "cause,cluster.labels.env,examples", "limit": 1}),
            &["CrashLoop | prod | pods/cart-7d9f8b6c5d-x2x9k, pods/cart-7d9f8b6c5d-x2x9k"],
        ),
        (
            json!({"groupBy": "severity,sum(objects)", "sortBy": "severity"}),
            &["critical | 1 | 6", "warning | 1 | 3"],
        ),
        (json!({"groupBy": "cluster"}), &["prod-eu | 2", "prod-us | 2", "dev | 1"]),
        (
            json!({"groupBy": "cluster.labels.env,cause", "sortBy": "cause,-count"}),
            &["prod | CrashLoop | 2", "prod | ImageNotFound | 2", "dev | ImageNotFound | 1"],
        ),
    ] {
        assert_eq!(rows(&answer(&arguments)), expected, "{arguments}");
    }
    let first = answer(&json!({"fields": "cause", "limit": 1}));
    assert_eq!(first["statusCounts"], json!({"critical": 1, "warning": 1}));
    let next = answer(&json!({"fields": "cause", "limit": 1, "continue": first["continue"]}));
    assert_eq!((rows(&first), rows(&next)), (vec!["CrashLoop".to_owned()], vec!["ImageNotFound".to_owned()]));
    assert!(next["continue"].is_null());
    for (arguments, said) in [
        (json!({"fields": "casue"}), "did you mean cause"),
        (json!({"sortBy": "age"}), "problems have no column \"age\""),
        (json!({"groupBy": "firstSeen"}), "is the time since a moment"),
        (json!({"groupBy": "sum(message)"}), "objects and clusters can be summed up"),
        (json!({"severity": "fatal"}), "severity"),
        (json!({"freshness": "live"}), "freshness"),
        (json!({"kind": "nodes", "namespace": "shop"}), "nodes are in no namespace"),
        (json!({"since": "1h", "until": "2h"}), "since"),
        (json!({"name": "pod/a", "kind": "nodes"}), "kind says nodes"),
    ] {
        let error = asked(&clusters(), &arguments, None).unwrap_err();
        assert!(error.message.contains(said), "{arguments}: {}", error.message);
    }
}

#[test]
fn what_is_asked_reaches_the_agents() {
    let arguments =
        json!({"name": "deploy/cart*", "namespace": "shop", "severity": "warning", "since": "1h"});
    let request = resolved(&clusters(), NAME, &arguments).unwrap();
    let Request::Problems(query) = &request else { panic!("{request:?}") };
    assert_eq!(query.kind.as_ref().unwrap().to_string(), "deployments.apps");
    assert_eq!((query.names[0].as_str(), query.namespaces[0].as_str()), ("cart*", "shop"));
    assert_eq!(
        (query.severity, query.since),
        (ProblemSeverity::Warning, Some(kubeplex_proto::events::Moment::Ago(3_600_000)))
    );
}

#[test]
fn a_cluster_that_does_not_answer_is_said_beside_the_problems_of_the_others() {
    let fleet = fleet(vec![cluster("prod-eu", &[]), lost("prod-ap")]);
    let rendered = asked(&fleet, &json!({}), None).unwrap();
    assert_eq!(rendered.structured["partial"], true);
    let said = &rendered.structured["clusters"]["problems"][0];
    assert_eq!((&said["cluster"], &said["rowsShown"]), (&json!("prod-ap"), &json!("none")));
    assert!(said["message"].as_str().unwrap().contains("none of its problems are in this answer"), "{said}");
    assert!(rendered.text.contains("critical\tCrashLoop\tdeployments/cart\tshop"), "{}", rendered.text);
}

/// A dozen causes, each in all of three clusters.
#[test]
fn what_is_wrong_over_three_clusters_costs_little() {
    let mut wrong = Vec::new();
    for at in 0..6 {
        let of_shop = fixture::of_shop("prod-eu");
        wrong.extend(of_shop.into_iter().map(|problem| {
            let mut problem = problem;
            problem.subject.name = format!("{}-{at}", problem.subject.name);
            problem
        }));
    }
    let of = |_: &str| wrong.clone();
    let answer = asked(&clusters(), &json!({}), Some(&of)).unwrap().structured;
    let shown = answer["shown"].as_u64().unwrap();
    let tokens = tiktoken_rs::o200k_base().unwrap().encode_ordinary(&answer.to_string()).len();
    println!(
        "{tokens} tokens for {shown} of {} problems, {} bytes",
        answer["total"],
        answer.to_string().len()
    );
    assert!(answer.to_string().len() <= 7_500);
    let eight = asked(&clusters(), &json!({}), Some(&|_: &str| wrong[..8].to_vec())).unwrap().structured;
    let tokens = tiktoken_rs::o200k_base().unwrap().encode_ordinary(&eight.to_string()).len();
    println!("{tokens} tokens for 8 problems");
    assert!(tokens <= 1_500, "{tokens}");
}
