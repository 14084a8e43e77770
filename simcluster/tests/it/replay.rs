//! Whatever is written, a list and the watch from it show what is there.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;
use simcluster::{Gvr, SimCluster};

use crate::harness::{Lines, empty, get, pod};

#[derive(Clone, Debug)]
enum Step {
    Apply(u8, u8),
    Delete(u8),
    Compact,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0u8..6, 0u8..3).prop_map(|(name, app)| Step::Apply(name, app)),
        3 => (0u8..6).prop_map(Step::Delete),
        1 => Just(Step::Compact),
    ];
    prop::collection::vec(step, 0..30)
}

fn take(cluster: &SimCluster, step: &Step) {
    match step {
        Step::Apply(name, app) => drop(
            cluster.apply(pod("ns", &format!("p{name}"), ["cart", "web", "db"][usize::from(*app)])).unwrap(),
        ),
        // Deleting what is not there is refused, which is right here.
        Step::Delete(name) => drop(cluster.delete(&Gvr::core("pods"), "ns", &format!("p{name}"))),
        Step::Compact => cluster.compact(),
    }
}

fn by_name(objects: &[Value]) -> BTreeMap<String, Value> {
    let versioned = |object: &Value| {
        (object["metadata"]["name"].as_str().unwrap().to_owned(), object["metadata"].clone())
    };
    objects.iter().map(versioned).collect()
}

async fn check(before: Vec<Step>, after: Vec<Step>, query: &str) {
    let cluster = empty();
    before.iter().for_each(|step| take(&cluster, step));
    let list = get(&cluster, &format!("/api/v1/pods?{query}")).await.json();
    let mut state = by_name(list["items"].as_array().unwrap());
    let version = list["metadata"]["resourceVersion"].as_str().unwrap();
    let uri = format!(
        "/api/v1/pods?{query}&watch=1&resourceVersion={version}&allowWatchBookmarks=true&timeoutSeconds=90"
    );
    let mut watch = Lines::open(&cluster, &uri).await;
    // A compaction may expire only watches that lag behind it; this one reads after each step.
    let mut seen = 0;
    for step in &after {
        take(&cluster, step);
        while let Ok(Some(event)) =
            tokio::time::timeout(std::time::Duration::from_millis(1), watch.event()).await
        {
            apply(&mut state, &event);
            seen += 1;
        }
    }
    while let Some(event) = watch.event().await {
        apply(&mut state, &event);
    }
    let now = get(&cluster, &format!("/api/v1/pods?{query}")).await.json();
    assert_eq!(state, by_name(now["items"].as_array().unwrap()), "after {seen} events");
}

fn apply(state: &mut BTreeMap<String, Value>, event: &Value) {
    let name = event["object"]["metadata"]["name"].as_str().unwrap_or("").to_owned();
    match event["type"].as_str().unwrap() {
        "ADDED" => assert!(state.insert(name, event["object"]["metadata"].clone()).is_none(), "added twice"),
        "MODIFIED" => assert!(
            state.insert(name, event["object"]["metadata"].clone()).is_some(),
            "modified before added"
        ),
        "DELETED" => assert!(state.remove(&name).is_some(), "deleted before added"),
        "BOOKMARK" => {}
        other => panic!("{other}: {event}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_list_and_its_watch_are_the_store(before in steps(), after in steps(), selected in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let query = if selected { "labelSelector=app%3Dcart" } else { "limit=500" };
        runtime.block_on(check(before, after, query));
    }
}
