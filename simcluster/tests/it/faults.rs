//! Each fault does what it says, as often as it says, to whom it says.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use jiff::SignedDuration;
use simcluster::{Fault, FaultAction, StreamEnd, Verb};
use tokio::time::{Instant, timeout};
use tower::ServiceExt;

use crate::harness::{Lines, empty, get, pod, send};

#[tokio::test(start_paused = true)]
async fn refusals_and_delays() {
    let cluster = empty();
    let faults = cluster.faults();
    faults.add(Fault::new(FaultAction::TooManyRequests { retry_after_seconds: 7 }).resource("pods").times(1));
    let answer = get(&cluster, "/api/v1/pods").await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, "7"));
    assert_eq!(get(&cluster, "/api/v1/pods").await.status, 200);
    let id = faults
        .add(Fault::new(FaultAction::Status { code: 503, message: "etcd is gone".into() }).verb(Verb::List));
    assert_eq!(get(&cluster, "/api/v1/nodes").await.json()["message"], "etcd is gone");
    assert_eq!(get(&cluster, "/version").await.status, 200);
    faults.remove(id);
    faults.add(Fault::new(FaultAction::Latency(Duration::from_secs(3))).path("/readyz"));
    let start = Instant::now();
    get(&cluster, "/readyz").await;
    assert_eq!(start.elapsed().as_secs(), 3);
    faults.clear();
    faults.add(Fault::new(FaultAction::Hang).verb(Verb::Get));
    let hung = timeout(Duration::from_secs(60), get(&cluster, "/api/v1/nodes/n")).await;
    assert!(hung.is_err());
    assert_eq!(cluster.stats().dropped_by_client, 1, "the caller's giving up reaches the server");
}

#[tokio::test(start_paused = true)]
async fn broken_bodies() {
    let cluster = empty();
    cluster.apply(pod("a", "p", "x")).unwrap();
    let faults = cluster.faults();
    faults.add(Fault::new(FaultAction::Reset).times(1));
    let request = || Request::get("/api/v1/pods").body(Body::empty()).unwrap();
    assert!(cluster.service().oneshot(request()).await.is_err());
    faults.add(Fault::new(FaultAction::Truncate { after_bytes: 40, end: StreamEnd::Reset }).times(1));
    let body = send(&cluster, request()).await.into_body();
    assert!(body.collect().await.is_err());
    faults.add(Fault::new(FaultAction::Truncate { after_bytes: 40, end: StreamEnd::Clean }).times(1));
    assert_eq!(get(&cluster, "/api/v1/pods").await.bytes.len(), 40);
    faults.add(Fault::new(FaultAction::Garbage).times(1));
    let garbage = get(&cluster, "/api/v1/pods").await;
    assert!(garbage.status == 200 && serde_json::from_slice::<serde_json::Value>(&garbage.bytes).is_err());
    faults.add(Fault::new(FaultAction::DateSkew(SignedDuration::from_hours(2))).times(1));
    let (ahead, now) = (get(&cluster, "/version").await, get(&cluster, "/version").await);
    assert_ne!(ahead.header("date"), now.header("date"));
}

#[tokio::test(start_paused = true)]
async fn a_watch_freezes_while_open_and_thaws() {
    let cluster = empty();
    let mut watch = Lines::open(&cluster, "/api/v1/pods?watch=1&allowWatchBookmarks=true").await;
    cluster.apply(pod("a", "p1", "x")).unwrap();
    assert_eq!(watch.short().await, "ADDED p1");
    cluster.faults().add(Fault::new(FaultAction::Freeze { after_events: 0 }).verb(Verb::Watch));
    cluster.apply(pod("a", "p2", "x")).unwrap();
    assert!(watch.is_silent_for(Duration::from_secs(500)).await, "neither events nor bookmarks");
    cluster.faults().clear();
    assert_eq!(watch.short().await, "ADDED p2");
}

#[tokio::test(start_paused = true)]
async fn a_watch_freezes_after_some_of_the_state() {
    let cluster = empty();
    for name in ["p1", "p2", "p3"] {
        cluster.apply(pod("a", name, "x")).unwrap();
    }
    let id = cluster.faults().add(Fault::new(FaultAction::Freeze { after_events: 2 }).verb(Verb::Watch));
    let mut watch = Lines::open(&cluster, "/api/v1/pods?watch=1").await;
    assert_eq!([watch.short().await, watch.short().await], ["ADDED p1", "ADDED p2"]);
    assert!(watch.is_silent_for(Duration::from_secs(500)).await);
    cluster.faults().remove(id);
    assert_eq!(watch.short().await, "ADDED p3");
}

#[tokio::test(start_paused = true)]
async fn a_watch_stalls_once_it_has_told_what_was_before() {
    let cluster = empty();
    let before = cluster.revision();
    let mut open = Lines::open(&cluster, "/api/v1/pods?watch=1").await;
    cluster.apply(pod("a", "p1", "x")).unwrap();
    assert_eq!(open.short().await, "ADDED p1");
    let id = cluster.faults().add(Fault::new(FaultAction::Stall).verb(Verb::Watch));
    cluster.apply(pod("a", "p2", "x")).unwrap();
    assert!(open.is_silent_for(Duration::from_secs(500)).await);
    let mut later = Lines::open(&cluster, &format!("/api/v1/pods?watch=1&resourceVersion={before}")).await;
    assert_eq!([later.short().await, later.short().await], ["ADDED p1", "ADDED p2"]);
    cluster.apply(pod("a", "p3", "x")).unwrap();
    assert!(later.is_silent_for(Duration::from_secs(500)).await);
    cluster.faults().remove(id);
    assert_eq!(
        [open.short().await, open.short().await, later.short().await],
        ["ADDED p2", "ADDED p3", "ADDED p3"]
    );
}

#[tokio::test(start_paused = true)]
async fn events_come_twice_and_late() {
    let cluster = empty();
    let uri = format!("/api/v1/pods?watch=1&resourceVersion={}", cluster.revision());
    cluster.faults().add(Fault::new(FaultAction::Duplicate { every: 2 }).user_agent("test"));
    let mut watch = Lines::open(&cluster, &uri).await;
    for name in ["p1", "p2"] {
        cluster.apply(pod("a", name, "x")).unwrap();
    }
    assert_eq!(
        [watch.short().await, watch.short().await, watch.short().await],
        ["ADDED p1", "ADDED p2", "ADDED p2"]
    );
    cluster.faults().clear();
    cluster.faults().add(Fault::new(FaultAction::Delay { every: 2, by: Duration::from_secs(9) }));
    let mut watch = Lines::open(&cluster, &uri).await;
    cluster.apply(pod("a", "p3", "x")).unwrap();
    assert_eq!(
        [watch.short().await, watch.short().await, watch.short().await],
        ["ADDED p1", "ADDED p3", "ADDED p2"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_watch_is_cut_in_the_middle_of_a_line() {
    let cluster = empty();
    cluster.apply(pod("a", "p1", "x")).unwrap();
    cluster.faults().add(Fault::new(FaultAction::Truncate { after_bytes: 26, end: StreamEnd::Clean }));
    let answer = get(&cluster, "/api/v1/pods?watch=1").await;
    assert_eq!(answer.bytes, b"{\"type\":\"ADDED\",\"object\":{");
}
