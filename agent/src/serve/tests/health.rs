//! How the cluster is, as the service tells it.

use kubeplex_proto::gather::{GatherFrame, GatherHead};
use kubeplex_proto::health::{DeprecatedApi, HealthFacts, HealthRequest};
use kubeplex_proto::visibility::{Reach, VisibilityRule};
use serde_json::json;
use simcluster::{Fault, FaultAction, Gvr, Rule, Subject};

use super::*;
use crate::limits::HEALTH_KEPT;

impl World {
    async fn health(&self, visibility: Visibility) -> (GatherHead, HealthFacts) {
        self.health_of(&HealthRequest { context: CallContext { visibility, ..context() } }).await
    }

    async fn health_of(&self, request: &HealthRequest) -> (GatherHead, HealthFacts) {
        let frames = self.ask::<GatherFrame<HealthFacts>>(paths::HEALTH, request).await.unwrap();
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

#[tokio::test(start_paused = true)]
async fn deprecated_apis_are_known_by_who_wrote_so_and_by_the_server_where_the_caller_may_read_it() {
    let policy = acting_for_ann_and_bob().grant(Subject::User("ann".into()), Rule::new("get", "/metrics"));
    let world = World::of(SimConfig { policy, ..small() }, config().with_watch(WatchMode::Builtin));
    world.sim.ask_for_deprecated("batch/v1beta1", "cronjobs", "1.25");
    world.sim.ask_for_deprecated("v1", "endpoints", "");
    let written = |name: &str, manager: &str, version: &str, subresource: &str| {
        json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name, "namespace": "shop",
            "managedFields": [{"manager": manager, "operation": "Update", "apiVersion": version,
                "time": "2026-01-01T00:00:00Z", "subresource": subresource}]}})
    };
    for object in [
        written("old-1", "helm", "policy/v1beta1", ""),
        written("old-2", "helm", "policy/v1beta1", ""),
        written("new", "helm", "policy/v1", ""),
    ] {
        world.sim.apply(object).unwrap();
    }
    world.until(|world| world.agent.kinds().cluster().ready).await;
    let api = |version: &str, resource: &str, objects: u64, requested: bool| DeprecatedApi {
        removed_in: 25,
        version: version.to_owned(),
        resource: resource.to_owned(),
        objects,
        requested,
    };
    let budgets = api("policy/v1beta1", "poddisruptionbudgets", 2, false);
    let (_, facts) = world.health(Visibility::everything()).await;
    assert_eq!(facts.deprecated, [api("batch/v1beta1", "cronjobs", 0, true), budgets.clone()]);
    // Of the usage, which ann may not read, it is said.
    let says_nothing = |facts: &HealthFacts| facts.not_known.iter().all(|why| why.starts_with("usage: "));
    assert!(says_nothing(&facts), "{:?}", facts.not_known);
    let read = || {
        world
            .asked("/metrics")
            .into_iter()
            .filter(|asked| !asked.uri.contains("metrics.k8s.io"))
            .collect::<Vec<_>>()
    };
    assert_eq!(read().iter().map(Asked::caller).collect::<Vec<_>>(), [Some("ann")]);
    world.health(Visibility::everything()).await;
    assert_eq!(read().len(), 1, "it is megabytes, and is believed for a while");

    let request = |user: &str, visibility: Visibility| {
        let mut context = CallContext { visibility, ..context() };
        context.caller.user = user.to_owned();
        HealthRequest { context }
    };
    let (_, facts) = world.health_of(&request("bob", Visibility::everything())).await;
    assert!(says_nothing(&facts), "{:?}", facts.not_known);
    assert_eq!(facts.deprecated, [budgets], "what bob may not read is not told");
    assert_eq!(read().len(), 1, "nothing is read for bob");
    let pods = VisibilityRule::of(Reach::Only(vec![Pattern::new("pods")]), Reach::All);
    let (_, facts) = world.health_of(&request("bob", Visibility::of(vec![pods]))).await;
    assert_eq!(facts.deprecated, []);
}
