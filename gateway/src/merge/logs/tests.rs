use kubeplex_proto::gather::GatherHead;
use kubeplex_proto::status::{LegStatus, Source};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::request::Request;
use crate::request::fixtures::{NOW, NOW_MS, cluster, fleet, resolved};

fn query(arguments: &Value) -> LogsQuery {
    let fleet = fleet(vec![cluster("eu", &[]), cluster("us", &[])]);
    match resolved(&fleet, "pods_log", arguments).unwrap() {
        Request::Logs(query) => query,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn head(total: u64) -> GatherHead {
    GatherHead {
        status: LegStatus::Ok,
        message: None,
        source: Source::Live,
        api_version: String::new(),
        total,
        age_ms: 0,
        cluster_now_ms: NOW_MS + 5_000,
        clock_offset_ms: 0,
    }
}

/// So many pods in each cluster.
fn found(query: &LogsQuery, counts: &[u64]) -> Gathered<PodName> {
    let mut gather = Gather::new(&query.targets);
    for (at, count) in counts.iter().enumerate() {
        gather.head(LegId(at), Heard::new(head(*count), NOW.steady));
        let pod = |at| PodName { namespace: "shop".to_owned(), name: format!("cart-{at}") };
        gather.items(LegId(at), (0..*count).map(pod).collect());
        gather.finish(LegId(at), Ok(GatherEnd { cut: None }));
    }
    gather.into_gathered().unwrap()
}

fn source(id: u32) -> LogItem {
    let (namespace, pod) = ("shop".to_owned(), format!("cart-{id}"));
    LogItem::Source(LogSource { id, namespace, pod, container: "main".to_owned() })
}

fn line(source: u32, at_ns: i64, text: &str) -> LogLine {
    LogLine { source, at_ns: Some(at_ns), text: text.to_owned(), beside: false }
}

fn texts(page: &LogPage) -> String {
    page.lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn lines_of_all_clusters_are_in_the_order_of_their_times() {
    let query = query(&json!({"name": "deploy/cart"}));
    let mut merge = LogMerge::new(&query, found(&query, &[2, 1])).unwrap();
    assert_eq!((merge.pods(LegId(0)).len(), merge.pods(LegId(1)).len()), (2, 1));
    for leg in [LegId(0), LegId(1)] {
        merge.head(leg, Heard::new(head(1), NOW.steady));
        merge.item(leg, source(0));
    }
    merge.item(LegId(0), source(1));
    merge.item(LegId(1), LogItem::Lines(vec![line(0, 2, "b"), line(0, 5, "e")]));
    merge.item(LegId(0), LogItem::Lines(vec![line(1, 1, "a"), line(0, 3, "c"), line(7, 3, "of nobody")]));
    merge.item(LegId(0), LogItem::Lines(vec![line(0, 4, "d")]));
    assert_eq!(merge.tagged(LegId(0), &line(1, 9, "x")), "eu/cart-1/main: x");
    let over = LogOver { id: 0, message: Some("broke off".to_owned()), unread: true, ..LogOver::default() };
    merge.item(LegId(0), LogItem::Over(over));
    [LegId(0), LegId(1)].into_iter().for_each(|leg| merge.finish(leg, Ok(GatherEnd { cut: None })));
    let page = merge.into_page().unwrap();
    assert_eq!(texts(&page), "a b c d e");
    let origins: Vec<_> = page.lines.iter().map(|line| &page.origins[line.source as usize]).collect();
    assert_eq!((origins[1].leg, origins[2].source.pod.as_str()), (LegId(1), "cart-0"));
    assert_eq!(page.offsets_ms, [(LegId(0), 5_000), (LegId(1), 5_000)]);
    assert!(page.coverage.is_partial(), "what a container lacks is said");
    assert_eq!(page.coverage.legs[0].message.as_deref(), Some("cart-0/main: broke off"));
    assert_eq!(page.coverage.legs[1].message, None);
}

#[test]
fn more_pods_than_are_read_are_counted_and_none_is_told() {
    let query = query(&json!({"name": "deploy/cart"}));
    let error = LogMerge::new(&query, found(&query, &[18, 3])).err().unwrap();
    assert_eq!(error.code, ErrorCode::TooLarge);
    assert_eq!(
        error.message,
        "deployments.apps \"cart\" means 21 pods, and logs of 20 are read at most (eu 18, us 3)"
    );
    assert!(LogMerge::new(&query, found(&query, &[18, 2])).is_ok());
    let error = LogMerge::new(&query, found(&query, &[0, 0])).err().unwrap();
    assert_eq!(error.code, ErrorCode::NotFound);
    assert_eq!(error.message, "there is no pod of deployments.apps \"cart\" in any of the 2 clusters asked");
}

#[test]
fn a_cluster_that_fails_half_way_is_part_of_the_answer() {
    let query = query(&json!({"name": "deploy/cart"}));
    let mut merge = LogMerge::new(&query, found(&query, &[1, 1])).unwrap();
    merge.head(LegId(0), Heard::new(head(1), NOW.steady));
    merge.item(LegId(0), source(0));
    merge.item(LegId(0), LogItem::Lines(vec![line(0, 1, "a")]));
    merge.finish(LegId(0), Ok(GatherEnd { cut: None }));
    merge.finish(LegId(1), Err(LegFailure::new(LegStatus::Timeout, "no answer within 8 s")));
    let page = merge.into_page().unwrap();
    assert_eq!((texts(&page).as_str(), page.coverage.answered()), ("a", 1));
    // One without such pods was not asked a second time, and answered.
    let mut merge = LogMerge::new(&query, found(&query, &[1, 0])).unwrap();
    merge.finish(LegId(0), Err(LegFailure::new(LegStatus::Forbidden, "anna may not get pods/log")));
    assert_eq!(merge.into_page().unwrap().coverage.answered(), 1);
    let mut merge = LogMerge::new(&query, found(&query, &[1, 1])).unwrap();
    for leg in [LegId(0), LegId(1)] {
        merge.finish(leg, Err(LegFailure::new(LegStatus::Forbidden, "anna may not get pods/log")));
    }
    assert_eq!(merge.into_page().err().unwrap().code, ErrorCode::Forbidden);
}

#[test]
fn templates_of_all_clusters_are_folded_together() {
    let query = query(&json!({"patterns": true}));
    let mut merge = LogMerge::new(&query, found(&query, &[1, 1])).unwrap();
    for leg in [LegId(0), LegId(1)] {
        merge.head(leg, Heard::new(head(1), NOW.steady));
        merge.item(leg, source(4));
        let mut fold = Fold::default();
        fold.line(4, Some(leg.0 as i64), &format!("served in {leg:?} ms"));
        let (templates, others) = fold.into_templates();
        merge.item(leg, LogItem::Templates { templates, others: others + 1 });
        merge.finish(leg, Ok(GatherEnd { cut: None }));
    }
    let page = merge.into_page().unwrap();
    let [template] = page.templates.as_slice() else { panic!("{:?}", page.templates) };
    assert_eq!((template.count, template.sources.len(), page.others), (2, 2, 2));
}

proptest! {
    /// However lines come, what is shown are the newest, in order, and the others are counted.
    #[test]
    fn the_merged_order_is_that_of_the_sorted_union(frames in prop::collection::vec((0_usize..2, prop::collection::vec(0_i64..50, 0..5)), 0..30), room in 0_usize..40) {
        let mut query = query(&json!({}));
        query.options.max_bytes = room * line(0, 0, "x").weight();
        let mut merge = LogMerge::new(&query, found(&query, &[1, 1])).unwrap();
        for leg in [LegId(0), LegId(1)] {
            merge.head(leg, Heard::new(head(1), NOW.steady));
            merge.item(leg, source(0));
        }
        let mut union: Vec<i64> = Vec::new();
        for (leg, times) in &frames {
            let lines: Vec<_> = times.iter().map(|at| line(0, *at, "x")).collect();
            union.extend(times);
            merge.item(LegId(*leg), LogItem::Lines(lines));
        }
        [LegId(0), LegId(1)].into_iter().for_each(|leg| merge.finish(leg, Ok(GatherEnd { cut: None })));
        let page = merge.into_page().unwrap();
        union.sort_unstable();
        let gone = union.len().saturating_sub(room);
        let shown: Vec<_> = page.lines.iter().filter_map(|line| line.at_ns).collect();
        prop_assert_eq!(shown, union[gone..].to_vec());
        prop_assert_eq!(page.origins.iter().map(|origin| origin.over.dropped).sum::<u64>(), gone as u64);
    }
}
