use std::sync::Arc;

use kubeplex_proto::problems::ProblemCounts;
use serde_json::json;

use super::*;
use crate::fleet::Nodes;
use crate::request::fixtures::{NOW, NOW_MS, cluster, fleet, lost, resolved, sealer};

fn rendered(clusters: Vec<ClusterView>, arguments: &Value) -> Rendered {
    let request = resolved(&fleet(clusters), "clusters_list", arguments).unwrap();
    let sealer = sealer();
    let context = RenderContext { now: NOW, sealer: &sealer, nonce: [1; 24] };
    let Request::Clusters(query) = &request else { panic!("{request:?}") };
    render(Merged::by_hand(Answered::Clusters(query)), &context).unwrap()
}

fn rows(structured: &Value, column: usize) -> String {
    let rows = structured["groups"][0]["rows"].as_array().unwrap();
    rows.iter().map(|row| row[column].as_str().unwrap_or("-")).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_cluster_has_a_row_and_the_unreachable_say_since_when() {
    let mut never = ClusterView::expected(
        kubeplex_proto::ids::ClusterId::new("new").unwrap(),
        std::collections::BTreeMap::new(),
        30_000,
    );
    never.labels = cluster("new", &["env=dev"]).labels;
    let structured = rendered(vec![cluster("eu", &["env=prod"]), lost("ap"), never], &json!({})).structured;
    assert_eq!(
        structured["columns"],
        json!(["name", "link", "linkAge", "dataAge", "version", "nodes", "labels"])
    );
    assert_eq!(
        structured["groups"],
        json!([{"rows": [
            ["ap", "lost", "4m", "0s", "v1.35.2", "2/3", {}],
            ["eu", "connected", "60s", "0s", "v1.35.2", "2/3", {"env": "prod"}],
            ["new", "never", "30s", null, null, null, {"env": "dev"}],
        ]}])
    );
    let problems = structured["clusters"]["problems"].as_array().unwrap();
    assert_eq!(problems[0]["message"], "no link for 4m: its details are as of 4m ago");
    assert_eq!(problems[0]["rowsShown"], "old");
    assert_eq!(problems[1]["rowsShown"], "none");
    assert_eq!((&structured["clusters"]["answered"], &structured["partial"]), (&json!(1), &json!(true)));
}

#[test]
fn trouble_gets_its_columns_when_there_is_some() {
    let mut skewed = cluster("eu", &[]);
    let report = Arc::make_mut(&mut skewed.report);
    report.clock_offset_ms = -65_000;
    report.api_problem = "connection refused".to_owned();
    let structured = rendered(vec![skewed, cluster("us", &[])], &json!({})).structured;
    let columns = structured["columns"].as_array().unwrap();
    assert!(columns.ends_with(&[json!("clockOffset"), json!("problem")]));
    assert_eq!(structured["groups"][0]["rows"][0][7], "-65s");
    assert_eq!(structured["groups"][0]["rows"][1][8], json!(null));
}

#[test]
fn problems_are_counted_where_agents_look_for_them_and_the_gravest_lead() {
    let counting = |name: &str, critical, warning| {
        let mut view = cluster(name, &[]);
        Arc::make_mut(&mut view.report).problems = Some(ProblemCounts { critical, warning, info: 0 });
        view
    };
    let clusters = || vec![counting("a", 0, 7), counting("b", 1, 0), counting("c", 0, 0), cluster("d", &[])];
    let answer = rendered(clusters(), &json!({"sortBy": "-problems", "fields": "name,problems"})).structured;
    assert_eq!(
        answer["groups"][0]["rows"],
        json!([["b", "1 critical"], ["a", "7 warning"], ["c", 0], ["d", null]])
    );
    let columns = rendered(clusters(), &json!({})).structured["columns"].clone();
    assert!(columns.as_array().unwrap().contains(&json!("problems")), "{columns}");
}

/// As a list of its pods would say it.
#[test]
fn a_cluster_whose_agent_is_cut_off_from_it_is_a_problem() {
    let cut_off = |name: &str, version: &str| {
        let mut view = cluster(name, &[]);
        let report = Arc::make_mut(&mut view.report);
        report.api_problem = "connection refused".to_owned();
        report.kubernetes_version = version.to_owned();
        view
    };
    let mut never = cut_off("new", "");
    never.caches.clear();
    let found = rendered(vec![cut_off("eu", "v1.35.2"), never, cluster("us", &[])], &json!({})).structured;
    let told: Vec<_> = found["clusters"]["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| ["cluster", "status", "message"].map(|key| problem[key].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ["eu", "stale", "connection refused: its details are as of 0s ago"],
            ["new", "error", "connection refused: its details are as of some time ago"],
        ]
    );
    assert_eq!((&found["clusters"]["answered"], &found["partial"]), (&json!(2), &json!(true)));
}

#[test]
fn the_arguments_of_lists_apply() {
    let clusters = || {
        let mut small = cluster("a", &["region=eu"]);
        small.nodes = Some(Nodes { ready: 1, all: 1 });
        vec![small, cluster("b", &["region=us"]), cluster("c", &["region=ap"]), lost("d")]
    };
    for (arguments, expected) in [
        (json!({"sortBy": "-name"}), "d c b a"),
        (json!({"sortBy": "nodes,-name"}), "a d c b"),
        (json!({"sortBy": "cluster.labels.region"}), "c a b d"),
        (json!({"sortBy": "-link,cluster"}), "d a b c"),
        (json!({"clusterSelector": "region in (eu,us)"}), "a b"),
        (json!({"cluster": "c,d"}), "c d"),
    ] {
        assert_eq!(rows(&rendered(clusters(), &arguments).structured, 0), expected, "{arguments}");
    }
    let fields = rendered(clusters(), &json!({"fields": "cluster,cluster.labels.region,agent", "limit": 2}))
        .structured;
    assert_eq!(fields["columns"], json!(["cluster", "cluster.labels.region", "agent"]));
    assert_eq!(rows(&fields, 1), "eu us");
}

#[test]
fn pages_follow_each_other() {
    let clusters = || ["a", "b", "c", "d", "e"].map(|name| cluster(name, &[])).to_vec();
    let mut shown = Vec::new();
    let mut arguments = json!({"sortBy": "-name", "limit": 2});
    for _ in 0..3 {
        let structured = rendered(clusters(), &arguments).structured;
        shown.push(rows(&structured, 0));
        arguments["continue"] = structured["continue"].clone();
    }
    assert_eq!(shown, ["e d", "c b", "a"]);
    assert!(arguments["continue"].is_null());
}

#[test]
fn pages_by_age_follow_each_other_while_time_goes_on() {
    let clusters = |passed_ms: u64| {
        let linked = |(name, ago): (&str, u64)| {
            let mut cluster = cluster(name, &[]);
            cluster.link_changed_ms = NOW_MS.saturating_sub_unsigned(ago);
            cluster.link_since_ms = ago + passed_ms;
            // Of lost clusters: nothing proves their data anew.
            let mut report = cluster.caches.reports().next().unwrap().clone();
            report.age_ms = Some(ago);
            cluster.caches = cluster.caches.at(NOW.steady);
            cluster.caches.insert(report);
            cluster.caches = cluster.caches.at(NOW.steady.in_ms(passed_ms));
            cluster
        };
        [("a", 3_000), ("b", 2_000), ("c", 1_000), ("d", 4_000)].map(linked).to_vec()
    };
    for (order, expected) in
        [("linkAge", "c b a d"), ("-linkAge", "d a b c"), ("dataAge", "c b a d"), ("-dataAge", "d a b c")]
    {
        let mut shown = Vec::new();
        let mut arguments = json!({"sortBy": order, "limit": 1});
        for page in 0..4 {
            let structured = rendered(clusters(page * 1_500), &arguments).structured;
            shown.push(rows(&structured, 0));
            arguments["continue"] = structured["continue"].clone();
        }
        assert_eq!(shown.join(" "), expected, "{order}");
        assert!(arguments["continue"].is_null());
    }
}

#[test]
fn clusters_are_counted_by_what_they_have_in_common() {
    let clusters = || vec![cluster("a", &["env=prod"]), cluster("b", &["env=prod"]), lost("c")];
    let grouped = |arguments: Value| rendered(clusters(), &arguments).structured;
    let answer = grouped(json!({"groupBy": "cluster.labels.env,sum(nodes)"}));
    assert_eq!(answer["columns"], json!(["cluster.labels.env", "count", "sum(nodes)"]));
    assert_eq!(answer["groups"], json!([{"rows": [["prod", 2, 6], [null, 1, 3]]}]));
    assert_eq!((&answer["total"], &answer["partial"]), (&json!(2), &json!(true)));
    let first = grouped(json!({"groupBy": "link", "sortBy": "link", "limit": 1}));
    let next =
        grouped(json!({"groupBy": "link", "sortBy": "link", "limit": 1, "continue": first["continue"]}));
    assert_eq!(
        (&first["groups"][0]["rows"], &next["groups"][0]["rows"]),
        (&json!([["connected", 2]]), &json!([["lost", 1]]))
    );
    for (arguments, said) in [
        (json!({"groupBy": "linkAge"}), "is the time since a moment"),
        (json!({"groupBy": "sum(version)"}), "nodes and labels can be summed up"),
        (json!({"groupBy": "namespace"}), "clusters have no column \"namespace\""),
    ] {
        let error = resolved(&fleet(clusters()), "clusters_list", &arguments).unwrap_err();
        assert!(error.message.contains(said), "{arguments}: {}", error.message);
    }
}
