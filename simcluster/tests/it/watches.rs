//! WATCH: where it starts, what it sends, how it ends.

use std::time::Duration;

use serde_json::json;
use simcluster::{Gvr, WatchList};

use crate::harness::{Lines, empty, get, pod};

#[tokio::test(start_paused = true)]
async fn starts_where_it_is_told() {
    let cluster = empty();
    cluster.apply(pod("a", "p1", "x")).unwrap();
    let then = cluster.revision();
    cluster.apply(pod("a", "p2", "x")).unwrap();
    for query in ["watch=1", "watch=1&resourceVersion=0"] {
        let mut watch = Lines::open(&cluster, &format!("/api/v1/pods?{query}")).await;
        assert_eq!((watch.short().await, watch.short().await), ("ADDED p1".into(), "ADDED p2".into()));
    }
    let mut watch = Lines::open(&cluster, &format!("/api/v1/pods?watch=1&resourceVersion={then}")).await;
    assert_eq!(watch.short().await, "ADDED p2");
    cluster.apply(pod("a", "p1", "y")).unwrap();
    cluster.delete(&Gvr::core("pods"), "a", "p2").unwrap();
    assert_eq!((watch.short().await, watch.short().await), ("MODIFIED p1".into(), "DELETED p2".into()));
}

#[tokio::test(start_paused = true)]
async fn streams_the_state_and_says_where_it_ends() {
    let cluster = empty();
    cluster.apply(pod("a", "p1", "x")).unwrap();
    let uri = "/api/v1/pods?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut watch = Lines::open(&cluster, uri).await;
    assert_eq!(watch.short().await, "ADDED p1");
    let bookmark = watch.event().await.unwrap();
    assert_eq!(bookmark["type"], "BOOKMARK");
    assert_eq!(bookmark["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    assert_eq!(bookmark["object"]["metadata"]["resourceVersion"], cluster.revision().to_string());
    cluster.set_watch_list(WatchList::Unsupported);
    let refused = get(&cluster, uri).await;
    assert_eq!(refused.status, 422);
    assert!(refused.json()["message"].as_str().unwrap().contains("WatchList feature gate"));
}

#[tokio::test(start_paused = true)]
async fn bookmarks_come_each_minute_and_before_the_end() {
    let cluster = empty();
    let uri = format!(
        "/api/v1/pods?watch=1&resourceVersion={}&allowWatchBookmarks=true&timeoutSeconds=150",
        cluster.revision()
    );
    let start = tokio::time::Instant::now();
    let mut watch = Lines::open(&cluster, &uri).await;
    let mut times = Vec::new();
    get(&cluster, "/api/v1/pods?limit=1").await;
    while let Some(event) = watch.event().await {
        assert_eq!(event["type"], "BOOKMARK");
        times.push(start.elapsed().as_secs());
    }
    assert_eq!((times, start.elapsed().as_secs()), (vec![60, 120, 148], 150));
    assert_eq!(cluster.stats().open_watches, 0);
}

#[tokio::test(start_paused = true)]
async fn a_watch_of_a_kind_in_which_nothing_happens_gets_no_bookmarks_until_somebody_lists_it() {
    for (watch_list, moves, expected) in [
        (WatchList::Supported, None, vec![]),
        (WatchList::Supported, Some("/api/v1/pods?limit=1"), vec![120, 180]),
        (WatchList::Supported, Some("/api/v1/pods?resourceVersion=0"), vec![]),
        (WatchList::Supported, Some("/api/v1/services"), vec![]),
        (WatchList::Unsupported, Some("/api/v1/pods?limit=1"), vec![]),
    ] {
        let cluster = empty();
        cluster.set_watch_list(watch_list);
        let start = tokio::time::Instant::now();
        let revision = cluster.revision();
        let uri = format!("/api/v1/pods?watch=1&resourceVersion={revision}&allowWatchBookmarks=true");
        let mut watch = Lines::open(&cluster, &uri).await;
        assert!(watch.is_silent_for(Duration::from_secs(70)).await, "the first would come after a minute");
        if let Some(uri) = moves {
            get(&cluster, uri).await;
        }
        let mut times = Vec::new();
        while times.len() < expected.len() {
            assert_eq!(watch.event().await.unwrap()["type"], "BOOKMARK");
            times.push(start.elapsed().as_secs());
        }
        assert_eq!(times, expected, "{watch_list:?} {moves:?}");
        if expected.is_empty() {
            assert!(watch.is_silent_for(Duration::from_secs(600)).await, "{watch_list:?} {moves:?}");
            cluster.apply(pod("a", "p1", "x")).unwrap();
            assert_eq!(watch.short().await, "ADDED p1");
            assert_eq!(watch.event().await.unwrap()["type"], "BOOKMARK", "after an event there are some");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_compacted_version_is_an_error_event() {
    let cluster = empty();
    let then = cluster.revision();
    cluster.apply(pod("a", "p1", "x")).unwrap();
    cluster.compact();
    let mut watch = Lines::open(&cluster, &format!("/api/v1/pods?watch=1&resourceVersion={then}")).await;
    let error = watch.event().await.unwrap();
    assert_eq!(
        (&error["type"], &error["object"]["code"], &error["object"]["reason"]),
        (&json!("ERROR"), &json!(410), &json!("Expired"))
    );
    assert_eq!(watch.short().await, "END");
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_was_ended_tells_nothing_of_what_came_after() {
    let cluster = empty();
    let mut watch = Lines::open(&cluster, "/api/v1/pods?watch=1").await;
    cluster.apply(pod("a", "p1", "x")).unwrap();
    cluster.end_watches_of(&Gvr::core("pods"));
    cluster.apply(pod("a", "p2", "x")).unwrap();
    assert_eq!((watch.short().await, watch.short().await), ("ADDED p1".into(), "END".into()));
}

#[tokio::test(start_paused = true)]
async fn through_a_selector_objects_come_and_go() {
    let cluster = empty();
    let mut watch = Lines::open(&cluster, "/api/v1/namespaces/a/pods?watch=1&labelSelector=app%3Dcart").await;
    cluster.apply(pod("a", "p1", "web")).unwrap();
    cluster.apply(pod("b", "p2", "cart")).unwrap();
    cluster.apply(pod("a", "p1", "cart")).unwrap();
    cluster.apply(pod("a", "p1", "web")).unwrap();
    assert_eq!(watch.short().await, "ADDED p1");
    let gone = watch.event().await.unwrap();
    assert_eq!(
        (&gone["type"], &gone["object"]["metadata"]["labels"]["app"]),
        (&json!("DELETED"), &json!("cart"))
    );
    assert_eq!(gone["object"]["metadata"]["resourceVersion"], cluster.revision().to_string());
    assert!(watch.is_silent_for(Duration::from_secs(30)).await);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_watch_is_noticed() {
    let cluster = empty();
    let watch = Lines::open(&cluster, "/api/v1/pods?watch=1").await;
    assert_eq!(cluster.stats().open_watches, 1);
    drop(watch);
    let stats = cluster.stats();
    assert_eq!((stats.open_watches, stats.in_flight, stats.dropped_by_client), (0, 0, 1));
}
