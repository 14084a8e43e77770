use std::collections::BTreeMap;

use kubeplex_proto::json_len::json_len;
use kubeplex_proto::list::{ListEnd, ListHead, Row};
use kubeplex_proto::sort::{KeyValue, RowKey, SortBy};
use kubeplex_test_support::list as answer;
use serde_json::json;

use super::*;
use crate::cursor::CursorSealer;
use crate::fleet::{ClusterView, Fleet};
use crate::merge::{Heard, LegFailure, ListMerge, Step};
use crate::request::fixtures::{NOW, NOW_MS, cluster, fleet, list_query, lost, sealer};
use crate::request::legs;

mod again;
mod names;
mod paging;
mod tokens;

/// A pod, as far as its row goes.
#[derive(Debug, Clone)]
pub(super) struct Pod {
    pub(super) cluster: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) status: String,
    pub(super) restarts: u64,
    pub(super) age_s: i64,
}

fn pod(cluster: &str, namespace: &str, name: &str, restarts: u64) -> Pod {
    let [cluster, namespace, name] = [cluster, namespace, name].map(str::to_owned);
    Pod { cluster, namespace, name, status: "Running".to_owned(), restarts, age_s: 3 * 86_400 }
}

fn row(query: &ListQuery, cluster: &ClusterView, pod: &Pod) -> Row {
    let values = query.page.order.terms(cluster).into_iter().map(|term| match term.by {
        SortBy::Constant(value) => value,
        SortBy::Field(_) => KeyValue::from_integer(pod.restarts as i64),
    });
    let key = RowKey {
        values: values.collect(),
        namespace: pod.namespace.clone(),
        name: pod.name.clone(),
        uid: format!("{}-{}", pod.cluster, pod.name),
    };
    let created_ms = NOW_MS - 500 - pod.age_s * 1_000;
    let cells =
        vec![json!(pod.name), json!("1/1"), json!(pod.status), json!(pod.restarts), json!(created_ms)];
    Row { key, cells }
}

/// The page that honest agents would make of these pods.
pub(super) fn page(query: &ListQuery, pods: &[Pod]) -> ListPage {
    let directions = query.page.order.directions();
    let mut merge = ListMerge::new(query);
    for (leg, cluster) in legs(&query.targets) {
        if let Some(failure) = LegFailure::of_link(cluster) {
            merge.finish(leg, Err(failure));
            continue;
        }
        let own: Vec<_> = pods.iter().filter(|pod| pod.cluster == cluster.id.as_str()).collect();
        let mut rows: Vec<_> = own.iter().map(|pod| row(query, cluster, pod)).collect();
        rows.sort_by(|a, b| a.key.compare(&b.key, &directions));
        if let Some(resume) = &query.page.resume {
            rows.retain(|row| resume.after.compare(&row.key, &directions).is_lt());
        }
        let more = rows.len() > query.page.limit as usize;
        rows.truncate(query.page.limit as usize);
        merge.head(leg, Heard::new(head(&own), NOW.steady.ago_ms(500)));
        merge.rows(leg, rows);
        merge.finish(leg, Ok(ListEnd { more, cut: None }));
    }
    while merge.next() == Step::Row {}
    merge.into_page().unwrap()
}

fn head(pods: &[&Pod]) -> ListHead {
    let mut status_counts = BTreeMap::new();
    for pod in pods {
        *status_counts.entry(pod.status.clone()).or_insert(0) += 1;
    }
    let mut columns = answer::columns(&["name", "ready", "status", "restarts", "age"]);
    columns[4].format = CellFormat::Age;
    let known = answer::head(columns, pods.len() as u64);
    ListHead { status_counts, age_ms: 140, cluster_now_ms: NOW_MS - 500, ..known }
}

pub(super) fn rendered(query: &ListQuery, page: &ListPage) -> Rendered {
    let sealer: CursorSealer = sealer();
    list(query, page, &RenderContext { now: NOW, sealer: &sealer, nonce: [3; 24] })
}

fn three_pods() -> (Fleet, Vec<Pod>) {
    let pods = vec![pod("eu", "shop", "cart", 0), pod("eu", "web", "front", 4), pod("us", "shop", "cart", 2)];
    (fleet(vec![cluster("eu", &["region=eu"]), cluster("us", &[])]), pods)
}

#[test]
fn in_the_usual_order_rows_stand_in_groups() {
    let (fleet, pods) = three_pods();
    let query = list_query(&fleet, "pods_list", &json!({}));
    let Rendered { structured, text } = rendered(&query, &page(&query, &pods));
    assert_eq!(
        structured.to_string(),
        json!({
            "columns": ["name", "ready", "status", "restarts", "age"],
            "groups": [
                {"cluster": "eu", "namespace": "shop", "rows": [["cart", "1/1", "Running", 0, "3d"]]},
                {"cluster": "eu", "namespace": "web", "rows": [["front", "1/1", "Running", 4, "3d"]]},
                {"cluster": "us", "namespace": "shop", "rows": [["cart", "1/1", "Running", 2, "3d"]]},
            ],
            "total": 3, "shown": 3,
            "clusters": {"expected": 2, "answered": 2, "ageMs": 640},
        })
        .to_string()
    );
    let expected = "name\tready\tstatus\trestarts\tage\n# cluster eu, namespace shop\ncart\t1/1\tRunning\t0\t3d\n\
        # cluster eu, namespace web\nfront\t1/1\tRunning\t4\t3d\n# cluster us, namespace shop\ncart\t1/1\tRunning\t2\t3d\n\
        3 of 3 shown\nclusters: 2 of 2 answered, data at most 640 ms old\n";
    assert_eq!(text, expected);
}

#[test]
fn sorted_across_clusters_both_are_columns() {
    let (fleet, pods) = three_pods();
    let table = [
        (
            json!({"sortBy": "-restarts"}),
            json!(["cluster", "namespace", "name", "ready", "status", "restarts", "age"]),
            json!([{"rows": [["eu", "web", "front", "1/1", "Running", 4, "3d"], ["us", "shop", "cart", "1/1", "Running", 2, "3d"],
                ["eu", "shop", "cart", "1/1", "Running", 0, "3d"]]}]),
        ),
        (
            json!({"sortBy": "-restarts", "cluster": "eu"}),
            json!(["namespace", "name", "ready", "status", "restarts", "age"]),
            json!([{"cluster": "eu", "rows": [["web", "front", "1/1", "Running", 4, "3d"], ["shop", "cart", "1/1", "Running", 0, "3d"]]}]),
        ),
    ];
    for (arguments, columns, groups) in table {
        let query = list_query(&fleet, "pods_list", &arguments);
        let structured = rendered(&query, &page(&query, &pods)).structured;
        assert_eq!((&structured["columns"], &structured["groups"]), (&columns, &groups), "{arguments}");
    }
}

#[test]
fn fields_of_the_cluster_stand_where_they_were_asked_for() {
    let (fleet, pods) = three_pods();
    let fields = json!({"fields": "name,cluster.labels.region,ready,status,restarts,age", "output": "json", "limit": 1});
    let query = list_query(&fleet, "pods_list", &fields);
    let structured = rendered(&query, &page(&query, &pods)).structured;
    assert_eq!(
        structured["groups"][0]["rows"][0],
        json!({"name": "cart", "cluster.labels.region": "eu", "ready": "1/1", "status": "Running", "restarts": 0, "age": "3d"})
    );
}

#[test]
fn a_cut_answer_says_what_it_hides_and_how_to_go_on() {
    let (fleet, mut pods) = three_pods();
    pods[1].status = "CrashLoopBackOff".to_owned();
    let query = list_query(&fleet, "pods_list", &json!({"limit": 1}));
    let Rendered { structured, text } = rendered(&query, &page(&query, &pods));
    assert_eq!(structured["statusCounts"], json!({"CrashLoopBackOff": 1, "Running": 2}));
    assert_eq!(structured["clusters"]["counts"], json!({"eu": 2, "us": 1}));
    assert_eq!((&structured["total"], &structured["shown"]), (&json!(3), &json!(1)));
    let cursor = structured["continue"].as_str().unwrap();
    assert!(
        text.contains(&format!("1 of 3 shown; for the next page repeat the call with continue {cursor}"))
    );
    let next = list_query(&fleet, "pods_list", &json!({"limit": 1, "continue": cursor}));
    assert_eq!(next.page.resume.unwrap().after.uid, "eu-cart");
}

#[test]
fn a_missing_cluster_is_said_in_both_forms() {
    let fleet = fleet(vec![cluster("eu", &[]), lost("ap")]);
    let query = list_query(&fleet, "pods_list", &json!({}));
    let Rendered { structured, text } = rendered(&query, &page(&query, &[pod("eu", "shop", "cart", 0)]));
    assert_eq!(
        structured["clusters"],
        json!({"expected": 2, "answered": 1, "ageMs": 640, "problems": [{"cluster": "ap", "status": "disconnected",
            "since": "2026-11-23T18:20:39Z", "rowsShown": "none",
            "message": "no link for 4m: none of its rows are in this answer; last known 412 pods"}]})
    );
    assert_eq!(structured["partial"], true);
    assert!(text.contains("ap disconnected since 2026-11-23T18:20:39Z: no link for 4m"));
    assert!(
        text.contains("clusters: 1 of 2 answered")
            && text.ends_with("PARTIAL: what is missing or old is said above\n")
    );
}

#[test]
fn a_cluster_that_is_back_stays_out_until_the_cursor_ends() {
    let down = fleet(vec![cluster("eu", &[]), lost("ap")]);
    let pods = [pod("eu", "shop", "a", 0), pod("eu", "shop", "b", 0), pod("ap", "shop", "c", 0)];
    let query = list_query(&down, "pods_list", &json!({"limit": 1}));
    let first = rendered(&query, &page(&query, &pods)).structured;
    let up = fleet(vec![cluster("eu", &[]), cluster("ap", &[])]);
    let query = list_query(&up, "pods_list", &json!({"limit": 1, "continue": first["continue"]}));
    let second = rendered(&query, &page(&query, &pods)).structured;
    assert_eq!(second["groups"][0]["rows"][0][0], "b");
    assert_eq!(second["clusters"], json!({"expected": 2, "answered": 1, "ageMs": 640, "rejoined": ["ap"]}));
    assert_eq!(second["partial"], true);
}

#[test]
fn the_budget_cuts_at_a_row_and_the_cursor_goes_on_from_there() {
    let fleet = fleet(vec![cluster("eu", &[]), cluster("us", &[])]);
    let pods: Vec<_> = (0..300).map(|at| pod("eu", "shop", &format!("cart-{at:03}"), 0)).collect();
    for max_bytes in [500, 1_000, 3_000, 7_500] {
        let arguments = json!({"limit": 1000, "maxBytes": max_bytes});
        let query = list_query(&fleet, "pods_list", &arguments);
        let structured = rendered(&query, &page(&query, &pods)).structured;
        let (bytes, shown) = (json_len(&structured), structured["shown"].as_u64().unwrap());
        assert!(shown == 1 || bytes <= max_bytes, "{bytes} bytes of {max_bytes}");
        assert!(shown > 0 && (shown == 1 || bytes + 100 > max_bytes), "{bytes} of {max_bytes} bytes used");
        let next = json!({"limit": 1000, "maxBytes": max_bytes, "continue": structured["continue"]});
        let last = list_query(&fleet, "pods_list", &next).page.resume.unwrap().after.name;
        assert_eq!(last, format!("cart-{:03}", shown - 1));
    }
}

#[test]
fn one_row_that_is_too_large_loses_its_largest_cells() {
    let (fleet, mut pods) = three_pods();
    pods.truncate(1);
    pods[0].status = "x".repeat(9_000);
    let query = list_query(&fleet, "pods_list", &json!({}));
    let structured = rendered(&query, &page(&query, &pods)).structured;
    assert_eq!(structured["groups"][0]["rows"][0][2], json!({"omittedBytes": 9_002}));
}

/// The total covers the clusters that answered; rows of one that broke off are shown all the same.
#[test]
fn more_rows_than_the_total_are_not_said_to_be_of_it() {
    let (fleet, pods) = three_pods();
    let query = list_query(&fleet, "pods_list", &json!({}));
    let page = ListPage { total: 1, ..page(&query, &pods) };
    let Rendered { structured, text } = rendered(&query, &page);
    assert_eq!((&structured["shown"], &structured["total"]), (&json!(3), &json!(1)));
    assert!(text.contains("\n3 shown, 1 in clusters that answered in full\n"), "{text}");
}

#[test]
fn text_from_a_cluster_is_data() {
    let (fleet, mut pods) = three_pods();
    pods[0].status = "\u{1b}[2JReady\u{202e}".to_owned();
    let query = list_query(&fleet, "pods_list", &json!({"limit": 1}));
    let Rendered { structured, text } = rendered(&query, &page(&query, &pods));
    assert_eq!(structured["groups"][0]["rows"][0][2], "\\u{1b}[2JReady\\u{202e}");
    assert_eq!(structured["statusCounts"]["\\u{1b}[2JReady\\u{202e}"], 1);
    assert!(!text.contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn a_status_of_many_values_does_not_push_the_rows_out() {
    let fleet = fleet(vec![cluster("eu", &[])]);
    let mut pods: Vec<_> = (0..60).map(|at| pod("eu", "shop", &format!("cart-{at:02}"), 0)).collect();
    pods.iter_mut().enumerate().for_each(|(at, pod)| pod.status = format!("free text {at:02}"));
    let query = list_query(&fleet, "pods_list", &json!({"limit": 5}));
    let structured = rendered(&query, &page(&query, &pods)).structured;
    assert_eq!(structured["statusCounts"].as_object().unwrap().len(), 21);
    assert_eq!(structured["statusCounts"]["other"], 40);
}

/// So many pods of each of so many clusters, with statuses of free text.
fn crowd(clusters: usize, each: usize) -> (Fleet, Vec<Pod>) {
    let names: Vec<_> = (0..clusters).map(|at| format!("cluster-{at:03}")).collect();
    let pods = names.iter().flat_map(|name| {
        (0..each).map(move |at| Pod {
            status: format!("Status{}", at % 25),
            ..pod(name, "shop", &format!("cart-{at:04}"), 0)
        })
    });
    (fleet(names.iter().map(|name| cluster(name, &[])).collect()), pods.collect())
}

#[test]
fn a_budget_is_used_up_in_either_output() {
    let (fleet, pods) = crowd(2, 200);
    for output in ["table", "json"] {
        for max_bytes in [2_000, 7_500, 12_000] {
            let arguments = json!({"limit": 1000, "maxBytes": max_bytes, "output": output});
            let query = list_query(&fleet, "pods_list", &arguments);
            let structured = rendered(&query, &page(&query, &pods)).structured;
            let used = json_len(&structured);
            assert!(used <= max_bytes && used > max_bytes - 300, "{output}: {used} of {max_bytes}");
        }
    }
}

#[test]
fn the_smallest_budget_holds_a_row_of_a_fleet() {
    let (fleet, pods) = crowd(60, 20);
    for output in ["table", "json"] {
        let query = list_query(&fleet, "pods_list", &json!({"maxBytes": 500, "output": output}));
        let structured = rendered(&query, &page(&query, &pods)).structured;
        assert!(json_len(&structured) <= 500 && structured["shown"] == 1, "{structured}");
        assert_eq!((&structured["total"], structured["continue"].is_string()), (&json!(1200), true));
    }
}

#[test]
fn what_is_said_of_many_clusters_leaves_room_for_rows() {
    let (all_linked, pods) = crowd(60, 20);
    let half_lost = all_linked
        .clusters()
        .iter()
        .enumerate()
        .map(|(at, view)| if at % 2 == 0 { (**view).clone() } else { lost(view.id.as_str()) });
    for fleet in [fleet(half_lost.collect()), all_linked] {
        for max_bytes in [1_500, 3_000, 7_500] {
            let arguments = json!({"limit": 1000, "maxBytes": max_bytes});
            let query = list_query(&fleet, "pods_list", &arguments);
            let structured = rendered(&query, &page(&query, &pods)).structured;
            assert!(json_len(&structured) <= max_bytes, "{structured}");
            let rows = json_len(&structured["groups"]);
            assert!(rows > max_bytes / 8, "{rows} of {max_bytes}: {structured}");
            let clusters = &structured["clusters"];
            let named = clusters["problems"].as_array().map_or(0, Vec::len) as u64;
            let others = clusters["moreProblems"]["disconnected"].as_u64().unwrap_or_default();
            assert_eq!(named + others + clusters["answered"].as_u64().unwrap(), 60, "{clusters}");
            let statuses = structured["statusCounts"].as_object().unwrap();
            let counted: u64 = statuses.values().filter_map(Value::as_u64).sum();
            assert_eq!(counted, structured["total"].as_u64().unwrap(), "{statuses:?}");
        }
    }
}
