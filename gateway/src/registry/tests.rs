//! The registry by itself: who may have a cluster's place, and what is known after it is lost.

use std::time::Duration;

use axum::Router;
use kubeplex_proto::PROTOCOL;
use kubeplex_proto::control::{ClusterReport, KindReport, SyncState};
use kubeplex_proto::ids::Epoch;
use kubeplex_proto::kind::{GroupResource, KindTable};

use super::*;
use crate::fleet::LinkState;

fn cluster() -> ClusterId {
    ClusterId::new("prod-eu").unwrap()
}

fn expecting() -> Registry {
    let registry = Registry::new();
    registry.expect(cluster(), BTreeMap::new());
    registry
}

fn candidate(instance: &str, epoch: u64) -> Candidate {
    Candidate {
        hello: Hello {
            protocol: PROTOCOL,
            features: Vec::new(),
            agent_version: format!("{instance}-{epoch}"),
            kubernetes_version: String::new(),
            cluster: cluster(),
            instance: InstanceId(instance.to_owned()),
            epoch: Epoch(epoch),
        },
        carrier: Carrier::InProcess(Router::new()),
        activity: Activity::start(),
        replaced: CancellationToken::new(),
    }
}

fn pods(objects: u64) -> Report {
    let kind = GroupResource::new("", "pods");
    let state = SyncState::Synced;
    let kinds = vec![KindReport { kind, state, revision: 1, objects, age_ms: Some(100), message: None }];
    Report { kinds, ..Report::default() }
}

fn table(resources: &[&str]) -> KindTable {
    let kinds =
        resources.iter().map(|resource| crate::request::fixtures::kind("", resource, "X", &[], &["v1"]));
    KindTable { kinds: kinds.collect(), failed_groups: vec![("metrics.k8s.io".to_owned(), "503".to_owned())] }
}

fn view(registry: &Registry) -> Arc<crate::fleet::ClusterView> {
    Arc::clone(registry.snapshot().get(&cluster()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_place_goes_to_the_newer_link_of_a_process_and_to_another_process_only_over_a_dead_one() {
    let registry = expecting();
    let first = candidate("a", 3);
    let replaced = first.replaced.clone();
    let first = registry.attach(&cluster(), first, None).ok().unwrap();
    assert!(matches!(registry.attach(&cluster(), candidate("a", 3), None), Err(Taken::Newer)));
    assert!(matches!(registry.attach(&cluster(), candidate("a", 2), None), Err(Taken::Newer)));
    assert!(!replaced.is_cancelled());
    let second = registry.attach(&cluster(), candidate("a", 4), None).ok().unwrap();
    assert!(replaced.is_cancelled(), "the older link is told");

    let Err(Taken::Other { link, instance, .. }) = registry.attach(&cluster(), candidate("b", 0), None)
    else {
        panic!("two processes speak for one cluster")
    };
    assert_eq!((link, instance.0.as_str()), (second, "a"));
    // Found dead under another id: somebody else came in between.
    assert!(registry.attach(&cluster(), candidate("b", 0), Some(first)).is_err());
    assert!(registry.attach(&cluster(), candidate("b", 0), Some(second)).is_ok());
    assert_eq!(&*view(&registry).agent_version, "b-0");

    // The end of a link that lost its place changes nothing.
    registry.detach(&cluster(), second);
    assert_eq!(view(&registry).link, LinkState::Connected);
    let stranger = ClusterId::new("nobody").unwrap();
    assert!(matches!(registry.attach(&stranger, candidate("a", 9), None), Err(Taken::Unexpected)));
}

#[tokio::test(start_paused = true)]
async fn a_lost_cluster_keeps_what_is_known_and_says_since_when() {
    let registry = expecting();
    let link = registry.attach(&cluster(), candidate("a", 0), None).ok().unwrap();
    registry.report(&cluster(), link, pods(412));
    registry.detach(&cluster(), link);
    tokio::time::advance(Duration::from_secs(250)).await;
    let lost = view(&registry);
    assert_eq!((lost.link, lost.link_since_ms, lost.heard_ms_ago), (LinkState::Lost, 250_000, Some(250_000)));
    let kind = GroupResource::new("", "pods");
    assert_eq!(lost.last_known_objects(&kind), Some(412));
    assert_eq!(lost.caches.age_ms(&kind), Some(250_100), "ages go on counting");
    let unreachable = registry.leg(&cluster()).err().unwrap();
    assert_eq!((unreachable.status, unreachable.since_ms), (LegStatus::Disconnected, 250_000));
    assert_eq!(unreachable.message, "no link for 4m10s");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_never_came_says_so() {
    let registry = expecting();
    tokio::time::advance(Duration::from_secs(40)).await;
    let message = registry.leg(&cluster()).err().unwrap().message;
    assert_eq!(message, "its agent has not linked in the 40s since this gateway expects it");
    let stranger = registry.leg(&ClusterId::new("nobody").unwrap()).err().unwrap();
    assert_eq!(stranger.status, LegStatus::Error);
}

#[tokio::test(start_paused = true)]
async fn the_first_report_of_a_link_replaces_what_an_earlier_one_left() {
    let registry = expecting();
    let link = registry.attach(&cluster(), candidate("a", 0), None).ok().unwrap();
    let cluster_report = ClusterReport { nodes: 3, ..ClusterReport::default() };
    registry.report(&cluster(), link, Report { cluster: Some(cluster_report), ..pods(412) });
    let next = registry.attach(&cluster(), candidate("b", 0), Some(link)).ok().unwrap();
    assert_eq!(view(&registry).caches.len(), 1, "nothing is forgotten before something better is known");
    // What the replaced link still says does not count.
    registry.report(&cluster(), link, pods(1));
    let nodes = KindReport { kind: GroupResource::new("", "nodes"), ..pods(3).kinds.remove(0) };
    registry.report(&cluster(), next, Report { kinds: vec![nodes], ..Report::default() });
    let kinds: Vec<_> = view(&registry).caches.reports().map(|report| report.kind.to_string()).collect();
    assert_eq!(kinds, ["nodes"]);
}

#[tokio::test(start_paused = true)]
async fn silence_is_told_by_the_state_and_only_changes_tick() {
    let registry = expecting();
    let link = registry.attach(&cluster(), candidate("a", 0), None).ok().unwrap();
    let mut changes = registry.changes();
    changes.mark_unchanged();
    registry.report(&cluster(), link, Report::default());
    registry.judge(&cluster(), link, Liveness::Alive);
    assert!(!changes.has_changed().unwrap(), "a heartbeat is no news");
    registry.judge(&cluster(), link, Liveness::Suspect);
    assert!(changes.has_changed().unwrap());
    assert_eq!(view(&registry).link, LinkState::Suspect);
    assert!(registry.leg(&cluster()).is_ok());
    registry.judge(&cluster(), link, Liveness::Lost);
    assert!(registry.leg(&cluster()).is_err());
}

#[tokio::test(start_paused = true)]
async fn clusters_with_equal_discoveries_share_one() {
    let registry = expecting();
    let other = ClusterId::new("prod-us").unwrap();
    registry.expect(other.clone(), BTreeMap::new());
    for id in [cluster(), other.clone()] {
        let link = registry.attach(&id, candidate("a", 0), None).ok().unwrap();
        registry.report(&id, link, Report { discovery: Some(table(&["pods"])), ..Report::default() });
    }
    let fleet = registry.snapshot();
    let [a, b] = [cluster(), other].map(|id| fleet.get(&id).unwrap().kinds.clone().unwrap());
    assert!(Arc::ptr_eq(&a, &b));
}

/// An agent that was started again beside a silent API server says that it knows no kind.
#[tokio::test(start_paused = true)]
async fn an_empty_discovery_is_none() {
    let registry = expecting();
    let link = registry.attach(&cluster(), candidate("a", 0), None).ok().unwrap();
    let says = |link, resources: &[&str]| {
        registry.report(&cluster(), link, Report { discovery: Some(table(resources)), ..Report::default() });
        view(&registry).kinds.as_ref().map(|table| table.kinds.len())
    };
    assert_eq!(says(link, &[]), None);
    assert_eq!(says(link, &["pods", "nodes"]), Some(2));
    let again = registry.attach(&cluster(), candidate("b", 0), Some(link)).ok().unwrap();
    assert_eq!(says(again, &[]), Some(2), "what is known stays until something better is known");
}
