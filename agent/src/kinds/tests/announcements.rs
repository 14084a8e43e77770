//! What an agent that watches on demand hears of new kinds before anybody asks it for one.

use serde_json::json;
use simcluster::{Fault, FaultAction, Policy, Rule, Subject, User, Verb};

use super::*;

const WIDGETS: &str = "widgets.example.com";

fn knows_widgets(world: &World) -> bool {
    world.kinds().discovery().get(&WIDGETS.parse().unwrap()).is_some()
}

fn definitions() -> Gvr {
    Gvr::new("apiextensions.k8s.io", "v1", "customresourcedefinitions")
}

/// Waits until the cluster has it, or not.
async fn hears(world: &World, known: bool) -> Duration {
    let began = Instant::now();
    world.until(|world| knows_widgets(world) == known).await;
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn kinds_come_and_go_unasked() {
    let world = World::start(small(), on_demand());
    world.ready().await;
    for quiet in [1, 300, 3_000].map(Duration::from_secs) {
        sleep(quiet).await;
        world.sim.apply(widgets(&json!([]))).unwrap();
        assert!(hears(&world, true).await < Duration::from_secs(8), "after {quiet:?}");
        sleep(quiet).await;
        world.sim.delete(&definitions(), "", WIDGETS).unwrap();
        assert!(hears(&world, false).await < Duration::from_secs(8), "after {quiet:?}");
    }
    assert!(world.kinds().shared.handle(&builtin::crds()).is_none(), "none is held");
}

#[tokio::test(start_paused = true)]
async fn what_happened_while_nothing_was_heard_is_heard_then() {
    let world = World::start(small(), on_demand());
    world.ready().await;
    sleep(Duration::from_secs(10)).await;
    for announcer in ["customresourcedefinitions", "apiservices"] {
        world.sim.faults().add(Fault::new(FaultAction::Reset).resource(announcer));
    }
    world.sim.end_watches();
    sleep(Duration::from_secs(600)).await;
    world.sim.apply(widgets(&json!([]))).unwrap();
    world.sim.compact();
    sleep(Duration::from_secs(60)).await;
    assert!(!knows_widgets(&world));
    world.sim.faults().clear();
    assert!(hears(&world, true).await < Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn hearing_costs_next_to_nothing_whoever_may_hear() {
    let rule = Rule::new("*", "nodes,namespaces");
    let policy =
        Policy::enforced().user(TOKEN, User::new("agent", &[])).grant(Subject::User("agent".into()), rule);
    for (policy, lists, watches) in [(Policy::allow_all(), 0..=1, 10..=20), (policy, 55..=62, 0..=0)] {
        let world = World::start(SimConfig { policy, ..small() }, on_demand());
        world.ready().await;
        sleep(Duration::from_secs(60)).await;
        world.sim.reset_stats();
        sleep(HOUR).await;
        let stats = world.sim.stats();
        let count = |verb| stats.count(verb, &builtin::crds().to_string());
        assert!(lists.contains(&count(Verb::List)), "{} lists", count(Verb::List));
        assert!(watches.contains(&count(Verb::Watch)), "{} watches", count(Verb::Watch));
    }
}
