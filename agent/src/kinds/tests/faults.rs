//! Everything that goes wrong between an agent and its API server.

use simcluster::{Fault, FaultAction, Policy, Rule, StreamEnd, Subject, User, Verb, WatchList};

use super::*;

fn paged(pods: usize) -> SimConfig {
    SimConfig { pods, watch_list: WatchList::Unsupported, ..small() }
}

#[tokio::test(start_paused = true)]
async fn stores_converge_after_every_kind_of_fault() {
    let world = World::start(small(), config());
    world.ready().await;
    let faults = world.sim.faults();
    let reset = FaultAction::Truncate { after_bytes: 3_000, end: StreamEnd::Reset };
    for action in [
        FaultAction::TooManyRequests { retry_after_seconds: 2 },
        FaultAction::Status { code: 500, message: "etcd has no leader".into() },
        FaultAction::Expired,
        FaultAction::Reset,
        FaultAction::Garbage,
        reset,
        FaultAction::Truncate { after_bytes: 2_000, end: StreamEnd::Clean },
        FaultAction::Latency(Duration::from_secs(3)),
        FaultAction::Hang,
    ] {
        faults.add(Fault::new(action.clone()).times(40));
        // Ends what is open, so that every kind runs into the fault.
        world.sim.compact();
        for round in 0..5 {
            world.sim.apply(pod(&format!("p{round}"))).unwrap();
            sleep(Duration::from_secs(100)).await;
        }
        world.sim.delete(&Gvr::core("pods"), "default", "p3").unwrap();
        faults.clear();
        world.all_agree().await;
        world.ready().await;
    }
}

#[tokio::test(start_paused = true)]
async fn duplicated_and_late_events_change_nothing() {
    let world = World::start(small(), config());
    world.ready().await;
    world.sim.faults().add(Fault::new(FaultAction::Duplicate { every: 2 }));
    world.sim.faults().add(Fault::new(FaultAction::Delay { every: 3, by: Duration::from_secs(4) }));
    for round in 0..60 {
        let name = format!("p{}", round % 7);
        if round % 5 == 4 {
            let _ = world.sim.delete(&Gvr::core("pods"), "default", &name);
        } else {
            world.sim.apply(pod(&name)).unwrap();
        }
        sleep(Duration::from_millis(700)).await;
    }
    world.all_agree().await;
}

#[tokio::test(start_paused = true)]
async fn expired_in_the_middle_of_paging() {
    let sim = SimCluster::new(paged(1_300));
    let fault =
        sim.faults().add(Fault::new(FaultAction::Expired).verb(Verb::List).resource("pods").page(2).times(2));
    let world = World::over(sim, on_demand());
    let pods = world.open("pods").await;
    let status = pods.synced(Instant::now() + HOUR).await;
    assert_eq!(status.state, SyncState::Synced);
    assert_eq!(world.sim.faults().applied(fault), 1, "the second attempt takes larger pages");
    assert!(world.agrees(&pods));
}

#[tokio::test(start_paused = true)]
async fn a_relist_never_shows_less_than_there_is() {
    let world = World::start(paged(1_300), on_demand());
    let pods = world.open("pods").await;
    pods.synced(Instant::now() + HOUR).await;
    let all = pods.store.read().len();
    let faults = world.sim.faults();
    faults.add(Fault::new(FaultAction::Latency(Duration::from_secs(5))).verb(Verb::List).resource("pods"));
    faults.add(Fault::new(FaultAction::Expired).verb(Verb::Watch).resource("pods").times(1));
    let lists_before = world.sim.stats().count(Verb::List, "pods");
    let whole_lists = |world: &World| world.sim.stats().count(Verb::List, "pods") - lists_before;
    while whole_lists(&world) < 3 || world.state("pods") != Some(SyncState::Synced) {
        assert!(pods.store.read().len() >= all);
        assert_ne!(world.state("pods"), Some(SyncState::Syncing));
        sleep(Duration::from_millis(400)).await;
    }
    assert!(world.agrees(&pods));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_pauses_goes_on_as_the_list_it_was() {
    let sim = SimCluster::new(paged(1_300));
    let failing = Fault::new(FaultAction::Status { code: 500, message: "etcd has no leader".into() });
    sim.faults().add(failing.verb(Verb::List).resource("pods").page(2).times(2));
    // No watch stands, so that only the list tells how current the rows are.
    sim.faults().add(Fault::new(FaultAction::Hang).verb(Verb::Watch).resource("pods"));
    let world = World::over(sim, on_demand());
    let pods = world.open("pods").await;
    let opened = Instant::now();
    let status = pods.synced(opened + HOUR).await;
    assert_eq!(status.state, SyncState::Error, "a list that fails twice is said to");
    world.until(|_| pods.status().state == SyncState::Synced).await;
    let as_of = pods.status().as_of.unwrap();
    assert!(as_of <= opened + Duration::from_secs(1), "as of the beginning of the list");
    assert!(world.agrees(&pods));
}

#[tokio::test(start_paused = true)]
async fn a_new_store_that_can_not_be_filled_takes_no_rows_away() {
    let world = World::start(small(), config());
    world.sim.apply(widgets(&serde_json::json!([]))).unwrap();
    world.sim.apply(widget("a")).unwrap();
    world.ready().await;
    let old = world.open("widgets.example.com").await;
    old.synced(Instant::now() + HOUR).await;
    let fault = Fault::new(FaultAction::Status { code: 500, message: "no conversion webhook".into() });
    let fault = world.sim.faults().add(fault.resource("widgets"));
    let size = serde_json::json!([{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}]);
    world.sim.apply(widgets(&size)).unwrap();
    let until = Instant::now() + Duration::from_secs(120);
    while Instant::now() < until {
        assert_eq!(world.open("widgets.example.com").await.store.read().len(), 1);
        sleep(Duration::from_secs(1)).await;
    }
    world.sim.faults().remove(fault);
    let id: GroupResource = "widgets.example.com".parse().unwrap();
    world.until(|world| world.kinds().shared.handle(&id).unwrap().narrow_column("size").is_some()).await;
}

#[tokio::test(start_paused = true)]
async fn a_frozen_watch_is_stale_and_then_listed_around() {
    let world = World::start(small(), on_demand());
    let pods = world.open("pods").await;
    pods.synced(Instant::now() + HOUR).await;
    world.sim.faults().add(Fault::new(FaultAction::Freeze { after_events: 0 }).resource("pods"));
    sleep(Duration::from_secs(1)).await;
    world.sim.apply(pod("unseen")).unwrap();
    assert_eq!(pods.status().state, SyncState::Synced);
    world.until(|_| pods.status().state == SyncState::Stale).await;
    assert!(pods.age().unwrap() >= Duration::from_secs(60), "{:?}", pods.age());
    // Every watch freezes, but lists do not.
    world.until(|world| world.agrees(&pods)).await;
    world.sim.faults().clear();
    world.until(|_| pods.status().state == SyncState::Synced).await;
}

/// Nothing happens in the cluster for an hour. Kinds are looked at every few seconds; returns how many requests a second that
/// took beside what each watch needs to be opened.
async fn an_hour_of_nothing(world: &World) -> f64 {
    world.ready().await;
    world.sim.reset_stats();
    for _ in 0..720 {
        sleep(Duration::from_secs(5)).await;
        for report in world.kinds().snapshot() {
            assert_eq!(report.state, SyncState::Synced, "{}: {:?}", report.kind, report.message);
            assert!(report.age_ms.unwrap() < 125_000, "{} is {:?} ms old", report.kind, report.age_ms);
        }
    }
    world.sim.stats().requests as f64 / HOUR.as_secs_f64()
}

#[tokio::test(start_paused = true)]
async fn kinds_in_which_nothing_happens_are_never_stale() {
    let world = World::start(small(), config());
    let rate = an_hour_of_nothing(&world).await;
    assert!(rate <= 0.5, "{rate} requests a second");
    let stats = world.sim.stats();
    let (lists, watches) = (stats.count(Verb::List, "services"), stats.count(Verb::Watch, "services"));
    assert!(lists.abs_diff(watches) <= 1, "one nudge each watch, but {lists} for {watches}");
}

#[tokio::test(start_paused = true)]
async fn nor_are_they_on_servers_that_send_no_bookmarks_for_them() {
    let world = World::start(paged(60), config());
    let rate = an_hour_of_nothing(&world).await;
    assert!(rate <= 0.5, "{rate} requests a second");
    // All watches freeze. There is nothing to tell that by, but it is listed around them.
    world.sim.faults().add(Fault::new(FaultAction::Freeze { after_events: 0 }));
    sleep(Duration::from_secs(1)).await;
    let frozen = Instant::now();
    world.sim.apply(pod("unseen")).unwrap();
    world.all_agree().await;
    assert!(frozen.elapsed() <= Duration::from_secs(250), "{:?}", frozen.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_frozen_from_its_first_moment_is_stale_in_spite_of_the_nudge() {
    let world = World::start(small(), on_demand());
    let services = world.open("services").await;
    services.synced(Instant::now() + HOUR).await;
    let opened = Instant::now();
    world.sim.faults().add(Fault::new(FaultAction::Freeze { after_events: 0 }).resource("services"));
    world.until(|_| services.status().state == SyncState::Stale).await;
    assert_eq!(opened.elapsed().as_secs(), 120);
    assert!(world.sim.stats().count(Verb::List, "services") > 0, "it was nudged");
    world.sim.faults().clear();
    world.until(|_| services.status().state == SyncState::Synced).await;
    assert!(opened.elapsed() <= Duration::from_secs(190), "healed by a bookmark of the next watch");
}

#[tokio::test(start_paused = true)]
async fn an_event_during_a_nudge_that_hangs_is_seen_at_once() {
    let world = World::start(small(), on_demand());
    let services = world.open("services").await;
    services.synced(Instant::now() + HOUR).await;
    let hang = Fault::new(FaultAction::Hang).verb(Verb::List).resource("services");
    let hang = world.sim.faults().add(hang);
    world.until(|world| world.sim.faults().applied(hang) == 1).await;
    let written = Instant::now();
    let service = serde_json::json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "fresh", "namespace": "default"},
        "spec": {"ports": [{"port": 80}]}
    });
    world.sim.apply(service).unwrap();
    world.until(|world| world.agrees(&services)).await;
    assert!(written.elapsed() < Duration::from_secs(2), "{:?}", written.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_dies_leaves_stale_rows_and_is_followed_when_it_returns() {
    let world = World::start(small(), config());
    world.ready().await;
    world.sim.faults().add(Fault::new(FaultAction::Reset));
    world.until(|world| world.state("pods") == Some(SyncState::Stale)).await;
    world.until(|world| !world.kinds().cluster().api_problem.is_empty()).await;
    let pods = world.open("pods").await;
    assert!(pods.status().message.is_some());
    assert!(!pods.store.read().is_empty());
    world.sim.apply(pod("meanwhile")).unwrap();
    world.sim.faults().clear();
    world.ready().await;
    world.all_agree().await;
    world.until(|world| world.kinds().cluster().api_problem.is_empty()).await;
}

#[tokio::test(start_paused = true)]
async fn who_is_answered_first_after_a_long_outage_wakes_the_others() {
    let world = World::start(small(), config());
    world.ready().await;
    let with_state = |world: &World, wanted| {
        world.kinds().snapshot().iter().filter(|report| report.state == wanted).count()
    };
    let all = with_state(&world, SyncState::Synced);
    let failing = FaultAction::Status { code: 503, message: "no backend".into() };
    let outages = [2, 25, 600].map(Duration::from_secs);
    for (fault, outage) in
        [FaultAction::Reset, failing].iter().flat_map(|fault| outages.map(|time| (fault, time)))
    {
        // A pause is cut short only now and then.
        sleep(Duration::from_secs(60)).await;
        world.sim.faults().add(Fault::new(fault.clone()));
        world.sim.end_watches();
        world.until(|world| with_state(world, SyncState::Stale) == all).await;
        sleep(outage).await;
        world.sim.faults().clear();
        let healed = Instant::now();
        world.until(|world| with_state(world, SyncState::Synced) > 0).await;
        assert!(
            healed.elapsed() <= Duration::from_secs(4),
            "{:?} after {outage:?} of {fault:?}",
            healed.elapsed()
        );
        let first = Instant::now();
        world.until(|world| with_state(world, SyncState::Synced) == all).await;
        assert!(
            first.elapsed() <= Duration::from_secs(1),
            "{:?} after {outage:?} of {fault:?}",
            first.elapsed()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_alone_is_never_answered_is_not_asked_whenever_others_are() {
    let world = World::start(small(), config());
    world.ready().await;
    world.sim.faults().add(Fault::new(FaultAction::Reset).resource("configmaps"));
    world.sim.end_watches();
    world.sim.reset_stats();
    for _ in 0..600 {
        sleep(Duration::from_secs(1)).await;
        world.agent.api().get_bytes("/api/v1/namespaces/default", HOUR).await.unwrap();
    }
    let asked = world.sim.stats().count(Verb::Watch, "configmaps");
    assert!((20..350).contains(&asked), "{asked} times in ten minutes");
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_alone_fails_is_not_asked_often_and_says_why() {
    let world = World::start(small(), config());
    world.ready().await;
    let said = "conversion webhook for example.com/v1 failed";
    // As of a server whose memory of the kind can't be filled: a watch waits for it, and a list is not served from it.
    world.sim.faults().add(Fault::new(FaultAction::Hang).verb(Verb::Watch).resource("configmaps"));
    let failing = FaultAction::Status { code: 500, message: said.into() };
    world.sim.faults().add(Fault::new(failing).verb(Verb::List).resource("configmaps"));
    world.sim.end_watches();
    let ended = Instant::now();
    let config_maps = world.open("configmaps").await;
    let says = |said: &str| config_maps.status().message.is_some_and(|told| told.contains(said));
    world.until(|_| says(said)).await;
    assert!(ended.elapsed() < Duration::from_secs(10), "{:?}", ended.elapsed());
    assert_eq!(config_maps.status().state, SyncState::Stale);
    world.sim.reset_stats();
    for _ in 0..600 {
        sleep(Duration::from_secs(1)).await;
        assert!(says(said), "{:?}", config_maps.status());
    }
    let asked = world.sim.stats().count(Verb::List, "configmaps");
    assert!((20..60).contains(&asked), "{asked} times in ten minutes");
    world.sim.faults().clear();
    world.all_agree().await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_start_is_waited_for() {
    let sim = SimCluster::new(small());
    sim.faults().add(Fault::new(FaultAction::Reset).times(3));
    sim.faults().add(Fault::new(FaultAction::Hang).times(2));
    sim.faults().add(Fault::new(FaultAction::Status { code: 503, message: "starting".into() }).times(5));
    let world = World::over(sim, config());
    world.ready().await;
    world.all_agree().await;
}

/// An agent that may read a few kinds.
fn limited() -> Policy {
    let rule = Rule::new("*", "nodes,namespaces,pods,services,customresourcedefinitions");
    Policy::enforced().user(TOKEN, User::new("agent", &[])).grant(Subject::User("agent".into()), rule)
}

#[tokio::test(start_paused = true)]
async fn forbidden_is_settled_and_tried_again() {
    let world = World::start(SimConfig { policy: limited(), ..small() }, config());
    world.ready().await;
    assert_eq!(world.state("configmaps"), Some(SyncState::Forbidden));
    assert_eq!(world.state("pods"), Some(SyncState::Synced));
    world.sim.set_policy(Policy::allow_all());
    world.until(|world| world.state("configmaps") == Some(SyncState::Synced)).await;
    assert!(world.open("configmaps").await.age().is_some());
    world.sim.set_policy(limited());
    world.sim.compact();
    world.until(|world| world.state("configmaps") == Some(SyncState::Forbidden)).await;
    assert!(
        world.open("configmaps").await.store.read().is_empty(),
        "what may not be read any more is not kept"
    );
    assert_eq!(world.open("configmaps").await.age(), None, "and nothing is as of any time");
}
