//! Five hundred scripted changes against what is told of them: each of them, with its fields, and nothing else; and where the
//! watches were cut off, what came of it, with the gap declared.

use std::collections::BTreeMap;

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::server::text;
use kubeplex_tests::wait;
use serde_json::{Value, json};
use simcluster::{Fault, FaultAction, Gvr, SimCluster, SimConfig, Verb};

use super::{line, told};

const CHANGES: usize = 500;
const CLUSTER: &str = "eu-1";
const NAMESPACE: &str = "scripted";

/// Draws numbers that look drawn, the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

/// What is there, and what was done to it, the latest last.
struct Script {
    sim: SimCluster,
    dice: Dice,
    /// By name; how often each has changed since it was made.
    alive: BTreeMap<String, (Value, usize)>,
    made: usize,
    done: Vec<String>,
}

impl Script {
    fn new(sim: SimCluster) -> Self {
        sim.apply(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}))
            .expect("a write");
        Self { sim, dice: Dice(7), alive: BTreeMap::new(), made: 0, done: Vec::new() }
    }

    /// Another change, and what should be told of it.
    fn step(&mut self) {
        let alive = self.alive.len();
        match self.dice.below(10) {
            0..4 => self.make(),
            _ if alive == 0 => self.make(),
            4..6 => self.delete(),
            _ => self.change(),
        }
    }

    fn make(&mut self) {
        self.made += 1;
        let name = format!("o{:04}", self.made);
        let metadata = json!({"name": name, "namespace": NAMESPACE, "labels": {"step": "0"}});
        let object = match self.dice.below(3) {
            0 => json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"k": "v"}}),
            1 => json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata,
                "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": 80}]}}),
            _ => {
                json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata, "spec": {"replicas": 1,
                "template": {"spec": {"containers": [{"name": "app", "image": "app:1"}]}}}})
            }
        };
        self.sim.apply(object.clone()).expect("a write");
        self.done.push(format!("{}/{name}: created", text(&object["kind"])));
        self.alive.insert(name, (object, 0));
    }

    fn any(&mut self) -> String {
        let at = self.dice.below(self.alive.len());
        self.alive.keys().nth(at).expect("it is there").clone()
    }

    fn delete(&mut self) {
        let name = self.any();
        let (object, _) = self.alive.remove(&name).expect("it is there");
        self.sim.delete(&gvr(&object), NAMESPACE, &name).expect("it is there");
        self.done.push(format!("{}/{name}: deleted", text(&object["kind"])));
    }

    /// Never the same fields of an object more than three times: from there on they are one row.
    fn change(&mut self) {
        let name = self.any();
        let (object, changes) = self.alive.get_mut(&name).expect("it is there");
        if *changes >= 3 {
            return self.make();
        }
        let kind = text(&object["kind"]);
        let told = match (kind.as_str(), self.dice.below(2)) {
            ("StatefulSet", 0) => {
                let old = object["spec"]["replicas"].as_u64().expect("it is there");
                object["spec"]["replicas"] = json!(old + 1);
                format!("replicas: {old} → {}", old + 1)
            }
            ("StatefulSet", _) => {
                let image = format!("app:{}", *changes + 2);
                let old = std::mem::replace(
                    &mut object["spec"]["template"]["spec"]["containers"][0]["image"],
                    json!(image),
                );
                format!("containers[app].image: {} → {}", text(&old), *changes + 2)
            }
            ("Service", 0) => {
                let old = std::mem::replace(&mut object["spec"]["ports"][0]["port"], json!(81 + *changes));
                format!("ports[http].port: {old} → {}", 81 + *changes)
            }
            _ => {
                let old = std::mem::replace(
                    &mut object["metadata"]["labels"]["step"],
                    json!(format!("{}", *changes + 1)),
                );
                format!("metadata.labels.step: {} → {}", text(&old), *changes + 1)
            }
        };
        *changes += 1;
        let object = object.clone();
        self.sim.apply(object).expect("a write");
        self.done.push(format!("{kind}/{name}: {told}"));
    }
}

fn gvr(object: &Value) -> Gvr {
    match text(&object["kind"]).as_str() {
        "ConfigMap" => Gvr::core("configmaps"),
        "Service" => Gvr::core("services"),
        _ => Gvr::new("apps", "v1", "statefulsets"),
    }
}

/// What is told, the earliest first, once so much is.
async fn until_told(fleet: &TestFleet, count: usize) -> (Vec<String>, Value) {
    wait::until(&format!("{count} changes to be told"), async || {
        let (rows, answer) = told(fleet, json!({"cluster": CLUSTER, "namespace": NAMESPACE})).await;
        let lines: Vec<String> =
            rows.iter().rev().map(line).filter(|line| !line.starts_with("Namespace/")).collect();
        if lines.len() >= count { Ok((lines, answer)) } else { Err(lines.len()) }
    })
    .await
}

async fn fleet() -> TestFleet {
    let config = SimConfig { pods: 20, nodes: 2, ..SimConfig::named(CLUSTER, 7) };
    TestFleet::simulated(vec![config]).await.ready().await
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_changes_are_told_each_once_and_none_is_invented() {
    let fleet = fleet().await;
    let mut script = Script::new(fleet.sims[CLUSTER].clone());
    while script.done.len() < CHANGES {
        script.step();
    }
    let (lines, _) = until_told(&fleet, CHANGES).await;
    let sorted = |lines: &[String]| {
        let mut lines = lines.to_vec();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&lines), sorted(&script.done));
    // Kinds have watches of their own, so the order over kinds is that of their arrival; in each it is that of the script.
    for kind in ["ConfigMap/", "Service/", "StatefulSet/"] {
        let of = |lines: &[String]| {
            lines.iter().filter(|line| line.starts_with(kind)).cloned().collect::<Vec<_>>()
        };
        assert_eq!(of(&lines), of(&script.done));
    }
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_while_a_watch_was_cut_off_is_told_by_its_outcome_with_the_gap() {
    let fleet = fleet().await;
    let sim = fleet.sims[CLUSTER].clone();
    sim.apply(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}))
        .expect("a write");
    let config_map = |name: &str, value: usize| {
        json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"step": value.to_string()}}})
    };
    for name in ["changed", "deleted", "kept"] {
        sim.apply(config_map(name, 0)).expect("a write");
    }
    until_told(&fleet, 3).await;
    let unreachable = FaultAction::Status { code: 503, message: "down".to_owned() };
    for verb in [Verb::Watch, Verb::List] {
        sim.faults().add(Fault::new(unreachable.clone()).verb(verb).resource("configmaps"));
    }
    sim.end_watches_of(&Gvr::core("configmaps"));
    for value in 1..=5 {
        sim.apply(config_map("changed", value)).expect("a write");
    }
    sim.delete(&Gvr::core("configmaps"), NAMESPACE, "deleted").expect("it is there");
    sim.apply(config_map("made", 0)).expect("a write");
    sim.compact();
    sim.faults().clear();
    let (lines, answer) = until_told(&fleet, 6).await;
    let mut news = lines[3..].to_vec();
    news.sort();
    assert_eq!(
        news,
        [
            "ConfigMap/changed: metadata.labels.step: 0 → 5",
            "ConfigMap/deleted: deleted",
            "ConfigMap/made: created"
        ],
        "{answer}"
    );
    let gap = answer["gaps"].as_array().and_then(|gaps| {
        gaps.iter().find(|gap| text(&gap["reason"]).contains("a list told what came of it"))
    });
    let gap = gap.unwrap_or_else(|| panic!("no gap in {answer}"));
    assert_eq!(gap["kinds"], "configmaps");
    assert!(gap["from"].is_string() && gap["to"].is_string(), "{gap}");
    let (rows, _) = told(&fleet, json!({"cluster": CLUSTER, "namespace": NAMESPACE})).await;
    let changed = rows.iter().find(|row| line(row).ends_with("0 → 5")).expect("the outcome");
    assert!(text(changed.cell("note")).starts_with("after "), "{changed:?}");
    fleet.stop().await;
}
