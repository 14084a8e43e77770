//! Versions that are served no more, before discovery was asked again: a path that the server does not know is not yet a kind
//! that there is not.

use kubeplex_proto::control::SyncState;
use kubeplex_proto::status::LegStatus;
use serde_json::json;
use simcluster::{Fault, FaultAction, Gvr};

use super::*;
use crate::config::LiveReads;

const WIDGETS: &str = "widgets.example.com";

/// A kind in two versions, one object of it, and an agent that knows both versions.
async fn world() -> World {
    let world = World::of(small(), config().with_live_reads(LiveReads::Own));
    let version =
        |name: &str, storage: bool| json!({"name": name, "served": true, "storage": storage, "schema": {}});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": WIDGETS},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [version("v1", true), version("v2", false)],
        },
    });
    world.sim.apply(definition).unwrap();
    let metadata = json!({"name": "a", "namespace": "shop"});
    world.sim.apply(json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": metadata})).unwrap();
    world.until(|world| world.agent.kinds().discovery().get(&WIDGETS.parse().unwrap()).is_some()).await;
    world
}

fn freshly(freshness: Freshness, mut request: ListRequest) -> ListRequest {
    request.context.freshness = freshness;
    request
}

#[tokio::test(start_paused = true)]
async fn a_withdrawn_version_is_read_in_another_before_anybody_announced_it() {
    for freshness in [Freshness::Cache, Freshness::Live] {
        let world = world().await;
        world.sim.withdraw_version("example.com", "v2");
        let answer = world.list(&freshly(freshness, list_of(WIDGETS))).await.unwrap();
        assert_eq!((answer.head.status, answer.rows().count()), (LegStatus::Ok, 1), "{:?}", answer.head);
        assert_eq!(answer.head.api_version, "example.com/v1");
    }
    let world = world().await;
    world.sim.withdraw_version("example.com", "v2");
    let mut request = get_of(WIDGETS, "shop", "a");
    request.context.freshness = Freshness::Live;
    let answer = world.get(&request).await.unwrap();
    assert_eq!((answer.head.status, answer.objects.len()), (LegStatus::Ok, 1), "{:?}", answer.head);
}

#[tokio::test(start_paused = true)]
async fn a_version_withdrawn_under_a_watch_leaves_no_moment_without_rows() {
    let world = world().await;
    world.list(&list_of(WIDGETS)).await.unwrap();
    world.sim.withdraw_version("example.com", "v2");
    for _ in 0..40 {
        let answer = world.list(&list_of(WIDGETS)).await.unwrap();
        assert_eq!((answer.head.status, answer.rows().count()), (LegStatus::Ok, 1), "{:?}", answer.head);
        sleep(Duration::from_millis(25)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_goes_is_absent() {
    for freshness in [Freshness::Cache, Freshness::Live] {
        let world = world().await;
        world.list(&list_of(WIDGETS)).await.unwrap();
        let definitions = Gvr::new("apiextensions.k8s.io", "v1", "customresourcedefinitions");
        world.sim.delete(&definitions, "", WIDGETS).unwrap();
        let is_gone = |world: &World| {
            let reports = world.agent.kinds().snapshot();
            let widgets = reports.into_iter().find(|report| report.kind.to_string() == WIDGETS);
            widgets.is_some_and(|widgets| widgets.state == SyncState::Absent)
        };
        world.until(is_gone).await;
        let answer = world.list(&freshly(freshness, list_of(WIDGETS))).await.unwrap();
        assert_eq!((answer.head.status, answer.rows().count()), (LegStatus::Absent, 0), "{:?}", answer.head);
    }
}

#[tokio::test(start_paused = true)]
async fn a_path_that_is_not_found_says_nothing_while_discovery_fails() {
    for freshness in [Freshness::Cache, Freshness::Live] {
        let world = world().await;
        let not_found = FaultAction::Status { code: 404, message: "404 page not found".to_owned() };
        world.sim.faults().add(Fault::new(not_found).path("/apis/example.com/"));
        let answer = world.list(&freshly(freshness, list_of(WIDGETS))).await.unwrap();
        let message = answer.head.message.unwrap_or_default();
        assert!(message.contains("names widgets.example.com"), "{:?}: {message}", answer.head.status);
        let fails = FaultAction::Status { code: 503, message: "starting".to_owned() };
        world.sim.faults().add(Fault::new(fails));
        let answer = world.list(&freshly(freshness, list_of(WIDGETS))).await.unwrap();
        assert_eq!(answer.head.status, LegStatus::Error, "{:?}", answer.head);
    }
}
