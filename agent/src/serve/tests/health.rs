//! How the cluster is, as the service tells it.

use kubeplex_proto::gather::{GatherFrame, GatherHead};
use kubeplex_proto::health::{HealthFacts, HealthRequest};
use kubeplex_proto::visibility::{Reach, VisibilityRule};
use simcluster::{Fault, FaultAction, Gvr};

use super::*;
use crate::limits::HEALTH_KEPT;

impl World {
    async fn health(&self, visibility: Visibility) -> (GatherHead, HealthFacts) {
        let request = HealthRequest { context: CallContext { visibility, ..context() } };
        let frames = self.ask::<GatherFrame<HealthFacts>>(paths::HEALTH, &request).await.unwrap();
        let [GatherFrame::Head(head), GatherFrame::Items(items), GatherFrame::End(_)] = frames.as_slice()
        else {
            panic!("{frames:?}")
        };
        let [facts] = items.as_slice() else { panic!("{items:?}") };
        ((**head).clone(), facts.clone())
    }
}

#[tokio::test(start_paused = true)]
async fn every_part_is_told_to_who_may_see_it_all() {
    let world = World::start();
    let (head, facts) = world.health(Visibility::everything()).await;
    assert_eq!((head.total, head.source), (1, kubeplex_proto::status::Source::Cache));
    assert!(facts.api.answered_ms.is_some() && facts.api.problem.is_empty(), "{:?}", facts.api);
    let nodes = facts.nodes.unwrap();
    assert_eq!((nodes.total, nodes.kubelets.values().sum::<u64>()), (3, 3));
    let workloads = facts.workloads.unwrap();
    let kinds = ["deployments", "statefulsets", "daemonsets"];
    let there: usize = kinds.iter().map(|kind| world.sim.count(&Gvr::new("apps", "v1", kind))).sum();
    assert_eq!(workloads.total, there as u64);
    let capacity = facts.capacity.unwrap();
    let requested = capacity.requested.unwrap();
    assert!(requested.pods > 100 && requested.cpu_milli > 0, "{requested:?}");
    assert_eq!(capacity.allocatable.cpu_milli, 3 * 7_910);
    assert!(capacity.used.unwrap().memory_bytes > 0);
    assert_eq!(facts.not_known, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_a_caller_sees_only_in_part_is_not_told_as_the_whole() {
    let world = World::start();
    let shop = Reach::Only(vec![Pattern::new("shop")]);
    let (_, facts) = world.health(Visibility::of(vec![VisibilityRule::of(Reach::All, shop)])).await;
    assert_eq!((facts.nodes, facts.capacity), (None, None));
    let all = world.health(Visibility::everything()).await.1.workloads.unwrap().total;
    let seen = facts.workloads.unwrap().total;
    assert!(seen > 0 && seen < all, "{seen} of {all}");
    let pods = Reach::Only(vec![Pattern::new("pods")]);
    let (_, facts) = world.health(Visibility::of(vec![VisibilityRule::of(pods, Reach::All)])).await;
    assert_eq!((facts.workloads, facts.not_known), (None, Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_not_ready_is_told_and_found_well_again() {
    let world = World::start();
    let fault = Fault::new(FaultAction::Status { code: 503, message: "no".to_owned() }).path("/readyz");
    let fault = world.sim.faults().add(fault);
    let (_, facts) = world.health(Visibility::everything()).await;
    assert_eq!(facts.api.problem, "/readyz answers 503 Service Unavailable");
    world.sim.faults().remove(fault);
    sleep(HEALTH_KEPT).await;
    let (_, facts) = world.health(Visibility::everything()).await;
    assert!(facts.api.problem.is_empty() && facts.api.answered_ms.is_some(), "{:?}", facts.api);
}

#[tokio::test(start_paused = true)]
async fn who_asks_again_at_once_costs_the_server_nothing() {
    let world = World::start();
    world.health(Visibility::everything()).await;
    let before = world.asked.lock().len();
    world.health(Visibility::everything()).await;
    let after = world.asked.lock()[before..].to_vec();
    assert!(after.iter().all(|asked| asked.uri.contains("watch=true")), "{after:?}");
}
