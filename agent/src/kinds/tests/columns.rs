//! Kinds whose columns only the server knows.

use std::time::Duration;

use serde_json::json;
use simcluster::{Fault, FaultAction, Policy, Rule, Subject, User, Verb};

use super::*;
use crate::cache::CellRef;

const WIDGETS: &str = "widgets.example.com";

/// An aggregated API's kinds have no CRD at all; one that may not be read looks the same.
fn without_crds() -> World {
    let rule = Rule::new("*", "nodes,namespaces,widgets");
    let policy =
        Policy::enforced().user(TOKEN, User::new("agent", &[])).grant(Subject::User("agent".into()), rule);
    World::start(SimConfig { policy, ..small() }, on_demand())
}

fn column(name: &str) -> serde_json::Value {
    json!([{"name": name, "type": "integer", "jsonPath": ".spec.size"}])
}

fn status(code: u16) -> Fault {
    Fault::new(FaultAction::Status { code, message: "not now".into() }).verb(Verb::List).resource("widgets")
}

/// What readers have, which always is one whole store.
fn current(world: &World) -> Arc<KindHandle> {
    let handle = world.kinds().shared.handle(&WIDGETS.parse().unwrap()).unwrap();
    assert_eq!((handle.status().state, handle.store.read().len()), (SyncState::Synced, 1));
    handle
}

#[tokio::test(start_paused = true)]
async fn a_kind_whose_columns_only_the_server_knows_shows_those_of_its_table() {
    let world = without_crds();
    let columns = json!([
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
        {"name": "Door", "type": "string", "jsonPath": ".spec.password"},
        {"name": "Seen", "type": "date", "jsonPath": ".status.seen"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]);
    world.sim.apply(widgets(&columns)).unwrap();
    let widget = |name: &str| {
        let mut widget = widget(name);
        widget["spec"]["password"] = "hunter2".into();
        widget
    };
    world.sim.apply(widget("a")).unwrap();
    let handle = world.open("widgets.example.com").await;
    handle.synced(Instant::now() + HOUR).await;
    let size = handle.narrow_column("size").expect("the Table has it");
    // The Table says how long ago that was, which is true only while it is fresh.
    assert_eq!(handle.narrow_column("seen"), None);
    let shows = |name: &str| {
        let store = handle.store.read();
        store.get(Some("default"), name).map(|row| matches!(row.cell(size), CellRef::Integer(_)))
    };
    assert_eq!(shows("a"), Some(true));
    // What follows comes through the watch, whose Tables do not name their columns again.
    world.sim.apply(widget("b")).unwrap();
    world.until(|_| shows("b").is_some()).await;
    assert_eq!(shows("b"), Some(true));
    assert!(world.agrees(&handle));
    let door = handle.narrow_column("door").expect("the Table has it");
    for name in ["a", "b"] {
        let store = handle.store.read();
        let row = store.get(Some("default"), name).unwrap();
        assert!(matches!(row.cell(door), CellRef::Text("[redacted]")), "{:?}", row.cell(door));
    }
    let mut json = Vec::new();
    assert!(
        handle.store.read().get(Some("default"), "b").unwrap().object(&mut json),
        "the object is there, too"
    );
    let object: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(object["kind"], "Widget");
    world.sim.delete(&Gvr::new("example.com", "v1", "widgets"), "default", "a").unwrap();
    world.until(|_| shows("a").is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn columns_that_the_server_fails_to_tell_are_asked_for_again() {
    let world = without_crds();
    world.sim.apply(widgets(&column("Size"))).unwrap();
    world.sim.apply(widget("a")).unwrap();
    world.sim.faults().add(status(503).times(2));
    let handle = world.open(WIDGETS).await;
    handle.synced(Instant::now() + HOUR).await;
    assert_eq!(handle.narrow_column("size"), None);
    world.until(|world| current(world).narrow_column("size").is_some()).await;
    assert!(world.kinds().shared.unsettled().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_server_without_tables_is_not_asked_for_them_again() {
    let world = without_crds();
    world.sim.apply(widgets(&column("Size"))).unwrap();
    world.sim.apply(widget("a")).unwrap();
    world.sim.faults().add(status(406).times(1));
    world.open(WIDGETS).await.synced(Instant::now() + HOUR).await;
    assert!(world.kinds().shared.unsettled().is_empty());
    sleep(Duration::from_secs(300)).await;
    assert_eq!(current(&world).narrow_column("size"), None, "it would tell now");
}

#[tokio::test(start_paused = true)]
async fn another_version_comes_with_columns_of_its_own() {
    let world = without_crds();
    let mut crd = widgets(&column("Girth"));
    let mut second = crd["spec"]["versions"][0].clone();
    second["name"] = json!("v2");
    second["storage"] = json!(false);
    second["additionalPrinterColumns"] = column("Size");
    crd["spec"]["versions"].as_array_mut().unwrap().push(second);
    world.sim.apply(crd).unwrap();
    world.sim.apply(widget("a")).unwrap();
    world.open(WIDGETS).await.synced(Instant::now() + HOUR).await;
    let before = current(&world);
    assert!(before.info.version == "v2" && before.narrow_column("size").is_some());
    world.sim.withdraw_version("example.com", "v2");
    let handle = || world.kinds().shared.handle(&WIDGETS.parse().unwrap()).unwrap();
    world.until(|_| handle().info.version == "v1" && handle().status().state == SyncState::Synced).await;
    assert!(handle().narrow_column("girth").is_some() && handle().narrow_column("size").is_none());
}
