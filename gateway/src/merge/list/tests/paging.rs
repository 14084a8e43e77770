//! Properties of the order and of paging, over any clusters, chunks, orders of arrival and failures.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::request::Standing;
use crate::request::{PageQuery, Resume};

type PodSets = Vec<Vec<(u8, u8, i64)>>;

fn pod_sets() -> impl Strategy<Value = PodSets> {
    proptest::collection::vec(proptest::collection::vec((0_u8..3, 0_u8..30, 0_i64..4), 0..12), 1..5)
}

/// Between two pages: which pod of which cluster is another, or gone.
type Changes = Vec<(usize, u8, u8, Option<i64>)>;

fn changes() -> impl Strategy<Value = Vec<Changes>> {
    let change = (0_usize..5, 0_u8..3, 0_u8..30, proptest::option::of(0_i64..4));
    proptest::collection::vec(proptest::collection::vec(change, 0..6), 0..12)
}

fn world(sets: &PodSets) -> (Fleet, BTreeMap<String, Vec<Pod>>) {
    let mut pods = BTreeMap::new();
    for (at, set) in sets.iter().enumerate() {
        let mut seen = HashSet::new();
        let unique = set.iter().filter(|(_, name, _)| seen.insert(*name));
        let list = unique
            .map(|(namespace, name, restarts)| pod(&format!("n{namespace}"), &format!("p{name}"), *restarts));
        pods.insert(format!("c{at}"), list.collect::<Vec<_>>());
    }
    (fleet(pods.keys().map(|name| cluster(name, &[])).collect()), pods)
}

pub(super) fn sorted_union(query: &ListQuery, pods: &BTreeMap<String, Vec<Pod>>) -> Vec<String> {
    let page = PageQuery { limit: 10_000, resume: None, ..query.page.clone() };
    let everything = ListQuery { page, ..query.clone() };
    let mut rows: Vec<Row> = everything
        .targets
        .iter()
        .flat_map(|target| answer(&everything, &target.cluster, &pods[target.cluster.id.as_str()]).0)
        .collect();
    let directions = query.page.order.directions();
    rows.sort_by(|a, b| a.key.compare(&b.key, &directions));
    rows.into_iter().map(|row| row.key.uid).collect()
}

const ORDERS: [&str; 4] = ["", "-restarts", "restarts,-cluster", "-cluster,restarts"];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_merged_order_is_that_of_the_sorted_union(
        sets in pod_sets(), chunk in 1_usize..5, eager in proptest::collection::vec(0_usize..8, 1..6), order in 0_usize..4,
    ) {
        let (fleet, pods) = world(&sets);
        let query = list_query(&fleet, "pods_list", &json!({"sortBy": ORDERS[order], "limit": 1000}));
        let page = drive(&query, &pods, chunk, &eager, &BTreeMap::new()).unwrap();
        prop_assert_eq!(names(&page), sorted_union(&query, &pods));
    }

    /// Clusters fail on any page and are back on the next. Rows of clusters that never failed are shown exactly once, of
    /// the others at most once, all in the one order.
    #[test]
    fn paging_shows_each_row_exactly_once(
        sets in pod_sets(), limit in 1_u32..7, order in 0_usize..4,
        failures in proptest::collection::vec((0_usize..5, 0_usize..3), 0..6),
    ) {
        let (fleet, pods) = world(&sets);
        let mut query = list_query(&fleet, "pods_list", &json!({"sortBy": ORDERS[order]}));
        query.page.limit = limit;
        let expected = sorted_union(&query, &pods);
        let mut shown: Vec<String> = Vec::new();
        let mut failed: HashSet<String> = HashSet::new();
        for page_number in 0.. {
            prop_assert!(page_number < 100, "paging does not end");
            let failing: BTreeMap<String, usize> = failures
                .iter()
                .filter(|(page, _)| *page == page_number)
                .map(|(_, after)| (format!("c{}", (page_number + after) % sets.len()), *after))
                .collect();
            // A call that failed as a whole is made again, with the same cursor.
            let Ok(page) = drive(&query, &pods, 2, &[0], &failing) else {
                if failed.len() == sets.len() { break } else { continue }
            };
            shown.extend(names(&page));
            let missing = page.coverage.missing();
            failed.extend(missing.iter().map(|leg| query.targets[leg.0].cluster.id.to_string()));
            let Some(last) = page.rows.last().filter(|_| page.more) else { break };
            query.page.resume = Some(Resume { after: last.key.clone(), missing });
            for target in &mut query.targets {
                let is_out = failed.contains(target.cluster.id.as_str());
                target.standing = if is_out { Standing::Out } else { Standing::Asked };
            }
        }
        let of_failed = |uid: &String| failed.contains(uid.split('/').next().unwrap());
        let all_failed = failed.len() == sets.len();
        let unique: HashSet<_> = shown.iter().collect();
        prop_assert_eq!(unique.len(), shown.len(), "a row twice");
        let in_order: Vec<_> = expected.iter().filter(|uid| unique.contains(uid)).collect();
        prop_assert_eq!(in_order, shown.iter().collect::<Vec<_>>());
        for uid in expected.iter().filter(|uid| !of_failed(uid)) {
            prop_assert!(unique.contains(uid) || all_failed, "{} is missing", uid);
        }
    }

    /// Pods come, go and change their places between pages: those that stood still are shown exactly once, in order.
    #[test]
    fn what_stands_still_is_shown_exactly_once_while_the_rest_changes(
        sets in pod_sets(), limit in 1_u32..7, order in 0_usize..4, changes in changes(),
    ) {
        let (fleet, mut pods) = world(&sets);
        let mut query = list_query(&fleet, "pods_list", &json!({"sortBy": ORDERS[order]}));
        query.page.limit = limit;
        let cluster = |at: usize| format!("c{}", at % sets.len());
        let touched: HashSet<String> =
            changes.iter().flatten().map(|(at, _, name, _)| format!("{}/p{name}", cluster(*at))).collect();
        let mut still = sorted_union(&query, &pods);
        still.retain(|uid| !touched.contains(uid));
        let (mut shown, mut changes) = (Vec::new(), changes.into_iter());
        loop {
            let page = drive(&query, &pods, 2, &[0], &BTreeMap::new()).unwrap();
            shown.extend(names(&page));
            let Some(last) = page.rows.last().filter(|_| page.more) else { break };
            query.page.resume = Some(Resume { after: last.key.clone(), missing: Vec::new() });
            for (at, namespace, name, restarts) in changes.next().into_iter().flatten() {
                let of_cluster = pods.get_mut(&cluster(at)).unwrap();
                let name = format!("p{name}");
                of_cluster.retain(|pod| pod.name != name);
                of_cluster.extend(restarts.map(|restarts| pod(&format!("n{namespace}"), &name, restarts)));
            }
        }
        shown.retain(|uid| !touched.contains(uid));
        prop_assert_eq!(shown, still);
    }
}
