//! The registry by itself: who may have a cluster's place, and what is known after it is lost.

use std::time::Duration;

use axum::Router;
use kubeplex_link::activity::Activity;
use kubeplex_proto::PROTOCOL;
use kubeplex_proto::control::{ClusterReport, Hello, KindReport, SyncState};
use kubeplex_proto::ids::Epoch;
use kubeplex_proto::kind::{GroupResource, KindTable};

use super::*;
use crate::fleet::{LinkState, SideBySide};

fn cluster() -> ClusterId {
    ClusterId::new("prod-eu").unwrap()
}

fn expecting() -> Registry {
    let registry = Registry::new();
    registry.expect(cluster(), BTreeMap::new());
    registry
}

fn hello(instance: &str, epoch: u64) -> Hello {
    Hello {
        protocol: PROTOCOL,
        features: Vec::new(),
        agent_version: format!("{instance}-{epoch}"),
        kubernetes_version: String::new(),
        cluster: cluster(),
        instance: InstanceId(instance.to_owned()),
        epoch: Epoch(epoch),
    }
}

/// A link of one process, and how it stands.
fn candidate(instance: &str, epoch: u64) -> (Candidate, watch::Receiver<Standing>) {
    let (standing, stands) = watch::channel(Standing::Standby);
    let carrier = Carrier::InProcess(Router::new());
    let activity = Activity::start();
    (Candidate { hello: hello(instance, epoch), carrier, activity, standing }, stands)
}

fn attach(registry: &Registry, instance: &str, epoch: u64, claim: Claim) -> Result<LinkId, Taken> {
    registry.attach(&cluster(), candidate(instance, epoch).0, claim)
}

fn first(registry: &Registry) -> LinkId {
    attach(registry, "a", 0, Claim::Vacant).ok().unwrap()
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
    let (link, stands) = candidate("a", 3);
    let first = registry.attach(&cluster(), link, Claim::Vacant).ok().unwrap();
    for older in [2, 3] {
        assert!(matches!(attach(&registry, "a", older, Claim::Vacant), Err(Taken::Newer)));
    }
    assert_eq!(*stands.borrow(), Standing::Serving);
    let (link, second_stands) = candidate("a", 4);
    let second = registry.attach(&cluster(), link, Claim::Vacant).ok().unwrap();
    assert_eq!(*stands.borrow(), Standing::Replaced, "the older link is told");

    let Err(Taken::Other { link, .. }) = attach(&registry, "b", 0, Claim::Vacant) else {
        panic!("two processes speak for one cluster")
    };
    assert_eq!(link, second);
    // Found dead under another id: somebody else came in between.
    assert!(attach(&registry, "b", 0, Claim::Over(first)).is_err());
    assert!(attach(&registry, "b", 0, Claim::Over(second)).is_ok());
    assert_eq!(*second_stands.borrow(), Standing::Displaced, "nothing under way on it will end");
    assert_eq!(&*view(&registry).agent_version, "b-0");

    // The end of a link that lost its place changes nothing.
    registry.detach(&cluster(), second);
    assert_eq!(view(&registry).link, LinkState::Connected);
    let stranger = ClusterId::new("nobody").unwrap();
    let (link, _) = candidate("a", 9);
    assert!(matches!(registry.attach(&stranger, link, Claim::Vacant), Err(Taken::Unexpected)));
}

#[tokio::test(start_paused = true)]
async fn the_process_that_stands_by_takes_over_with_what_it_reported_and_nobody_sees_a_gap() {
    let registry = expecting();
    let serving = first(&registry);
    registry.report(&cluster(), serving, pods(412));
    let (link, stands) = candidate("b", 1);
    let standby = registry.attach(&cluster(), link, Claim::Beside).ok().unwrap();
    assert_eq!(*stands.borrow(), Standing::Standby);
    registry.report(&cluster(), standby, pods(7));
    let pods = GroupResource::new("", "pods");
    let before = view(&registry);
    assert_eq!(
        (before.last_known_objects(&pods), before.instance.as_ref().unwrap().0.as_str()),
        (Some(412), "a")
    );
    assert_eq!(before.standby.as_ref().unwrap().instance.0, "b");

    let leg = registry.leg(&cluster()).ok().unwrap();
    let (next, ()) = tokio::join!(registry.successor(&leg), async {
        tokio::task::yield_now().await;
        registry.detach(&cluster(), serving);
    });
    assert_eq!(next.ok().unwrap().link, standby);
    assert_eq!(*stands.borrow(), Standing::Serving);
    let after = view(&registry);
    assert_eq!((after.link, after.standby.is_none()), (LinkState::Connected, true));
    assert_eq!(
        (after.last_known_objects(&pods), after.instance.as_ref().unwrap().0.as_str()),
        (Some(7), "b")
    );
    assert_eq!(&*after.agent_version, "b-1");
}

#[tokio::test(start_paused = true)]
async fn one_process_stands_by_and_leaves_no_trace() {
    let registry = expecting();
    let serving = first(&registry);
    let standby = attach(&registry, "b", 1, Claim::Beside).ok().unwrap();
    let Err(Taken::Crowded { serving: serves, standby: beside }) = attach(&registry, "c", 1, Claim::Beside)
    else {
        panic!("a third process has no place")
    };
    assert_eq!((serves.0.as_str(), beside.0.as_str()), ("a", "b"));
    assert!(matches!(attach(&registry, "b", 1, Claim::Beside), Err(Taken::Newer)));
    let newer = attach(&registry, "b", 2, Claim::Beside).ok().unwrap();
    registry.detach(&cluster(), standby);
    assert_eq!(registry.served_beside(&cluster(), newer).unwrap().0, serving);
    registry.judge(&cluster(), newer, Liveness::Lost);
    assert_eq!(view(&registry).standby, None);
    registry.detach(&cluster(), serving);
    assert_eq!(view(&registry).link, LinkState::Lost);
}

#[tokio::test(start_paused = true)]
async fn who_stands_by_takes_over_from_the_dead_and_is_a_rival_of_the_living() {
    let registry = expecting();
    let (link, stands) = candidate("a", 0);
    let serving = registry.attach(&cluster(), link, Claim::Vacant).ok().unwrap();
    let standby = attach(&registry, "b", 1, Claim::Beside).ok().unwrap();
    assert_eq!(registry.rivals(&cluster(), serving), None, "it stands by nobody");
    assert_eq!(registry.rivals(&cluster(), standby).unwrap().0, "a");
    assert_eq!(view(&registry).standby.as_ref().unwrap().side_by_side, SideBySide::Rivals);
    registry.take_over(&cluster(), standby, standby);
    assert_eq!(*stands.borrow(), Standing::Serving, "only from the link that was found dead");
    registry.take_over(&cluster(), standby, serving);
    assert_eq!(*stands.borrow(), Standing::Displaced);
    assert_eq!(view(&registry).standby, None);
}

#[tokio::test(start_paused = true)]
async fn a_lost_cluster_keeps_what_is_known_and_says_since_when() {
    let registry = expecting();
    let link = first(&registry);
    registry.report(&cluster(), link, pods(412));
    registry.detach(&cluster(), link);
    tokio::time::advance(Duration::from_secs(250)).await;
    let lost = view(&registry);
    assert_eq!((lost.link, lost.link_since_ms), (LinkState::Lost, 250_000));
    assert_eq!(lost.heard.map(|heard| Steady::now().since_ms(heard)), Some(250_000));
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
    let link = first(&registry);
    let cluster_report = ClusterReport { nodes: 3, ..ClusterReport::default() };
    registry.report(&cluster(), link, Report { cluster: Some(cluster_report), ..pods(412) });
    let next = attach(&registry, "b", 0, Claim::Over(link)).ok().unwrap();
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
    let link = first(&registry);
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
        let link = registry.attach(&id, candidate("a", 0).0, Claim::Vacant).ok().unwrap();
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
    let link = first(&registry);
    let says = |link, resources: &[&str]| {
        registry.report(&cluster(), link, Report { discovery: Some(table(resources)), ..Report::default() });
        view(&registry).kinds.as_ref().map(|table| table.kinds.len())
    };
    assert_eq!(says(link, &[]), None);
    assert_eq!(says(link, &["pods", "nodes"]), Some(2));
    let again = attach(&registry, "b", 0, Claim::Over(link)).ok().unwrap();
    assert_eq!(says(again, &[]), Some(2), "what is known stays until something better is known");
}

#[tokio::test(start_paused = true)]
async fn what_is_forgotten_is_not_expected_and_its_link_ends() {
    let registry = expecting();
    registry.name_also(&cluster(), vec!["me@prod".to_owned()]);
    assert_eq!(view(&registry).names().collect::<Vec<_>>(), ["prod-eu", "me@prod"]);
    let (candidate, standing) = candidate("a", 0);
    let link = registry.attach(&cluster(), candidate, Claim::Vacant).ok().unwrap();
    registry.forget(&cluster());
    assert!(matches!(*standing.borrow(), Standing::Dismissed) && !registry.expects(&cluster()));
    registry.report(&cluster(), link, pods(1));
    assert!(registry.snapshot().clusters().is_empty(), "a late report brings nothing back");
}
