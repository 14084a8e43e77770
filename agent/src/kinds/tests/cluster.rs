//! The cluster as a whole: first sync, what it costs the API server, the end.

use simcluster::{Fault, FaultAction, Verb, WatchList};

use super::*;

#[tokio::test(start_paused = true)]
async fn every_builtin_kind_is_synced_with_either_form_of_the_first_list() {
    for watch_list in [WatchList::Supported, WatchList::Unsupported] {
        let world = World::start(SimConfig { watch_list, ..small() }, config());
        world.ready().await;
        world.all_agree().await;
        let report = world.kinds().cluster();
        assert_eq!(report.kubernetes_version, "v1.35.2");
        assert_eq!(report.nodes, 3);
        assert!((1..=3).contains(&report.nodes_ready), "{report:?}");
        assert_eq!(report.kube_system_uid.len(), 36);
        assert_eq!(report.api_problem, "");
        assert_eq!(world.kinds().snapshot().len(), 35);
        let lists = world.sim.stats().count(Verb::List, "pods");
        assert_eq!(lists, u64::from(watch_list == WatchList::Unsupported));
    }
}

#[tokio::test(start_paused = true)]
async fn a_steady_cluster_costs_half_a_request_a_second_at_most() {
    let world = World::start(small(), config());
    world.ready().await;
    sleep(Duration::from_secs(60)).await;
    world.sim.reset_stats();
    sleep(HOUR).await;
    let requests = world.sim.stats().requests as f64 / HOUR.as_secs_f64();
    assert!(requests <= 0.5, "{requests} requests a second: {:?}", world.sim.stats().by_call);
    assert!(world.kinds().snapshot().iter().all(|kind| kind.state == SyncState::Synced));
    let ages = world.kinds().snapshot().into_iter().map(|kind| kind.age_ms.unwrap()).max();
    assert!(ages < Some(75_000), "bookmarks keep quiet kinds current: {ages:?}");
}

#[tokio::test(start_paused = true)]
async fn no_more_lists_at_once_than_allowed() {
    let sim = SimCluster::new(SimConfig { watch_list: WatchList::Unsupported, ..small() });
    sim.faults().add(Fault::new(FaultAction::Latency(Duration::from_secs(5))).verb(Verb::List));
    let world = World::over(sim, config());
    let mut most = 0;
    while !world.kinds().cluster().ready {
        let stats = world.sim.stats();
        most = most.max(stats.in_flight - stats.open_watches);
        sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(most, 4);
}

#[tokio::test(start_paused = true)]
async fn the_end_reaches_the_server() {
    let world = World::start(small(), config());
    world.ready().await;
    assert_eq!(world.sim.stats().open_watches, 35);
    world.cancel.cancel();
    world.tracker.close();
    timeout(HOUR, world.tracker.wait()).await.unwrap();
    timeout(HOUR, async {
        while world.sim.stats().open_watches > 0 {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_reported_long_before_it_is_given_up() {
    let sim = SimCluster::new(small());
    sim.faults().add(Fault::new(FaultAction::Hang));
    let started = Instant::now();
    let world = World::over(sim, on_demand());
    let told = "the API server has not answered /api for 3s";
    world.until(|world| world.kinds().cluster().api_problem == told).await;
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    world.sim.faults().clear();
    world.ready().await;
    assert_eq!(world.kinds().cluster().api_problem, "");
}

#[tokio::test]
async fn a_skewed_clock_is_measured() {
    let sim = SimCluster::new(small());
    sim.clock().set_skew(jiff::SignedDuration::from_secs(90));
    let world = World::over(sim, on_demand());
    world.ready().await;
    let offset_ms = world.kinds().cluster().clock_offset_ms;
    assert!((offset_ms - 90_000).abs() < 1_500, "{offset_ms}");
}
