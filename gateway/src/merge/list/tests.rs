use std::collections::{BTreeMap, VecDeque};

use kubeplex_proto::list::Cut;
use kubeplex_proto::sort::KeyValue;
use kubeplex_test_support::list as answer;
use serde_json::json;

mod asks;
mod paging;

use super::*;
use crate::error::ErrorCode;
use crate::fleet::{ClusterView, Fleet};
use crate::merge::RowsShown;
use crate::request::fixtures::{NOW, NOW_MS, cluster, fleet, list_query, lost};

/// One cluster's pods, as its agent would hold them.
#[derive(Debug, Clone)]
struct Pod {
    namespace: String,
    name: String,
    restarts: i64,
    /// Objects of aggregated APIs have none.
    has_uid: bool,
}

fn pod(namespace: &str, name: &str, restarts: i64) -> Pod {
    Pod { namespace: namespace.to_owned(), name: name.to_owned(), restarts, has_uid: true }
}

fn column(name: &str) -> Column {
    Column { name: name.to_owned(), format: CellFormat::Plain }
}

fn head(total: usize) -> ListHead {
    ListHead {
        status_counts: BTreeMap::from([("Running".to_owned(), total as u64)]),
        age_ms: 140,
        cluster_now_ms: NOW_MS,
        ..answer::head(answer::columns(&["name", "restarts"]), total as u64)
    }
}

/// Heard just now.
fn heard(head: ListHead) -> Heard<ListHead> {
    Heard::new(head, NOW.steady)
}

/// An honest agent: the rows of a page, in order, and whether more follow.
fn answer(query: &ListQuery, cluster: &ClusterView, pods: &[Pod]) -> (Vec<Row>, bool) {
    let directions = query.page.order.directions();
    let terms = query.page.order.terms(cluster);
    let mut rows: Vec<Row> = pods
        .iter()
        .map(|pod| {
            let values = terms.iter().map(|term| match &term.by {
                kubeplex_proto::sort::SortBy::Constant(value) => value.clone(),
                kubeplex_proto::sort::SortBy::Field(_) => KeyValue::from_integer(pod.restarts),
            });
            Row {
                key: RowKey {
                    values: values.collect(),
                    namespace: pod.namespace.clone(),
                    name: pod.name.clone(),
                    uid: if pod.has_uid { format!("{}/{}", cluster.id, pod.name) } else { String::new() },
                },
                cells: vec![json!(pod.name), json!(pod.restarts)],
            }
        })
        .collect();
    rows.sort_by(|a, b| a.key.compare(&b.key, &directions));
    if let Some(resume) = &query.page.resume {
        rows.retain(|row| resume.after.compare(&row.key, &directions).is_lt());
    }
    let more = rows.len() > query.page.limit as usize;
    rows.truncate(query.page.limit as usize);
    (rows, more)
}

/// Feeds a merge from honest agents: `chunk` rows at a time, extra legs fed out of turn as `eager` says. A leg in
/// `failing` breaks off after so many rows.
fn drive(
    query: &ListQuery,
    pods: &BTreeMap<String, Vec<Pod>>,
    chunk: usize,
    eager: &[usize],
    failing: &BTreeMap<String, usize>,
) -> Result<ListPage, CallError> {
    let mut merge = ListMerge::new(query);
    let mut streams: Vec<_> = query
        .targets
        .iter()
        .map(|target| {
            let name = target.cluster.id.as_str();
            let (mut rows, more) = answer(query, &target.cluster, &pods[name]);
            let fails = failing.get(name).filter(|after| **after < rows.len() || **after == 0).copied();
            rows.truncate(fails.unwrap_or(rows.len()));
            (false, VecDeque::from(rows), more, fails.is_some())
        })
        .collect();
    let mut feed = |merge: &mut ListMerge, leg: usize| {
        let (has_head, rows, more, fails) = &mut streams[leg];
        let id = LegId(leg);
        if !(*has_head || *fails && rows.is_empty()) {
            *has_head = true;
            merge.head(id, heard(head(pods[query.targets[leg].cluster.id.as_str()].len())));
        } else if rows.is_empty() && *fails {
            merge.finish(id, Err(LegFailure::new(LegStatus::Error, "the link broke")));
        } else if rows.is_empty() {
            merge.finish(id, Ok(ListEnd { more: *more, cut: None }));
        } else {
            let chunk = chunk.min(rows.len());
            merge.rows(id, rows.drain(..chunk).collect());
        }
    };
    let mut eager = eager.iter().cycle();
    for _ in 0..100_000 {
        match merge.next() {
            Step::Row => {}
            Step::Done => return merge.into_page(),
            Step::Need(leg) => {
                feed(&mut merge, leg.0);
                if let Some(extra) = eager.next() {
                    feed(&mut merge, extra % query.targets.len());
                }
            }
        }
    }
    panic!("the merge does not end");
}

fn names(page: &ListPage) -> Vec<String> {
    page.rows.iter().map(|row| row.key.uid.clone()).collect()
}

fn shop() -> (Fleet, BTreeMap<String, Vec<Pod>>) {
    let pods = BTreeMap::from([
        ("a".to_owned(), vec![pod("x", "a1", 3), pod("x", "a2", 0), pod("y", "a3", 9)]),
        ("b".to_owned(), vec![pod("x", "b1", 5), pod("x", "b2", 0)]),
        ("c".to_owned(), vec![]),
    ]);
    (fleet(vec![cluster("a", &[]), cluster("b", &[]), cluster("c", &[])]), pods)
}

#[test]
fn one_order_over_all_clusters() {
    let (fleet, pods) = shop();
    for (sort_by, expected) in [
        (json!({}), "a/a1 a/a2 a/a3 b/b1 b/b2"),
        (json!({"sortBy": "-restarts"}), "a/a3 b/b1 a/a1 a/a2 b/b2"),
        (json!({"sortBy": "restarts,-cluster"}), "b/b2 a/a2 a/a1 b/b1 a/a3"),
    ] {
        let query = list_query(&fleet, "pods_list", &sort_by);
        let page = drive(&query, &pods, 1, &[], &BTreeMap::new()).unwrap();
        assert_eq!(names(&page).join(" "), expected, "{sort_by}");
        assert_eq!((page.total, page.more), (5, false));
        assert_eq!((page.coverage.expected(), page.coverage.answered()), (3, 3));
    }
}

#[test]
fn a_full_page_says_whether_more_follow() {
    let (fleet, pods) = shop();
    for (limit, more) in [(4, true), (5, false), (6, false)] {
        let query = list_query(&fleet, "pods_list", &json!({ "limit": limit }));
        let page = drive(&query, &pods, 2, &[], &BTreeMap::new()).unwrap();
        assert_eq!((page.rows.len(), page.more), (limit.min(5), more));
    }
}

#[test]
fn a_leg_that_breaks_off_is_partial_and_missing_from_then_on() {
    let (fleet, pods) = shop();
    let query = list_query(&fleet, "pods_list", &json!({}));
    let page = drive(&query, &pods, 1, &[], &BTreeMap::from([("a".to_owned(), 2)])).unwrap();
    assert_eq!(names(&page).join(" "), "a/a1 a/a2 b/b1 b/b2");
    assert_eq!(page.coverage.legs[0].rows, RowsShown::Partial);
    assert!(page.coverage.is_partial());
    let totals: Vec<_> = page.coverage.legs.iter().map(|leg| leg.total).collect();
    assert_eq!((page.total, totals), (2, vec![None, Some(2), Some(0)]), "of those that answered");
    assert_eq!(page.status_counts, BTreeMap::from([("Running".to_owned(), 2)]));
    assert_eq!(page.coverage.missing(), [LegId(0)]);
    assert_eq!(page.coverage.answered(), 2);
}

#[test]
fn a_stale_cluster_has_answered_is_partial_and_goes_on_in_the_next_page() {
    let (fleet, pods) = shop();
    let query = list_query(&fleet, "pods_list", &json!({}));
    let mut merge = ListMerge::new(&query);
    for (leg, target) in query.targets.iter().enumerate() {
        let (rows, _) = answer(&query, &target.cluster, &pods[target.cluster.id.as_str()]);
        let status = if leg == 1 { LegStatus::Stale } else { LegStatus::Ok };
        merge.head(LegId(leg), heard(ListHead { status, ..head(rows.len()) }));
        merge.rows(LegId(leg), rows);
        merge.finish(LegId(leg), Ok(ListEnd { more: false, cut: None }));
    }
    while merge.next() == Step::Row {}
    let page = merge.into_page().unwrap();
    assert_eq!(names(&page).join(" "), "a/a1 a/a2 a/a3 b/b1 b/b2");
    assert_eq!(page.coverage.legs[1].rows, RowsShown::Old);
    assert!(page.coverage.is_partial());
    assert_eq!((page.coverage.answered(), page.coverage.missing()), (3, vec![]));
}

#[test]
fn a_failure_behind_the_page_does_not_concern_it() {
    let (fleet, pods) = shop();
    let query = list_query(&fleet, "pods_list", &json!({"limit": 1}));
    let mut merge = ListMerge::new(&query);
    for (leg, target) in query.targets.iter().enumerate() {
        let (rows, _) = answer(&query, &target.cluster, &pods[target.cluster.id.as_str()]);
        merge.head(LegId(leg), heard(head(1)));
        merge.rows(LegId(leg), rows);
    }
    merge.finish(LegId(1), Err(LegFailure::new(LegStatus::Timeout, "late")));
    merge.finish(LegId(2), Ok(ListEnd { more: false, cut: None }));
    assert_eq!((merge.next(), merge.next()), (Step::Row, Step::Done));
    let page = merge.into_page().unwrap();
    assert!(!page.coverage.is_partial() && page.more);
}

#[test]
fn an_agent_that_lies_fails_alone() {
    let (fleet, pods) = shop();
    let query = list_query(&fleet, "pods_list", &json!({}));
    let (honest, _) = answer(&query, &query.targets[0].cluster, &pods["a"]);
    let mut reversed = honest.clone();
    reversed.reverse();
    let mut wide = honest.clone();
    wide[0].cells.push(json!(1));
    let mut long_key = honest.clone();
    long_key[0].key.name = "x".repeat(5_000);
    let mut short_key = honest.clone();
    short_key[0].key.values.clear();
    let twice: Vec<_> = honest.iter().chain(&honest).cloned().collect();
    for (rows, what) in [
        (reversed, "out of order"),
        (wide, "does not fit"),
        (short_key, "does not fit"),
        (twice, "out of order"),
        (long_key, "too long to page by"),
    ] {
        let mut merge = ListMerge::new(&query);
        merge.head(LegId(0), heard(head(3)));
        merge.rows(LegId(0), rows);
        for leg in [1, 2] {
            merge.head(LegId(leg), heard(head(0)));
            merge.finish(LegId(leg), Ok(ListEnd { more: false, cut: None }));
        }
        while merge.next() != Step::Done {}
        let page = merge.into_page().unwrap();
        assert!(page.rows.is_empty());
        assert!(page.coverage.legs[0].message.as_ref().unwrap().contains(what));
    }
}

#[test]
fn ends_of_every_kind() {
    let (fleet, _) = shop();
    let query = list_query(&fleet, "pods_list", &json!({"cluster": "a"}));
    let cut = |status| ListEnd { more: true, cut: Some(Cut { status, message: "cut".to_owned() }) };
    let row = |name: &str| Row {
        key: RowKey {
            values: vec![KeyValue::Text("a".into())],
            namespace: "x".into(),
            name: name.into(),
            uid: "u".into(),
        },
        cells: vec![json!(name), json!(0)],
    };
    let table = [
        // Its share of the bytes: it would be asked again.
        (vec![row("p")], cut(LegStatus::Ok), Some((1, false, false))),
        (vec![row("p")], cut(LegStatus::Timeout), Some((1, false, true))),
        (vec![], cut(LegStatus::Timeout), None),
        (vec![], ListEnd { more: true, cut: None }, None),
        (vec![], ListEnd { more: false, cut: None }, Some((0, false, false))),
    ];
    for (rows, end, expected) in table {
        let mut merge = ListMerge::new(&query);
        merge.head(LegId(0), heard(head(9)));
        merge.rows(LegId(0), rows);
        merge.finish(LegId(0), Ok(end.clone()));
        while merge.next() == Step::Row {}
        let page = merge.into_page().ok();
        let found = page.map(|page| (page.rows.len(), page.more, page.coverage.is_partial()));
        assert_eq!(found, expected, "{end:?}");
    }
}

#[test]
fn columns_of_two_versions_are_united() {
    let (fleet, _) = shop();
    let query = list_query(&fleet, "pods_list", &json!({"cluster": "a,b"}));
    let mut merge = ListMerge::new(&query);
    let key = |cluster: &str| RowKey {
        values: vec![KeyValue::Text(cluster.into())],
        namespace: "x".into(),
        name: "p".into(),
        uid: cluster.into(),
    };
    let columns = [vec![column("name"), column("old")], vec![column("new"), column("Name")]];
    for (leg, (columns, name)) in columns.into_iter().zip(["a", "b"]).enumerate() {
        let api_version = format!("v{leg}");
        merge.head(LegId(leg), heard(ListHead { columns, api_version, ..head(1) }));
        merge.rows(LegId(leg), vec![Row { key: key(name), cells: vec![json!(1), json!(2)] }]);
        merge.finish(LegId(leg), Ok(ListEnd { more: false, cut: None }));
    }
    while merge.next() == Step::Row {}
    let page = merge.into_page().unwrap();
    let columns: Vec<_> = page.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(columns, ["name", "old", "new"]);
    assert_eq!(page.rows[1].cells, [json!(2), json!(null), json!(1)]);
    assert_eq!(page.coverage.api_versions().unwrap(), BTreeMap::from([("a", "v0"), ("b", "v1")]));
}

#[test]
fn a_call_fails_only_when_all_fail_and_says_how() {
    let fleet = fleet(vec![cluster("a", &[]), lost("b")]);
    let query = list_query(&fleet, "pods_list", &json!({}));
    let refusal = LegFailure {
        refusal: Some(kubeplex_proto::status::AgentErrorCode::InvalidArgument),
        hint: Some("take ready".to_owned()),
        ..LegFailure::new(LegStatus::Error, "sortBy: pods have no column raedy")
    };
    let forbidden = LegFailure::new(LegStatus::Forbidden, "no right to list pods");
    for (failure, code, message) in [
        (refusal, ErrorCode::InvalidArgument, "sortBy: pods have no column raedy"),
        (
            forbidden,
            ErrorCode::Unavailable,
            "none of the 2 clusters asked answered. a: no right to list pods; b: no link for 4m",
        ),
    ] {
        let mut merge = ListMerge::new(&query);
        merge.finish(LegId(0), Err(failure));
        merge.finish(LegId(1), Err(LegFailure::of_link(&query.targets[1].cluster).unwrap()));
        assert_eq!(merge.next(), Step::Done);
        let error = merge.into_page().unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (code, message));
    }
}
