//! How much a page asks of its clusters.

use super::*;
use crate::merge::Ask;
use crate::request::Resume;

/// Rows asked for and rows sent, in each round.
type Rounds = Vec<(u32, usize)>;

/// Clusters named in order with so many pods each, which they also reported.
fn clusters(pods: &[usize]) -> (Fleet, BTreeMap<String, Vec<Pod>>) {
    let name = |at: usize| format!("c{at:03}");
    let held = pods.iter().enumerate().map(|(at, count)| {
        let pods = (0..*count).map(|pod_at| pod("x", &format!("p{pod_at:04}"), (pod_at % 7) as i64));
        (name(at), pods.collect())
    });
    let views = pods.iter().enumerate().map(|(at, count)| {
        let mut view = cluster(&name(at), &[]);
        let mut report = view.caches.get(&GroupResource::new("", "pods")).unwrap().clone();
        report.objects = *count as u64;
        view.caches.insert(report);
        view
    });
    (fleet(views.collect()), held.collect())
}

fn answer_to(query: &ListQuery, ask: &Ask, pods: &BTreeMap<String, Vec<Pod>>) -> (Vec<Row>, bool) {
    let mut query = query.clone();
    query.page.limit = ask.rows;
    query.page.resume = ask.after.clone().map(|after| Resume { after, missing: Vec::new() });
    let target = &query.targets[ask.leg.0];
    answer(&query, &target.cluster, &pods[target.cluster.id.as_str()])
}

/// A page from honest agents that are asked as the merge plans.
fn page(query: &ListQuery, pods: &BTreeMap<String, Vec<Pod>>) -> (ListPage, Rounds) {
    let mut merge = ListMerge::new(query);
    let mut asks = merge.begin();
    let mut rounds = Vec::new();
    loop {
        let mut round = (0, 0);
        for ask in asks {
            let total = pods[query.targets[ask.leg.0].cluster.id.as_str()].len();
            let (rows, more) = answer_to(query, &ask, pods);
            round = (round.0 + ask.rows, round.1 + rows.len());
            merge.head(ask.leg, heard(head(total)));
            merge.rows(ask.leg, rows);
            merge.finish(ask.leg, Ok(ListEnd { more, cut: None }));
        }
        rounds.push(round);
        asks = loop {
            match merge.next() {
                Step::Row => {}
                Step::Done => return (merge.into_page().unwrap(), rounds),
                Step::Need(leg) => break merge.go_on(leg),
            }
        };
        assert!(!asks.is_empty() && rounds.len() < 100, "nobody is asked, or without end: {rounds:?}");
    }
}

#[test]
fn the_first_clusters_of_the_usual_order_fill_the_page_and_the_others_are_hardly_asked() {
    let (fleet, pods) = clusters(&[1_000; 100]);
    let query = list_query(&fleet, "pods_list", &json!({"limit": 50}));
    let (found, rounds) = page(&query, &pods);
    assert_eq!((found.rows.len(), found.more, found.total), (50, true, 100_000));
    assert_eq!(rounds, [(50 + 99 * 8, 50 + 99 * 8)], "5,000 rows if each were asked for a page");
}

#[test]
fn what_clusters_reported_makes_one_round_enough() {
    let (fleet, pods) = clusters(&[40; 30]);
    let query = list_query(&fleet, "pods_list", &json!({"limit": 1000, "maxBytes": 100_000}));
    let (found, rounds) = page(&query, &pods);
    assert_eq!((found.rows.len(), found.more), (1_000, true));
    assert_eq!(rounds.len(), 1, "{rounds:?}");
}

#[test]
fn what_they_did_not_report_takes_a_second_round_and_never_one_a_cluster() {
    let (fleet, pods) = clusters(&[1_000; 30]);
    let few = pods.into_iter().map(|(name, pods)| (name, pods.into_iter().take(30).collect())).collect();
    let query = list_query(&fleet, "pods_list", &json!({"limit": 1000, "maxBytes": 100_000}));
    let (found, rounds) = page(&query, &few);
    assert_eq!((found.rows.len(), found.more, found.total), (900, false, 900));
    assert_eq!(rounds.len(), 2, "{rounds:?}");
}

#[test]
fn rows_that_mix_are_asked_for_by_share() {
    let (fleet, mut pods) = clusters(&[1_000; 100]);
    let arguments = json!({"limit": 500, "maxBytes": 100_000, "sortBy": "restarts"});
    let query = list_query(&fleet, "pods_list", &arguments);
    for pods in pods.values_mut() {
        pods.iter_mut().enumerate().for_each(|(at, pod)| pod.restarts = at as i64);
    }
    let (found, rounds) = page(&query, &pods);
    assert_eq!((found.rows.len(), found.more), (500, true));
    assert_eq!(rounds, [(100 * 18, 100 * 18)], "50,000 rows if each were asked for a page");
}

#[test]
fn rows_that_come_from_few_clusters_take_few_rounds() {
    let arguments = json!({"limit": 1000, "maxBytes": 100_000, "sortBy": "-restarts"});
    let mut one = vec![3; 10];
    one[7] = 5_000;
    for (held, rounds) in [(one, 2), (vec![80; 100], 1), (vec![200; 100], 8)] {
        let (fleet, pods) = clusters(&held);
        let query = list_query(&fleet, "pods_list", &arguments);
        let (found, taken) = page(&query, &pods);
        assert_eq!(names(&found), paging::sorted_union(&query, &pods)[..1_000]);
        assert!(taken.len() <= rounds, "{taken:?}");
    }
}

/// A quarter of the clusters hold the names that come first.
#[test]
fn rows_that_mix_in_some_of_the_clusters_cost_a_few_pages_at_most() {
    let (fleet, mut pods) = clusters(&[1_000; 100]);
    for (at, pods) in pods.values_mut().enumerate() {
        // By restarts, because that is what these agents sort by; rows of one cluster lie between those of others.
        let first = if at < 25 { 0 } else { 1_000_000 };
        pods.iter_mut().enumerate().for_each(|(row, pod)| pod.restarts = (first + row * 100 + at) as i64);
    }
    for limit in [1_000, 200, 50] {
        let arguments = json!({"limit": limit, "maxBytes": 1_000_000, "sortBy": "restarts"});
        let query = list_query(&fleet, "pods_list", &arguments);
        let (found, rounds) = page(&query, &pods);
        assert_eq!(names(&found), paging::sorted_union(&query, &pods)[..limit]);
        let fetched: usize = rounds.iter().map(|(_, sent)| sent).sum();
        assert!(fetched <= 4 * limit + 8 * 100 && rounds.len() <= 3, "{limit}: {rounds:?}");
    }
}

#[test]
fn legs_share_the_bytes_of_a_page_as_its_rows() {
    use crate::limits::{LEG_BYTES, PAGE_BYTES_FACTOR};
    let whole = PAGE_BYTES_FACTOR * (4 << 20);
    for (clusters_asked, limit) in [(1, 50), (100, 8), (100, 1), (100, 1_000)] {
        let (fleet, pods) = clusters(&vec![1_000; clusters_asked]);
        for sort_by in ["", "restarts"] {
            let arguments = json!({"limit": limit, "maxBytes": 4 << 20, "sortBy": sort_by});
            let query = list_query(&fleet, "pods_list", &arguments);
            let mut merge = ListMerge::new(&query);
            let mut asks = merge.begin();
            for _round in 0..2 {
                let bytes: u64 = asks.iter().map(|ask| ask.bytes - LEG_BYTES).sum();
                assert!(bytes <= whole && bytes > whole - 100, "{clusters_asked} {limit} {sort_by}: {bytes}");
                for ask in std::mem::take(&mut asks) {
                    let fewer = Ask { rows: ask.rows.div_ceil(2), ..ask };
                    merge.head(fewer.leg, heard(head(1_000)));
                    merge.rows(fewer.leg, answer_to(&query, &fewer, &pods).0);
                    merge.finish(fewer.leg, Ok(ListEnd { more: true, cut: None }));
                }
                match std::iter::repeat_with(|| merge.next()).find(|step| *step != Step::Row) {
                    Some(Step::Need(leg)) => asks = merge.go_on(leg),
                    _ => break,
                }
            }
        }
    }
}

/// Rows that did not fit into a leg's share of the bytes are asked for again.
#[test]
fn a_page_does_not_end_where_an_answer_was_cut_short() {
    let (fleet, pods) = clusters(&[30, 30]);
    let query = list_query(&fleet, "pods_list", &json!({"limit": 40}));
    let mut merge = ListMerge::new(&query);
    let mut asks = merge.begin();
    for _round in 0..40 {
        for ask in std::mem::take(&mut asks) {
            let (rows, more) = answer_to(&query, &Ask { rows: ask.rows.min(3), ..ask.clone() }, &pods);
            let cut = (ask.rows > 3).then(|| Cut { status: LegStatus::Ok, message: "no room".to_owned() });
            merge.head(ask.leg, heard(head(30)));
            merge.rows(ask.leg, rows);
            merge.finish(ask.leg, Ok(ListEnd { more, cut }));
        }
        match std::iter::repeat_with(|| merge.next()).find(|step| *step != Step::Row) {
            Some(Step::Need(leg)) => asks = merge.go_on(leg),
            _ => break,
        }
    }
    let page = merge.into_page().unwrap();
    assert_eq!(names(&page), paging::sorted_union(&query, &pods)[..40]);
    assert!(page.more && !page.coverage.is_partial());
}

#[test]
fn pages_asked_for_in_parts_show_each_row_once_and_in_order() {
    let (fleet, pods) = clusters(&[3, 0, 70, 9, 200, 1, 40, 8, 8]);
    for sort_by in ["", "-restarts", "restarts,-cluster", "-cluster,restarts", "name"] {
        for limit in [1, 7, 100, 1_000] {
            let mut query = list_query(&fleet, "pods_list", &json!({"sortBy": sort_by, "limit": limit}));
            let mut shown = Vec::new();
            loop {
                let (found, _) = page(&query, &pods);
                shown.extend(names(&found));
                let Some(last) = found.rows.last().filter(|_| found.more) else { break };
                query.page.resume = Some(Resume { after: last.key.clone(), missing: Vec::new() });
            }
            assert_eq!(shown, paging::sorted_union(&query, &pods), "{sort_by} {limit}");
        }
    }
}

#[test]
fn a_row_that_moves_between_two_answers_is_shown_once() {
    let (fleet, mut pods) = clusters(&[60, 1, 1]);
    let query = list_query(&fleet, "pods_list", &json!({"sortBy": "restarts", "limit": 50}));
    let mut merge = ListMerge::new(&query);
    let mut asks = merge.begin();
    for round in 0.. {
        assert!(round < 10, "without end");
        for ask in std::mem::take(&mut asks) {
            let (rows, more) = answer_to(&query, &ask, &pods);
            merge.head(ask.leg, heard(head(60)));
            merge.rows(ask.leg, rows);
            merge.finish(ask.leg, Ok(ListEnd { more, cut: None }));
        }
        // The row that was shown first is among the rest from now on.
        pods.get_mut("c000").unwrap()[0].restarts = 5;
        match std::iter::repeat_with(|| merge.next()).find(|step| *step != Step::Row) {
            Some(Step::Need(leg)) => asks = merge.go_on(leg),
            _ => break,
        }
    }
    let page = merge.into_page().unwrap();
    let unique: std::collections::HashSet<_> = page.rows.iter().map(|row| &row.key.uid).collect();
    assert_eq!((unique.len(), page.rows.len()), (50, 50));
    assert_eq!(page.rows[0].key.uid, "c000/p0000");
}

/// As aggregated APIs have them: metrics, for one. Nothing was reported of them, either.
#[test]
fn rows_without_a_uid_are_all_shown() {
    let (reporting, mut pods) = clusters(&[20; 3]);
    pods.values_mut().flatten().for_each(|pod| pod.has_uid = false);
    let silent = reporting
        .clusters()
        .iter()
        .map(|view| ClusterView { caches: Default::default(), ..(**view).clone() });
    let fleet = fleet(silent.collect());
    for (limit, shown, more) in [(50, 50, true), (60, 60, false)] {
        let query = list_query(&fleet, "pods_list", &json!({ "limit": limit }));
        let (found, rounds) = page(&query, &pods);
        assert_eq!((found.rows.len(), found.more, found.total), (shown, more, 60), "{rounds:?}");
        assert_eq!(rounds.len(), 2, "no cluster was asked twice: {rounds:?}");
        assert!(!found.coverage.is_partial());
    }
}

#[test]
fn a_leg_is_as_its_worst_answer() {
    let (fleet, pods) = clusters(&[60]);
    let query = list_query(&fleet, "pods_list", &json!({"limit": 50}));
    let said = |status, message: &str, age_ms| {
        let message = Some(message.to_owned()).filter(|message| !message.is_empty());
        ListHead { status, message, age_ms, ..head(60) }
    };
    use LegStatus::{Ok as Fine, Stale};
    // The second answer comes 400 ms after the first one, and the page is rendered 1,000 ms after that.
    for (first, second, expected) in [
        (said(Fine, "", 10), said(Fine, "", 5), (Fine, None, 1_410, false)),
        (said(Fine, "", 10), said(Fine, "", 450), (Fine, None, 1_450, false)),
        (said(Fine, "", 300), said(Fine, "", 500), (Fine, None, 1_700, false)),
        (said(Fine, "", 10), said(Stale, "no watch", 90_000), (Stale, Some("no watch"), 91_000, true)),
        (said(Stale, "no watch", 90_000), said(Fine, "", 10), (Stale, Some("no watch"), 91_400, true)),
        (said(Fine, "", 10), said(Fine, "one unreadable", 10), (Fine, Some("one unreadable"), 1_410, true)),
        (said(Fine, "one unreadable", 10), said(Fine, "", 10), (Fine, Some("one unreadable"), 1_410, true)),
    ] {
        let mut merge = ListMerge::new(&query);
        merge.begin();
        for (first_row, later_ms, head) in [(0, 0, first), (20, 400, second)] {
            let after = (first_row > 0).then(|| merge.legs[0].last_key.clone().unwrap());
            let (rows, more) =
                answer_to(&query, &Ask { leg: LegId(0), rows: 30 - first_row, bytes: 0, after }, &pods);
            merge.head(LegId(0), Heard::new(head, NOW.steady.in_ms(later_ms)));
            merge.rows(LegId(0), rows);
            merge.finish(LegId(0), Ok(ListEnd { more, cut: None }));
            while merge.next() == Step::Row {}
            merge.go_on(LegId(0));
        }
        let coverage = merge.into_page().unwrap().coverage;
        let leg = &coverage.legs[0];
        let age_ms = NOW.steady.in_ms(1_400).since_ms(leg.as_of.unwrap());
        let found = (leg.status, leg.message.as_deref(), age_ms, coverage.is_partial());
        assert_eq!(found, expected);
    }
}

#[test]
fn a_leg_that_fails_when_asked_again_is_partial() {
    let (fleet, pods) = clusters(&[60]);
    let query = list_query(&fleet, "pods_list", &json!({"limit": 50}));
    for (what, columns, status) in [
        ("columns changed", vec![column("name")], LegStatus::Ok),
        ("gave no reason", vec![column("name"), column("restarts")], LegStatus::Syncing),
    ] {
        let mut merge = ListMerge::new(&query);
        merge.begin();
        let ask = Ask { leg: LegId(0), rows: 20, bytes: 0, after: None };
        let (rows, _) = answer_to(&query, &ask, &pods);
        merge.head(LegId(0), heard(head(60)));
        merge.rows(LegId(0), rows);
        merge.finish(LegId(0), Ok(ListEnd { more: true, cut: None }));
        while merge.next() == Step::Row {}
        let asks = merge.go_on(LegId(0));
        assert_eq!((asks.len(), asks[0].rows), (1, 30));
        assert_eq!(asks[0].after.as_ref().map(|key| key.name.as_str()), Some("p0019"));
        assert!(merge.go_on(LegId(0)).is_empty(), "it is under way");
        merge.head(LegId(0), heard(ListHead { columns, status, ..head(60) }));
        while merge.next() == Step::Row {}
        let page = merge.into_page().unwrap();
        assert_eq!((page.rows.len(), page.coverage.legs[0].rows), (20, RowsShown::Partial));
        assert!(page.coverage.legs[0].message.as_ref().unwrap().contains(what), "{:?}", page.coverage);
    }
}
