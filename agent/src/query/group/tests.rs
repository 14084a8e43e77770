use std::collections::BTreeMap;

use kubeplex_proto::group::{Group, Grouping, added};
use kubeplex_proto::list::{ColumnChoice, ListRequest};
use kubeplex_proto::sort::KeyValue;
use kubeplex_proto::status::AgentErrorCode;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::limits::GROUPS;
use crate::query::tests::{NOW_MS, budget, list_of, pods, pods_shape, store_of};
use crate::query::{Listing, list};

const KEYS: [&str; 5] = ["namespace", "status", "node", "metadata.labels.app", "spec.containers[*].image"];
const SUMS: [&str; 3] =
    ["restarts", "spec.containers[0].resources.requests.cpu", "spec.containers[0].resources.requests.memory"];

fn grouped(keys: &[&str], sums: &[&str]) -> ListRequest {
    let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    ListRequest { group: Some(Grouping { keys: owned(keys), sums: owned(sums) }), ..list_of("pods") }
}

fn some_pod(
    at: usize,
    (namespace, phase, node, app, image): (u8, u8, u8, u8, u8),
    cpu: Option<u16>,
) -> Value {
    let phase = ["Running", "Pending", "Failed"][usize::from(phase)];
    let mut object = json!({
        "metadata": {
            "name": format!("p{at}"), "namespace": format!("n{namespace}"), "uid": format!("u{at}"),
            "creationTimestamp": "2023-11-14T22:13:20Z",
        },
        "spec": {"containers": [{"name": "c", "image": format!("i:{image}")}]},
        "status": {
            "phase": phase,
            "containerStatuses": [{"name": "c", "restartCount": at % 5, "ready": true, "state": {"running": {}}}],
        },
    });
    if node > 0 {
        object["spec"]["nodeName"] = json!(format!("node-{node}"));
    }
    if app > 0 {
        object["metadata"]["labels"] = json!({"app": format!("a{app}")});
    }
    if let Some(cpu) = cpu {
        object["spec"]["containers"][0]["resources"] =
            json!({"requests": {"cpu": format!("{cpu}m"), "memory": format!("{cpu}Mi")}});
    }
    object
}

/// Groups as the plainest code makes them of rows that show keys and numbers.
fn by_hand(rows: impl Iterator<Item = Vec<Value>>, keys: usize) -> BTreeMap<String, (u64, Vec<KeyValue>)> {
    let mut groups: BTreeMap<String, (u64, Vec<KeyValue>)> = BTreeMap::new();
    for cells in rows {
        let amounts: Vec<_> = cells[keys..].iter().map(KeyValue::from_json).collect();
        let group = groups
            .entry(json!(cells[..keys]).to_string())
            .or_insert((0, vec![KeyValue::Missing; amounts.len()]));
        group.0 += 1;
        group.1 = group.1.iter().zip(&amounts).map(|(sum, amount)| added(sum, amount)).collect();
    }
    groups
}

fn by_keys(groups: Vec<Group>) -> BTreeMap<String, (u64, Vec<KeyValue>)> {
    groups.into_iter().map(|group| (json!(group.keys).to_string(), (group.count, group.sums))).collect()
}

proptest! {
    /// What is counted at once is what somebody counts who reads page after page.
    #[test]
    fn groups_of_the_whole_are_those_of_its_pages(
        pods in prop::collection::vec(((0..3_u8, 0..3_u8, 0..3_u8, 0..3_u8, 0..3_u8), prop::option::of(1..2_000_u16)), 0..80),
        keys in prop::sample::subsequence(KEYS.to_vec(), 0..=3),
        sums in prop::sample::subsequence(SUMS.to_vec(), 0..=2),
        page in 1..30_u32,
        selector in prop::sample::select(vec!["", "status.phase!=Failed", "spec.nodeName=node-1"]),
    ) {
        let objects = pods.iter().enumerate().map(|(at, (parts, cpu))| some_pod(at, *parts, *cpu));
        let store = store_of(&pods_shape(), objects);
        let mut request = grouped(&keys, &sums);
        request.field_selector = selector.parse().unwrap();
        let Listing { groups, total, columns, rows, .. } = list(&store, &request, NOW_MS, &budget()).unwrap();
        prop_assert!(rows.is_empty());
        prop_assert_eq!(columns.len(), keys.len());
        prop_assert_eq!(groups.iter().map(|group| group.count).sum::<u64>(), total);

        let words = keys.iter().chain(&sums).map(|&word| word.to_owned()).collect();
        let mut paged = ListRequest {
            columns: ColumnChoice::Fields(words), group: None, limit: page, ..request
        };
        let mut cells = Vec::new();
        loop {
            let listing = list(&store, &paged, NOW_MS, &budget()).unwrap();
            paged.after = listing.rows.last().map(|row| row.key.clone());
            cells.extend(listing.rows.into_iter().map(|row| row.cells));
            if !listing.more {
                break;
            }
        }
        prop_assert_eq!(by_keys(groups), by_hand(cells.into_iter(), keys.len()));
    }
}

#[test]
fn what_can_not_be_grouped_or_summed_up_is_refused() {
    let store = pods(9);
    for (keys, sums, code, said) in [
        (&["age"][..], &[][..], AgentErrorCode::InvalidArgument, "age is the time since a moment"),
        (&[], &["age"], AgentErrorCode::InvalidArgument, "age is the time since a moment"),
        (&["stauts"], &[], AgentErrorCode::InvalidArgument, "no column \"stauts\""),
        (&[], &["status"], AgentErrorCode::InvalidArgument, "sum(status): \"Running\" is no number"),
    ] {
        let error = list(&store, &grouped(keys, sums), NOW_MS, &budget()).unwrap_err();
        assert_eq!(error.code, code, "{error}");
        assert!(error.message.contains(said), "{error}");
    }
}

#[test]
fn more_groups_than_are_kept_are_too_many() {
    let store = pods(GROUPS as i64 + 1);
    let error = list(&store, &grouped(&["name"], &[]), NOW_MS, &budget()).unwrap_err();
    assert_eq!(error.code, AgentErrorCode::TooLarge);
    assert!(error.message.contains("name makes more than 2000 groups"), "{error}");
    let mut narrow = grouped(&["name"], &[]);
    narrow.context.max_bytes = 500;
    assert_eq!(list(&store, &narrow, NOW_MS, &budget()).unwrap_err().code, AgentErrorCode::TooLarge);
    narrow.group = Some(Grouping { keys: vec!["namespace".to_owned()], sums: Vec::new() });
    let groups = list(&store, &narrow, NOW_MS, &budget()).unwrap().groups;
    assert_eq!(groups.len(), 3);
}
