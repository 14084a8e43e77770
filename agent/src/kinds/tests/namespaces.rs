//! An agent with rights in single namespaces: what it watches, and what becomes of it when rights change.

use kubeplex_proto::pattern::Pattern;
use simcluster::{Policy, Rule, Subject, User};

use super::*;
use crate::config::{Deny, WatchedNamespaces};
use crate::watch::Seen;

pub(super) fn agent() -> Subject {
    Subject::User("agent".into())
}

pub(super) fn nobody() -> Policy {
    Policy::enforced().user(TOKEN, User::new("agent", &[]))
}

/// All rights in these namespaces.
pub(super) fn rights_in(namespaces: &[&str]) -> Policy {
    let grant = |policy: Policy, namespace: &&str| {
        policy.grant(agent(), Rule::new("list,watch", "*").in_namespace(namespace))
    };
    namespaces.iter().fold(nobody(), grant)
}

pub(super) fn watching(namespaces: &[&str]) -> AgentConfig {
    config().with_namespaces(WatchedNamespaces::new(namespaces.iter().map(ToString::to_string)).unwrap())
}

pub(super) fn world(policy: Policy, config: AgentConfig) -> World {
    World::start(SimConfig { policy, ..small() }, config)
}

fn namespaces_of(handle: &KindHandle) -> Vec<String> {
    let store = handle.store.read();
    let mut namespaces: Vec<_> = store.rows().map(|row| row.namespace().unwrap_or("").to_owned()).collect();
    namespaces.dedup();
    namespaces
}

pub(super) fn only(namespaces: &[&str]) -> Seen {
    Seen::Only(namespaces.iter().map(ToString::to_string).collect())
}

/// Whether the store has what the cluster has in these namespaces, and nothing else.
fn agrees_in(world: &World, handle: &KindHandle, namespaces: &[&str]) -> bool {
    let mut existing = world.existing(&handle.info);
    existing.retain(|name, _| namespaces.iter().any(|namespace| name.starts_with(&format!("{namespace}/"))));
    stored(handle) == existing
}

#[tokio::test(start_paused = true)]
async fn kinds_are_watched_where_they_may_be_and_the_agent_gets_ready() {
    let world = world(rights_in(&["shop", "payments"]), watching(&["shop", "payments", "search"]));
    world.ready().await;
    let pods = world.open("pods").await;
    assert_eq!(pods.status().state, SyncState::Synced);
    assert_eq!(pods.status().seen, only(&["payments", "shop"]), "search is refused");
    assert_eq!(namespaces_of(&pods), ["payments", "shop"]);
    assert!(agrees_in(&world, &pods, &["payments", "shop"]));
    for cluster_wide in ["nodes", "namespaces", "persistentvolumes"] {
        assert_eq!(world.state(cluster_wide), Some(SyncState::Forbidden), "{cluster_wide}");
    }
    // And what happens there is seen.
    let namespaced = |name: &str, namespace: &str| {
        let mut pod = pod(name);
        pod["metadata"]["namespace"] = namespace.into();
        pod
    };
    world.sim.apply(namespaced("fresh", "shop")).unwrap();
    world.sim.apply(namespaced("hidden", "search")).unwrap();
    world.until(|world| agrees_in(world, &pods, &["payments", "shop"])).await;
    assert!(pods.store.read().get(Some("shop"), "fresh").is_some());
    world.sim.delete(&Gvr::core("pods"), "shop", "fresh").unwrap();
    world.until(|_| pods.store.read().get(Some("shop"), "fresh").is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_refused_everywhere_is_forbidden() {
    let policy = nobody().grant(agent(), Rule::new("list,watch", "services").in_namespace("shop"));
    let world = world(policy, watching(&["shop", "payments"]));
    world.ready().await;
    let pods = world.open("pods").await;
    let status = pods.status();
    assert_eq!((status.state, status.seen), (SyncState::Forbidden, only(&[])));
    assert!(status.message.unwrap().contains("in the namespace"));
    assert_eq!(world.state("services"), Some(SyncState::Synced));
}

#[tokio::test(start_paused = true)]
async fn without_configured_namespaces_a_refusal_is_final() {
    let world = world(rights_in(&["shop"]), config());
    world.ready().await;
    assert_eq!(world.state("pods"), Some(SyncState::Forbidden));
}

#[tokio::test(start_paused = true)]
async fn who_may_watch_the_whole_cluster_does() {
    let policy = nobody().grant(agent(), Rule::new("list,watch", "*"));
    let world = world(policy, watching(&["shop"]));
    world.ready().await;
    let pods = world.open("pods").await;
    assert_eq!(pods.status().seen, Seen::All);
    assert!(world.agrees(&pods));
}

#[tokio::test(start_paused = true)]
async fn rights_that_come_are_taken_and_rights_that_go_take_the_rows_along() {
    let world = world(rights_in(&["shop"]), watching(&["shop", "payments"]));
    world.ready().await;
    let pods = world.open("pods").await;
    assert_eq!(namespaces_of(&pods), ["shop"]);

    let services = world.open("services").await;
    let revision = services.store.read().revision();
    world.sim.set_policy(rights_in(&["shop", "payments"]));
    world.until(|_| pods.status().seen == only(&["payments", "shop"])).await;
    world.until(|_| services.status().seen == only(&["payments", "shop"])).await;
    assert!(
        services.store.read().revision() > revision,
        "or an answer that is kept by it would deny what is seen"
    );
    world.until(|world| agrees_in(world, &pods, &["payments", "shop"])).await;

    world.sim.set_policy(rights_in(&["payments"]));
    world.until(|_| pods.status().seen == only(&["payments"])).await;
    assert_eq!(
        namespaces_of(&pods),
        ["payments"],
        "or rows that the agent may not see any more would be shown"
    );
    assert!(agrees_in(&world, &pods, &["payments"]));
    assert_eq!(pods.status().state, SyncState::Synced);

    world.sim.set_policy(nobody());
    world.until(|_| pods.status().state == SyncState::Forbidden).await;
    assert!(pods.store.read().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_whole_cluster_comes_and_goes() {
    let everywhere = || nobody().grant(agent(), Rule::new("list,watch", "*"));
    let world = world(rights_in(&["shop"]), watching(&["shop"]));
    world.ready().await;
    let narrow = world.open("pods").await;
    assert_eq!(narrow.status().seen, only(&["shop"]));

    // To list everything is not enough.
    world.sim.set_policy(rights_in(&["shop"]).grant(agent(), Rule::new("list", "pods")));
    sleep(Duration::from_secs(300)).await;
    assert!(Arc::ptr_eq(&world.open("pods").await, &narrow));

    world.sim.set_policy(everywhere());
    let id = "pods".parse().unwrap();
    let current = |world: &World| world.kinds().shared.handle(&id).unwrap();
    world.until(|world| current(world).status().seen == Seen::All).await;
    world.until(|world| world.agrees(&current(world))).await;
    assert!(agrees_in(&world, &narrow, &["shop"]), "what was seen before stayed until then");

    world.sim.set_policy(rights_in(&["shop"]));
    world.until(|world| current(world).status().seen == only(&["shop"])).await;
    assert!(agrees_in(&world, &current(&world), &["shop"]) || current(&world).store.read().is_empty());
    world.until(|world| current(world).status().state == SyncState::Synced).await;
    assert!(agrees_in(&world, &current(&world), &["shop"]));
}

#[tokio::test(start_paused = true)]
async fn a_right_without_the_other_is_none_to_readers() {
    let list_only = world(nobody().grant(agent(), Rule::new("list", "*")), config());
    list_only.until(|world| world.state("pods") == Some(SyncState::Forbidden)).await;
    let pods = list_only.open("pods").await;
    let watch = pods.status().message.unwrap();
    assert!(watch.contains("cannot watch"), "{watch}");
    for _ in 0..300 {
        sleep(Duration::from_secs(1)).await;
        assert_eq!(pods.status().state, SyncState::Forbidden, "however often it is tried again");
    }
    list_only.sim.set_policy(nobody().grant(agent(), Rule::new("list,watch", "*")));
    list_only.until(|world| world.state("pods") == Some(SyncState::Synced) && world.agrees(&pods)).await;

    let watch_only = nobody().grant(agent(), Rule::new("watch", "*"));
    let streamed = world(watch_only.clone(), config());
    streamed.ready().await;
    let pods = streamed.open("pods").await;
    assert!(pods.status().state == SyncState::Synced && streamed.agrees(&pods), "a streamed list is a watch");
    let old = SimConfig { watch_list: simcluster::WatchList::Unsupported, policy: watch_only, ..small() };
    let old = World::start(old, config());
    old.ready().await;
    assert_eq!(old.state("pods"), Some(SyncState::Forbidden));
}

#[tokio::test(start_paused = true)]
async fn what_is_denied_is_not_watched_by_the_way() {
    let deny = Deny::new(vec![], vec![Pattern::new("payments")]);
    let world = world(rights_in(&["shop", "payments"]), watching(&["shop", "payments"]).with_deny(deny));
    world.ready().await;
    let pods = world.open("pods").await;
    assert_eq!((pods.status().seen, namespaces_of(&pods)), (only(&["shop"]), vec!["shop".to_owned()]));
}
