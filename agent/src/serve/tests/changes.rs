//! What changed: told as it happened, as far back as objects tell, and only to who may see it.

use std::collections::BTreeMap;

use kubeplex_proto::changes::{Change, ChangesItem, ChangesRequest, Deed, Gap, GapReason};
use kubeplex_proto::events::Moment;
use kubeplex_proto::gather::{GatherFrame, GatherHead};
use kubeplex_proto::visibility::{Reach, VisibilityRule};
use serde_json::json;

use super::*;
use crate::config::{HistoryConfig, HistoryDisk};

fn changes() -> ChangesRequest {
    ChangesRequest {
        context: context(),
        since: Moment::Ago(3_600_000),
        until: None,
        kind: None,
        namespaces: vec![],
        names: vec![],
        limit: 5_000,
    }
}

struct Told {
    head: GatherHead,
    changes: Vec<Change>,
    gaps: Vec<Gap>,
}

async fn told(world: &World, request: &ChangesRequest) -> Told {
    let (mut head, mut changes, mut gaps) = (None, Vec::new(), Vec::new());
    for frame in world.ask::<GatherFrame<ChangesItem>>(paths::CHANGES, request).await.unwrap() {
        match frame {
            GatherFrame::Head(first) => head = Some(*first),
            GatherFrame::Items(items) => {
                for item in items {
                    match item {
                        ChangesItem::Change(change) => changes.push(*change),
                        ChangesItem::Gap(gap) => gaps.push(gap),
                    }
                }
            }
            GatherFrame::End(end) => assert!(end.cut.is_none(), "{end:?}"),
        }
    }
    Told { head: head.unwrap(), changes, gaps }
}

/// An agent that watches all built-in kinds, and has read them.
async fn watching() -> World {
    let world = World::of(small(), config().with_watch(WatchMode::Builtin));
    world.until(|world| world.agent.kinds().cluster().ready).await;
    world
}

fn of_now(told: &Told) -> Vec<String> {
    let line = |change: &Change| {
        let fields: Vec<_> = change
            .fields
            .iter()
            .map(|field| format!(" {} {}>{}", field.path, field.old, field.new))
            .collect();
        format!("{:?} {}/{}{}", change.deed, change.kind_name, change.name, fields.concat())
    };
    told.changes.iter().filter(|change| !change.inferred).map(line).collect()
}

async fn until_told(world: &World, request: &ChangesRequest, wanted: impl Fn(&Told) -> bool) -> Told {
    let waiting = async {
        loop {
            let told = told(world, request).await;
            if wanted(&told) {
                return told;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(HOUR, waiting).await.unwrap()
}

fn config_map(name: &str, value: &str) -> serde_json::Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}, "data": {"a": value}})
}

#[tokio::test(start_paused = true)]
async fn what_happens_is_told_with_old_and_new_and_the_newest_first() {
    let world = watching().await;
    let path = "/api/v1/namespaces/default/configmaps";
    let write = async |method: http::Method, path: &str, body: serde_json::Value| {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let client = kube::Client::new(world.sim.service(), "default");
        client.request::<serde_json::Value>(request.body(body).unwrap()).await.unwrap()
    };
    write(http::Method::POST, path, config_map("flags", "hunter2")).await;
    let made = write(http::Method::GET, &format!("{path}/flags"), serde_json::Value::Null).await;
    let mut changed = made.clone();
    changed["data"] = json!({"a": "hunter33", "b": "x"});
    changed["metadata"]["labels"] = json!({"team": "shop"});
    sleep(Duration::from_secs(1)).await;
    write(http::Method::PUT, &format!("{path}/flags"), changed).await;
    sleep(Duration::from_secs(1)).await;
    write(http::Method::DELETE, &format!("{path}/flags"), serde_json::Value::Null).await;
    let request = ChangesRequest { kind: Some("configmaps".parse().unwrap()), ..changes() };
    let told = until_told(&world, &request, |told| of_now(told).len() >= 3).await;
    let lines = of_now(&told);
    assert_eq!(lines[0], "Deleted ConfigMap/flags");
    assert!(lines[1].starts_with("Changed ConfigMap/flags data.a \"7 bytes ("), "{lines:?}");
    assert!(
        lines[1].contains(" data.b null>\"1 bytes (")
            && lines[1].ends_with("metadata.labels.team null>\"shop\""),
        "{lines:?}"
    );
    assert_eq!(lines[2], "Created ConfigMap/flags");
    assert!(!format!("{:?}", told.changes).contains("hunter"), "values of config maps are nowhere");
    assert_eq!(told.head.total, told.changes.len() as u64);
    assert!(told.changes.windows(2).all(|pair| pair[0].at_ms >= pair[1].at_ms));
    let all = |told: &Told| of_now(told).len() >= 3;

    let newest_ms = told.changes.iter().filter(|change| !change.inferred).map(|change| change.at_ms).max();
    let lately = ChangesRequest { since: Moment::At(newest_ms.unwrap()), ..request.clone() };
    let lately = of_now(&until_told(&world, &lately, |_| true).await);
    assert_eq!(lately, lines[..1], "the others were before");
    // That another kind is looked at from now on takes nothing back.
    let custom = ChangesRequest { kind: Some("certificates.cert-manager.io".parse().unwrap()), ..changes() };
    until_told(&world, &custom, |_| true).await;
    assert!(all(&until_told(&world, &request, |_| true).await), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn before_it_was_recorded_objects_tell_and_the_gap_is_declared() {
    let world = watching().await;
    let ever = ChangesRequest { since: Moment::At(0), ..changes() };
    let told = told(&world, &ever).await;
    assert!(told.changes.iter().all(|change| change.inferred), "nothing happened");
    assert!(told.changes.iter().any(|change| change.deed == Deed::Created));
    let [gap] = told.gaps.as_slice() else { panic!("{:?}", told.gaps) };
    assert_eq!((gap.from_ms, gap.kind.clone(), gap.reason), (None, None, GapReason::NotRecorded));
    assert!(told.changes.iter().all(|change| change.at_ms <= gap.to_ms));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_told_of_what_they_may_not_see() {
    let world = watching().await;
    let mut ever = ChangesRequest { since: Moment::At(0), ..changes() };
    let count = |told: &Told| {
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        told.changes.iter().for_each(|change| *kinds.entry(change.kind.to_string()).or_default() += 1);
        kinds
    };
    let all = count(&told(&world, &ever).await);
    assert!(all.len() > 3, "{all:?}");
    let services = Reach::Only(vec![Pattern::new("services")]);
    ever.context.visibility = Visibility::of(vec![VisibilityRule::of(services, Reach::All)]);
    let seen = told(&world, &ever).await;
    assert_eq!(count(&seen).keys().collect::<Vec<_>>(), ["services"]);
    assert_eq!(seen.head.total, seen.changes.len() as u64);
    ever.context.visibility = Visibility::nothing();
    let nothing = told(&world, &ever).await;
    assert_eq!((nothing.head.total, nothing.changes.len()), (0, 0));
}

/// A directory of its own, gone with the test.
struct Folder(std::path::PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn label(world: &World, value: &str) {
    let name = json!({"name": "flags", "namespace": "default", "labels": {"step": value}});
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": name});
    world.sim.apply(object).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_restart_is_a_gap_and_what_was_before_it_is_still_told() {
    let folder = Folder(std::env::temp_dir().join(format!("kubeplex-changes-{}", uuid::Uuid::new_v4())));
    let disk = Some(HistoryDisk::in_directory(&folder.0));
    let config = || {
        config()
            .with_watch(WatchMode::Builtin)
            .with_history(HistoryConfig { bytes: 1 << 20, disk: disk.clone() })
    };
    let world = World::of(small(), config());
    world.until(|world| world.agent.kinds().cluster().ready).await;
    label(&world, "1").await;
    let request = ChangesRequest { kind: Some("configmaps".parse().unwrap()), ..changes() };
    until_told(&world, &request, |told| of_now(told).len() == 1).await;
    label(&world, "2").await;
    until_told(&world, &request, |told| of_now(told).len() == 2).await;
    // Long enough that it is known when this agent began to see, and that all is written.
    sleep(Duration::from_secs(70)).await;
    let sim = world.sim.clone();
    let client = kube::Client::new(sim.service(), "default");
    drop(world);

    let (cancel, tracker) = (CancellationToken::new(), TaskTracker::new());
    let agent = loop {
        let agent = Agent::start(config(), client.clone(), tracker.clone(), cancel.clone());
        // The directory is free once the agent before has written the last of it.
        let opened = timeout(Duration::from_secs(5), async {
            while !agent.history().has_disk() {
                sleep(Duration::from_millis(50)).await;
            }
        });
        if opened.await.is_ok() {
            break agent;
        }
    };
    let world = World { router: agent.router(), sim, agent, cancel, asked: Arc::default() };
    world.until(|world| world.agent.kinds().cluster().ready).await;
    label(&world, "3").await;
    let told = until_told(&world, &request, |told| of_now(told).len() == 3).await;
    let lines = of_now(&told);
    assert!(lines[0].ends_with("metadata.labels.step \"2\">\"3\""), "{lines:?}");
    assert!(lines[1].ends_with("metadata.labels.step \"1\">\"2\""), "{lines:?}");
    assert_eq!(lines[2], "Created ConfigMap/flags");
    let restart = told.gaps.iter().find(|gap| gap.reason == GapReason::Restart);
    let restart = restart.unwrap_or_else(|| panic!("{:?}", told.gaps));
    assert!(told.changes[1].at_ms <= restart.from_ms.unwrap() && restart.to_ms <= told.changes[0].at_ms);
}
