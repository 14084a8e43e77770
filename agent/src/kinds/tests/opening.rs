//! From a kind's name to its handle: first use, absence, refusal, idleness, and kinds that change under their readers.

use kubeplex_proto::pattern::Pattern;
use serde_json::json;
use simcluster::{Fault, FaultAction, MetricsApi, Verb};

use super::*;
use crate::cache::CellRef;
use crate::config::{Deny, SecretsWatch};
use crate::limits::Limits;

const CRDS: (&str, &str, &str) = ("apiextensions.k8s.io", "v1", "customresourcedefinitions");

fn crds() -> Gvr {
    Gvr::new(CRDS.0, CRDS.1, CRDS.2)
}

async fn opened(world: &World, id: &str, version: Option<&str>) -> &'static str {
    name_of(&world.kinds().open(&id.parse().unwrap(), version).await)
}

#[tokio::test(start_paused = true)]
async fn a_first_use_fills_and_the_next_finds() {
    let world = World::start(small(), on_demand());
    let services = world.open("services").await;
    assert!(services.first_use());
    assert_eq!(services.synced(Instant::now() + HOUR).await.state, SyncState::Synced);
    assert!(world.agrees(&services));
    let again = world.open("services").await;
    assert!(Arc::ptr_eq(&services, &again) && !again.first_use());
}

#[tokio::test(start_paused = true)]
async fn names_that_lead_nowhere_say_why() {
    let deny = Deny::new(vec![Pattern::new("configmaps"), Pattern::new("*.batch")], vec![]);
    let world = World::start(small(), config().with_deny(deny));
    world.ready().await;
    for (id, version, expected) in [
        ("gizmos.example.com", None, "absent"),
        ("deployments.apps", Some("v1beta1"), "absent"),
        ("deployments.apps", Some("v1"), "handle"),
        ("replicasets.apps", Some("v7"), "absent"),
        ("configmaps", None, "denied"),
        ("jobs.batch", None, "denied"),
        ("tokenreviews.authentication.k8s.io", None, "unwatchable"),
        ("pods.metrics.k8s.io", None, "unwatchable"),
        ("events.events.k8s.io", None, "handle"),
    ] {
        assert_eq!(opened(&world, id, version).await, expected, "{id} {version:?}");
    }
    assert_eq!(world.open("events.events.k8s.io").await.info.id.to_string(), "events");
    assert_eq!(world.state("configmaps"), None);
    assert_eq!(
        world.sim.stats().count(Verb::List, "configmaps")
            + world.sim.stats().count(Verb::Watch, "configmaps"),
        0
    );
}

#[tokio::test(start_paused = true)]
async fn denied_namespaces_never_enter_a_store() {
    let world = World::start(small(), config().with_deny(Deny::new(vec![], vec![Pattern::new("kube-*")])));
    world.ready().await;
    let pods = world.open("pods").await;
    assert!(stored(&pods).keys().all(|name| !name.starts_with("kube-")));
    assert!(world.existing(&pods.info).keys().any(|name| name.starts_with("kube-system/")));
    assert!(!stored(&pods).is_empty());
    let namespaces = world.open("namespaces").await;
    assert!(stored(&namespaces).keys().all(|name| !name.starts_with("/kube-")));
    assert!(!stored(&namespaces).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_failing_group_fails_alone() {
    let world = World::start(SimConfig { metrics_api: MetricsApi::Failing, ..small() }, config());
    world.ready().await;
    assert_eq!(opened(&world, "pods.metrics.k8s.io", None).await, "failed");
    assert_eq!(world.kinds().discovery().failed_groups.len(), 1);
    world.sim.set_metrics_api(MetricsApi::Available);
    world.until(|world| world.kinds().discovery().failed_groups.is_empty()).await;
    assert_eq!(opened(&world, "pods.metrics.k8s.io", None).await, "unwatchable");
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_appears_is_found_and_shows_its_columns() {
    for mode in [WatchMode::Builtin, WatchMode::OnDemand] {
        let world = World::start(small(), config().with_watch(mode));
        world.ready().await;
        sleep(Duration::from_secs(30)).await;
        let size = json!([{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}]);
        world.sim.apply(widgets(&size)).unwrap();
        world.sim.apply(widget("a")).unwrap();
        let handle = world.open("widgets.example.com").await;
        handle.synced(Instant::now() + HOUR).await;
        assert!(world.agrees(&handle));
        assert_eq!(handle.narrow_column("size"), Some(1), "{mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn changed_columns_come_with_a_new_store_and_no_gap() {
    let world = World::start(small(), config());
    world
        .sim
        .apply(widgets(&json!([{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}])))
        .unwrap();
    world.sim.apply(widget("a")).unwrap();
    world.ready().await;
    let old = world.open("widgets.example.com").await;
    old.synced(Instant::now() + HOUR).await;
    world
        .sim
        .apply(widgets(&json!([{"name": "Girth", "type": "integer", "jsonPath": ".spec.size"}])))
        .unwrap();
    let id: GroupResource = "widgets.example.com".parse().unwrap();
    world
        .until(|world| {
            let current = world.kinds().shared.handle(&id).unwrap();
            assert_eq!(current.status().state, SyncState::Synced);
            assert_eq!(current.store.read().len(), 1);
            current.narrow_column("girth").is_some()
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_crd_deleted_while_it_is_watched_is_absent_until_it_returns() {
    let world = World::start(small(), config());
    world.sim.apply(widgets(&json!([]))).unwrap();
    world.sim.apply(widget("a")).unwrap();
    world.ready().await;
    world.open("widgets.example.com").await.synced(Instant::now() + HOUR).await;
    world.sim.delete(&crds(), "", "widgets.example.com").unwrap();
    world.until(|world| world.state("widgets.example.com") == Some(SyncState::Absent)).await;
    assert!(world.open("widgets.example.com").await.store.read().is_empty());
    world
        .until(|world| !world.kinds().discovery().kinds.iter().any(|kind| kind.id.resource == "widgets"))
        .await;
    let returned = Instant::now();
    world.sim.apply(widgets(&json!([]))).unwrap();
    world.sim.apply(widget("b")).unwrap();
    world.until(|world| world.state("widgets.example.com") == Some(SyncState::Synced)).await;
    world.all_agree().await;
    assert!(returned.elapsed() < Duration::from_secs(15), "absent for {:?} too long", returned.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_absent_kind_that_is_back_is_read_at_once_though_nothing_announces_it() {
    let world = World::start(small(), on_demand());
    world.sim.apply(widgets(&json!([]))).unwrap();
    world.sim.apply(widget("a")).unwrap();
    let handle = world.open("widgets.example.com").await;
    assert_eq!(handle.synced(Instant::now() + HOUR).await.state, SyncState::Synced);
    world.sim.delete(&crds(), "", "widgets.example.com").unwrap();
    world.until(|world| world.state("widgets.example.com") == Some(SyncState::Absent)).await;
    sleep(Duration::from_secs(15)).await;
    world.sim.apply(widgets(&json!([]))).unwrap();
    world.sim.apply(widget("b")).unwrap();
    let returned = Instant::now();
    let handle = world.open("widgets.example.com").await;
    assert_eq!(handle.synced(Instant::now() + HOUR).await.state, SyncState::Synced);
    assert!(returned.elapsed() < Duration::from_secs(2), "absent for {:?} too long", returned.elapsed());
    assert!(world.agrees(&handle));
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_discovery_names_in_vain_is_not_asked_for_in_a_loop() {
    let world = World::start(small(), on_demand());
    world.sim.apply(widgets(&json!([]))).unwrap();
    let missing = FaultAction::Status { code: 404, message: "the server could not find it".into() };
    world.sim.faults().add(Fault::new(missing).resource("widgets"));
    let asked = |world: &World| {
        let stats = world.sim.stats();
        stats.count(Verb::List, "widgets.example.com") + stats.count(Verb::Watch, "widgets.example.com")
    };
    let handle = world.open("widgets.example.com").await;
    assert_eq!(handle.synced(Instant::now() + HOUR).await.state, SyncState::Absent);
    let before = asked(&world);
    for _ in 0..600 {
        let handle = world.open("widgets.example.com").await;
        assert_eq!(handle.synced(Instant::now() + HOUR).await.state, SyncState::Absent);
        sleep(Duration::from_millis(100)).await;
    }
    assert!(asked(&world) - before <= 8, "{} times in a minute", asked(&world) - before);
}

#[tokio::test(start_paused = true)]
async fn a_withdrawn_version_is_replaced_by_another() {
    let world = World::start(small(), config());
    let mut crd = widgets(&json!([]));
    let first = crd["spec"]["versions"][0].clone();
    let versions = crd["spec"]["versions"].as_array_mut().unwrap();
    versions.push(first);
    versions[1]["name"] = json!("v2");
    versions[1]["storage"] = json!(false);
    world.sim.apply(crd).unwrap();
    world.sim.apply(widget("a")).unwrap();
    world.ready().await;
    let id: GroupResource = "widgets.example.com".parse().unwrap();
    let first = world.open("widgets.example.com").await;
    assert_eq!(first.info.versions, ["v2", "v1"]);
    first.synced(Instant::now() + HOUR).await;
    world.sim.withdraw_version("example.com", "v2");
    world.until(|world| world.kinds().shared.handle(&id).unwrap().info.version == "v1").await;
    world.ready().await;
    world.all_agree().await;
    let reply = world.kinds().open(&id, Some("v2")).await;
    assert_eq!(name_of(&reply), "absent");
}

#[tokio::test(start_paused = true)]
async fn the_least_recently_used_kind_makes_room() {
    let limits = Limits { on_demand_kinds: 2, ..Limits::default() };
    let world = World::start(small(), on_demand().with_limits(limits));
    for id in ["services", "configmaps", "services", "serviceaccounts"] {
        world.open(id).await.synced(Instant::now() + HOUR).await;
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(world.state("configmaps"), None);
    assert!(world.state("services").is_some() && world.state("serviceaccounts").is_some());
    assert!(world.state("nodes").is_some(), "what is watched from the start stays");
}

#[tokio::test(start_paused = true)]
async fn a_kind_opened_again_repeats_no_revision() {
    let limits = Limits { on_demand_kinds: 1, ..Limits::default() };
    let world = World::start(small(), on_demand().with_limits(limits));
    let mut revisions = Vec::new();
    for id in ["services", "configmaps", "services", "configmaps"] {
        let handle = world.open(id).await;
        handle.synced(Instant::now() + HOUR).await;
        let store = handle.store.read();
        assert!(!store.is_empty());
        revisions.push(store.revision() - store.len() as u64..=store.revision());
    }
    for (at, one) in revisions.iter().enumerate() {
        let apart =
            |other: &std::ops::RangeInclusive<u64>| other.end() < one.start() || one.end() < other.start();
        assert!(revisions[..at].iter().all(apart), "{revisions:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_watched_from_the_start_stays_whoever_asked_first() {
    let limits = Limits { on_demand_kinds: 1, ..Limits::default() };
    let world = World::start(small(), on_demand().with_limits(limits));
    let pods = world.open("pods").await;
    let shared = &world.kinds().shared;
    let blueprint = Blueprint::from_cache(shared, &pods.info).unwrap();
    assert!(Arc::ptr_eq(&shared.start(blueprint, slots::Reason::FromStart), &pods));
    world.open("services").await;
    assert!(world.state("pods").is_some() && world.state("services").is_some());
}

#[tokio::test(start_paused = true)]
async fn an_idle_kind_is_dropped_with_its_store_and_its_watch_ends_at_the_server() {
    let limits = Limits { on_demand_idle: Duration::from_secs(300), ..Limits::default() };
    let world = World::start(small(), on_demand().with_limits(limits));
    world.ready().await;
    let watches = world.sim.stats().open_watches;
    let services = {
        let services = world.open("services").await;
        services.synced(Instant::now() + HOUR).await;
        Arc::downgrade(&services)
    };
    assert_eq!(world.sim.stats().open_watches, watches + 1);
    sleep(Duration::from_secs(250)).await;
    world.open("services").await;
    sleep(Duration::from_secs(250)).await;
    assert!(world.state("services").is_some());
    world.until(|world| world.state("services").is_none()).await;
    world.until(|world| world.sim.stats().open_watches == watches).await;
    world.until(|_| services.strong_count() == 0).await;
}

#[tokio::test(start_paused = true)]
async fn secrets_are_watched_without_their_data() {
    let world = World::start(small(), config().with_secrets(SecretsWatch::metadata()));
    world.ready().await;
    assert_eq!(world.state("secrets"), None, "nobody asked");
    let secrets = world.open("secrets").await;
    secrets.synced(Instant::now() + HOUR).await;
    world
        .sim
        .apply(json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {"name": "fresh", "namespace": "default"},
            "data": {"password": "aHVudGVyMg==", "user": "YWRtaW4="}
        }))
        .unwrap();
    world.until(|world| world.agrees(&secrets)).await;
    let store = secrets.store.read();
    let mut json = Vec::new();
    for row in store.rows() {
        row.object(&mut json);
        let object: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert!(object.get("data").is_none(), "{object}");
        if row.name() == "fresh" {
            assert_eq!((&object["type"], &object["dataCount"]), (&json!("Opaque"), &json!(2)));
            // As kubectl shows them.
            assert_eq!((row.cell(1), row.cell(2)), (CellRef::Text("Opaque"), CellRef::Integer(2)));
        }
    }
    assert!(store.get(Some("default"), "fresh").is_some());
}
