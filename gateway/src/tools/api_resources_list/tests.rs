use std::sync::Arc;

use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::visibility::{Reach, VisibilityRule};
use serde_json::json;

use super::*;
use crate::error::ErrorCode;
use crate::fleet::ClusterView;
use crate::request::fixtures::{NOW, cluster, fleet, kind, kinds, lost, resolved, sealer};

/// `a` has canaries, `b` has not and can't tell of metrics, and `c` is gone.
fn clusters() -> Vec<ClusterView> {
    let canaries = kind("stable.example.com", "canaries", "Canary", &["can"], &["v1", "v1beta1"]);
    let mut a = cluster("a", &["env=prod"]);
    a.kinds = Some(Arc::new(kinds(&[canaries])));
    let mut b = cluster("b", &["env=test"]);
    let mut table = kinds(&[]);
    table.kinds.retain(|kind| kind.id.group != "metrics.k8s.io");
    table.failed_groups.push(("metrics.k8s.io".to_owned(), "the server is unavailable".to_owned()));
    b.kinds = Some(Arc::new(table));
    vec![a, b, lost("c")]
}

fn asked(arguments: &Value, visibility: &Visibility) -> Result<Value, CallError> {
    let request = resolved(&fleet(clusters()), NAME, arguments)?;
    let sealer = sealer();
    let context = RenderContext { now: NOW, sealer: &sealer, nonce: [1; 24] };
    let Request::Kinds(query) = &request else { panic!("{request:?}") };
    Ok(render(Merged::by_hand(Answered::Kinds(query, visibility)), &context)?.structured)
}

fn answer(arguments: &Value) -> Value {
    asked(arguments, everything()).unwrap()
}

fn rows(answer: &Value) -> Vec<String> {
    let rows = answer["groups"][0]["rows"].as_array().into_iter().flatten();
    rows.map(|row| row.as_array().unwrap().iter().map(plain).collect::<Vec<_>>().join(" ")).collect()
}

fn plain(cell: &Value) -> String {
    cell.as_str().map_or_else(|| cell.to_string(), str::to_owned)
}

#[test]
fn a_kind_is_said_with_the_clusters_that_have_it_and_those_that_do_not() {
    let answer = answer(&json!({"kind": "can*"}));
    assert_eq!(
        answer["columns"],
        json!([
            "name",
            "group",
            "versions",
            "kind",
            "namespaced",
            "shortNames",
            "verbs",
            "clusters",
            "missing"
        ])
    );
    assert_eq!(
        rows(&answer),
        ["canaries stable.example.com v1,v1beta1 Canary true can get,list,watch 1 b, c"]
    );
    let metrics = self::answer(&json!({"kind": "podmetrics", "fields": "name,group,in,missing"}));
    assert_eq!(rows(&metrics), ["pods metrics.k8s.io a, c null"], "b does not know whether it has them");
}

#[test]
fn what_is_not_known_is_said() {
    let answer = answer(&json!({"limit": 1}));
    assert_eq!((&answer["clusters"]["expected"], &answer["clusters"]["answered"]), (&json!(3), &json!(2)));
    assert_eq!(answer["partial"], true);
    let problems: Vec<_> = answer["clusters"]["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| plain(&problem["message"]))
        .collect();
    assert_eq!(
        problems,
        [
            "its kinds in groups that do not answer are missing: metrics.k8s.io (the server is unavailable)",
            "no link for 4m: its kinds are as of 4m ago",
        ]
    );
    let error = asked(&json!({"minCoverage": 100}), everything()).unwrap_err();
    assert_eq!(error.code, ErrorCode::Unavailable);
}

#[test]
fn kinds_are_found_by_any_of_their_names() {
    for (kind, found) in [
        ("po", &["pods"][..]),
        ("Deployment", &["deployments"]),
        ("deployments.apps", &["deployments"]),
        ("certificates.cert-manager.io/v1", &["certificates"]),
        ("events", &["events", "events"]),
        ("svc,*policies,no", &["nodes", "services"]),
        ("nothing*", &[]),
    ] {
        assert_eq!(rows(&answer(&json!({"kind": kind, "fields": "name"}))), found, "{kind}");
    }
    let error = asked(&json!({"kind": "deploymentz"}), everything()).unwrap_err();
    assert_eq!(error.code, ErrorCode::NotFound);
    assert!(error.message.contains("did you mean deployments"), "{}", error.message);
}

#[test]
fn only_kinds_that_the_caller_may_see_exist() {
    let only = |pattern: &str| Reach::Only(vec![Pattern::new(pattern)]);
    let visibility = Visibility::of(vec![VisibilityRule::of(only("*.apps"), only("shop"))]);
    let answer = asked(&json!({"fields": "name"}), &visibility).unwrap();
    assert_eq!(rows(&answer), ["deployments"]);
    assert!(!answer.to_string().contains("metrics"), "nor do groups: {answer}");
    let shop = Visibility::of(vec![VisibilityRule::of(Reach::All, only("shop"))]);
    let answer = asked(&json!({"fields": "name", "kind": "no,po"}), &shop).unwrap();
    assert!(!rows(&answer).contains(&"nodes".to_owned()), "nodes are in no namespace");
}

#[test]
fn the_arguments_of_lists_apply() {
    let all = answer(&json!({"limit": 1_000, "fields": "group,name"}));
    let mut paged = Vec::new();
    let mut arguments = json!({"limit": 4, "fields": "group,name"});
    loop {
        let page = answer(&arguments);
        paged.extend(rows(&page));
        match page.get("continue") {
            Some(cursor) => arguments["continue"] = cursor.clone(),
            None => break,
        }
    }
    assert_eq!(paged, rows(&all));
    let by_group = answer(&json!({"groupBy": "group,sum(clusters)", "sortBy": "-count,group"}));
    assert_eq!(by_group["columns"], json!(["group", "count", "sum(clusters)"]));
    assert_eq!(rows(&by_group)[0], "null 4 12");
    let by_cluster = answer(&json!({"groupBy": "cluster.labels.env", "sortBy": "cluster.labels.env"}));
    assert_eq!(rows(&by_cluster), ["prod 12", "test 9", "null 11"]);
    for (arguments, said) in [
        (json!({"fields": "naem"}), "did you mean name"),
        (json!({"sortBy": "age"}), "kinds have no column \"age\""),
        (json!({"groupBy": "zone"}), "groupBy: kinds have no column \"zone\""),
        (json!({"groupBy": "sum(verbs)"}), "clusters can be summed up"),
        (json!({"groupBy": "group", "fields": "name"}), "leave fields out"),
        (json!({"groupBy": "group", "sortBy": "name"}), "they have group, count"),
        (json!({"freshness": "live"}), "freshness"),
    ] {
        let error = asked(&arguments, everything()).unwrap_err();
        assert!(error.message.contains(said), "{arguments}: {}", error.message);
    }
}
