//! What an agent asks for that may not do everything: where it can know, nothing that would be refused.

use simcluster::{Fault, FaultAction, Rule, Verb};

use super::namespaces::{agent, nobody, only, rights_in, watching, world};
use super::*;

/// Answers with the status that a refusal has.
fn refusals(world: &World) -> u64 {
    world.sim.stats().by_status.get(&403).copied().unwrap_or_default()
}

/// So long that whatever is tried now and then was tried a few times.
async fn a_while() {
    sleep(Duration::from_secs(200)).await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_of_single_namespaces_tries_nothing_that_would_be_refused() {
    let pods_of_shop = || nobody().grant(agent(), Rule::new("list,watch", "pods").in_namespace("shop"));
    let nodes = || rights_in(&["shop"]).grant(agent(), Rule::new("list,watch", "nodes"));
    let list_alone = || nobody().grant(agent(), Rule::new("list", "*").in_namespace("shop"));
    for (policy, kind, state) in [
        (rights_in(&["shop", "payments"]), "pods", SyncState::Synced),
        (rights_in(&["shop"]), "services", SyncState::Synced),
        (rights_in(&["shop"]), "nodes", SyncState::Forbidden),
        (nodes(), "nodes", SyncState::Synced),
        (pods_of_shop(), "services", SyncState::Forbidden),
        (pods_of_shop(), "widgets.example.com", SyncState::Forbidden),
        (list_alone(), "pods", SyncState::Forbidden),
        (nobody(), "pods", SyncState::Forbidden),
    ] {
        let world = world(policy, watching(&["shop", "payments"]));
        world.sim.apply(widgets(&serde_json::json!([]))).unwrap();
        world.ready().await;
        let handle = world.open(kind).await;
        world.until(|_| handle.status().state == state).await;
        a_while().await;
        assert_eq!(handle.status().state, state, "{kind}");
        assert_eq!(refusals(&world), 0, "{kind}: {:#?}", world.sim.stats().by_call);
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_server_does_not_say_what_may_be_done_it_is_tried() {
    for (reviews, code) in [("selfsubjectrulesreviews", 404), ("", 403), ("", 404), ("", 500)] {
        let sim = SimCluster::new(SimConfig { policy: rights_in(&["shop"]), ..small() });
        let fault = Fault::new(FaultAction::Status { code, message: "no reviews here".into() });
        let fault = fault.verb(Verb::Create);
        sim.faults().add(if reviews.is_empty() { fault } else { fault.resource(reviews) });
        let world = World::over(sim, watching(&["shop", "payments"]));
        world.ready().await;
        let pods = world.open("pods").await;
        let status = pods.status();
        assert_eq!((status.state, status.seen), (SyncState::Synced, only(&["shop"])), "{reviews} {code}");
        assert_eq!(world.state("nodes"), Some(SyncState::Forbidden));
        let has_tried = refusals(&world) > 0;
        assert_eq!(has_tried, reviews.is_empty(), "one kind of review is enough: {reviews} {code}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_once_is_asked_for_before_it_is_tried_again() {
    let world = world(rights_in(&["shop"]), config());
    world.ready().await;
    assert_eq!(world.state("pods"), Some(SyncState::Forbidden));
    let refused = refusals(&world);
    assert!(refused > 0, "whether it may is found out by trying");
    a_while().await;
    assert_eq!(refusals(&world), refused);
    world.sim.set_policy(nobody().grant(agent(), Rule::new("list,watch", "*")));
    world.until(|world| world.state("pods") == Some(SyncState::Synced)).await;
}
