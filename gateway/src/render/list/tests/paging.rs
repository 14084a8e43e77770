//! Paging as a client does it: every page is resolved from the cursor of the page before, and rendered within its budget.

use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::Value;

use super::*;

const CLUSTERS: [&str; 3] = ["ap", "eu", "us"];
const ORDERS: [&str; 4] = ["", "-restarts", "restarts,-cluster", "-cluster"];

/// Names of all lengths, so that a budget cuts at any place.
fn any_pods() -> impl Strategy<Value = Vec<Pod>> {
    let one = (0..CLUSTERS.len(), 0_u8..3, 0_u64..3, 1_usize..120);
    proptest::collection::vec(one, 0..40).prop_map(|pods| {
        let numbered = pods.into_iter().enumerate();
        let pods = numbered.map(|(at, (cluster, namespace, restarts, length))| {
            let name = format!("p{at}-{}", "x".repeat(length));
            pod(CLUSTERS[cluster], &format!("n{namespace}"), &name, restarts)
        });
        pods.collect()
    })
}

/// The fleet when these clusters are down.
fn fleet_without(down: &HashSet<usize>) -> Fleet {
    let views = CLUSTERS.iter().enumerate();
    fleet(views.map(|(at, name)| if down.contains(&at) { lost(name) } else { cluster(name, &[]) }).collect())
}

/// The names of all rows, as a client reads them with `output: json`.
fn names(structured: &Value) -> Vec<String> {
    let groups = structured["groups"].as_array().unwrap();
    let rows = groups.iter().flat_map(|group| group["rows"].as_array().unwrap());
    rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

    /// Clusters are down on some pages and back on others. What belongs to clusters that were always there is shown
    /// exactly once; what belongs to the others at most once, and the answer says that it may be missing.
    #[test]
    fn every_row_is_on_one_page(
        pods in any_pods(), limit in 1_u32..50, max_bytes in 500_usize..4_000, order in 0..ORDERS.len(),
        downs in proptest::collection::vec(proptest::collection::hash_set(1_usize..3, 0..2), 1..6),
    ) {
        let mut arguments = json!({"limit": limit, "maxBytes": max_bytes, "sortBy": ORDERS[order], "output": "json"});
        let mut shown = Vec::new();
        let mut ever_down: HashSet<&str> = HashSet::new();
        for page_number in 0.. {
            prop_assert!(page_number < 60, "paging does not end");
            let down = &downs[page_number % downs.len()];
            ever_down.extend(down.iter().map(|at| CLUSTERS[*at]));
            let query = list_query(&fleet_without(down), "pods_list", &arguments);
            let structured = rendered(&query, &page(&query, &pods)).structured;
            prop_assert!(json_len(&structured) <= max_bytes || structured["shown"] == 1 || structured["shown"] == 0);
            prop_assert_eq!(structured["partial"] == true, !ever_down.is_empty());
            shown.extend(names(&structured));
            let Some(cursor) = structured["continue"].as_str() else { break };
            arguments["continue"] = cursor.into();
        }
        let unique: HashSet<_> = shown.iter().collect();
        prop_assert_eq!(unique.len(), shown.len(), "a row twice");
        for pod in pods.iter().filter(|pod| !ever_down.contains(pod.cluster.as_str())) {
            prop_assert!(unique.contains(&pod.name), "{} is missing", pod.name);
        }
        let restarts = |name: &String| pods.iter().find(|pod| pod.name == *name).unwrap().restarts;
        if ORDERS[order] == "-restarts" {
            prop_assert!(shown.is_sorted_by(|a, b| restarts(a) >= restarts(b)));
        }
    }
}
