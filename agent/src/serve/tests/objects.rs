//! Whole objects, and the values of ConfigMaps.

use kubeplex_proto::status::{AgentErrorCode, LegStatus, Source};
use serde_json::{Value, json};
use simcluster::{Fault, FaultAction, Gvr, Verb};

use super::*;
use crate::limits::Limits;

fn config_map(name: &str, data: Value) -> Value {
    let metadata = json!({"name": name, "namespace": "default"});
    let mut map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata});
    map["data"] = data;
    map
}

#[tokio::test(start_paused = true)]
async fn an_object_is_whole_and_counted() {
    let world = World::start();
    let name = world.sim.objects(&Gvr::core("nodes"))[0]["metadata"]["name"].as_str().unwrap().to_owned();
    let answer = world.get(&get_of("nodes", "", &name)).await.unwrap();
    assert_eq!((answer.head.status, answer.head.total, answer.objects.len()), (LegStatus::Ok, 1, 1));
    assert_eq!(answer.head.api_version, "v1");
    assert_eq!((answer.objects[0].namespace.as_deref(), &answer.objects[0].name), (None, &name));
    let object = &answer.objects[0].object;
    assert_eq!(object["kind"], "Node");
    assert!(object["status"]["nodeInfo"].is_object() && object["metadata"].get("managedFields").is_none());
    assert_eq!(answer.end, GetEnd { cut: None });
}

#[tokio::test(start_paused = true)]
async fn only_the_fields_asked_for_are_sent() {
    let world = World::start();
    let fields = vec!["status.phase".to_owned()];
    let answer = world.get(&GetRequest { fields, limit: 1, ..get_of("pods", "", "") }).await.unwrap();
    let object = answer.objects[0].object.as_object().unwrap();
    assert!(object["status"]["phase"].is_string() && !object.contains_key("spec"), "{object:?}");
    assert_eq!(object["metadata"]["name"], answer.objects[0].name);
    assert!(answer.head.total > 1, "the head counts what is not sent");
}

#[tokio::test(start_paused = true)]
async fn nothing_found_is_said_by_ok() {
    let world = World::start();
    let answer = world.get(&get_of("pods", "nowhere", "")).await.unwrap();
    assert_eq!((answer.head.status, answer.head.total), (LegStatus::Ok, 0));
    let absent = world.get(&get_of("unicorns.example.com", "", "")).await.unwrap();
    assert_eq!(absent.head.status, LegStatus::Absent);
}

#[tokio::test(start_paused = true)]
async fn values_that_the_budget_holds_back_are_cut_at_the_deadline() {
    let limits = Limits { calls_per_second: 4, ..Limits::default() };
    let world = World::of(small(), config().with_limits(limits));
    for at in 0..60 {
        world.sim.apply(config_map(&format!("m{at}"), json!({"a": "b"}))).unwrap();
    }
    world.get(&get_of("configmaps", "default", "m1")).await.unwrap();
    let began = tokio::time::Instant::now();
    let answer = world.get(&get_of("configmaps", "default", "")).await.unwrap();
    assert!(began.elapsed() <= Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(answer.end.cut.unwrap().status, LegStatus::Timeout);
    assert!((10..60).contains(&answer.objects.len()), "{}", answer.objects.len());
}

#[tokio::test(start_paused = true)]
async fn config_maps_come_with_their_values_read_live_and_redacted() {
    let world = World::start();
    world.sim.apply(config_map("m", json!({"colour": "blue", "password": "hunter2"}))).unwrap();
    let answer = world.get(&get_of("configmaps", "default", "m")).await.unwrap();
    assert_eq!((answer.head.source, answer.head.total), (Source::Live, 1));
    let data = &answer.objects[0].object["data"];
    assert_eq!(data["colour"], "blue");
    assert!(data["password"].is_string() && !data.to_string().contains("hunter2"), "{data}");
    assert!(answer.objects[0].object["metadata"].get("managedFields").is_none());
    assert_eq!(world.sim.stats().count(Verb::Get, "configmaps"), 1);

    let fields = vec!["data.colour".to_owned()];
    let part = world.get(&GetRequest { fields, ..get_of("configmaps", "default", "m") }).await.unwrap();
    assert_eq!(part.objects[0].object["data"], json!({"colour": "blue"}));
}

#[tokio::test(start_paused = true)]
async fn a_config_map_that_vanished_is_left_out_and_one_that_cannot_be_read_is_said() {
    let world = World::start();
    for name in ["a", "b", "c"] {
        world.sim.apply(config_map(name, json!({"k": name}))).unwrap();
    }
    let request = GetRequest {
        names: ["a", "b", "c"].map(Pattern::new).to_vec(),
        ..get_of("configmaps", "default", "")
    };
    let gone = |code| {
        Fault::new(FaultAction::Status { code, message: "x".into() }).verb(Verb::Get).path("configmaps/b")
    };
    let vanished = world.sim.faults().add(gone(404));
    let answer = world.get(&request).await.unwrap();
    let names: Vec<_> = answer.objects.iter().map(|object| object.name.as_str()).collect();
    assert_eq!((names, answer.head.total, answer.end.cut), (vec!["a", "c"], 2, None));

    world.sim.faults().remove(vanished);
    world.sim.faults().add(gone(500));
    let answer = world.get(&request).await.unwrap();
    let cut = answer.end.cut.unwrap();
    assert_eq!((answer.objects.len(), cut.status), (1, LegStatus::Error));
    assert!(cut.message.contains("default/b"), "{}", cut.message);
}

#[tokio::test(start_paused = true)]
async fn the_values_of_config_maps_are_counted_against_the_budget() {
    let world = World::start();
    for name in ["a", "b"] {
        world.sim.apply(config_map(name, json!({"k": "x".repeat(4_000)}))).unwrap();
    }
    let mut request =
        GetRequest { names: ["a", "b"].map(Pattern::new).to_vec(), ..get_of("configmaps", "default", "") };
    request.context.max_bytes = 6_000;
    let answer = world.get(&request).await.unwrap();
    assert_eq!((answer.objects.len(), answer.head.total), (1, 2));
    assert_eq!(answer.end.cut.unwrap().status, LegStatus::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_field_that_is_no_path_is_an_argument_error() {
    let world = World::start();
    for kind in ["pods", "configmaps"] {
        let fields = vec!["spec.containers[".to_owned()];
        let error = world.get(&GetRequest { fields, ..get_of(kind, "", "") }).await.err().unwrap();
        assert_eq!(error.code, AgentErrorCode::InvalidArgument);
        assert!(error.message.contains("at character"), "{error}");
    }
}
