//! One timeline of what a hundred clusters went through in ten minutes.

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::wait;
use serde_json::{Value, json};
use simcluster::Gvr;

use crate::asked::Asked;
use crate::fleet;

const CLUSTERS: usize = 100;
const PODS: usize = 50;
const CALLS: usize = 50;

/// Ten minutes of fifty changes a second in all, written as fast as the machine can: what is asked is all of them.
const CHANGES: usize = 10 * 60 * 50;

const LIMIT: &str = "a hundred agents fold what they recorded, on the cores of this machine, and the gateway puts that together in one order";

pub(crate) async fn run() -> anyhow::Result<()> {
    let fleet = fleet::asked_anew(CLUSTERS, PODS).await;
    change(&fleet)?;
    recorded(&fleet).await;
    let questions = [
        ("first page", json!({"since": "10m"})),
        ("of one deployment", json!({"since": "10m", "namespace": "shop", "name": "deployment/cart"})),
        ("counted by cluster", json!({"since": "10m", "groupBy": "cluster"})),
    ];
    for (name, arguments) in questions {
        let title =
            format!("changes_list, {CHANGES} changes in ten minutes over {CLUSTERS} clusters, {name}");
        let asked =
            Asked { tool: "changes_list", arguments, calls: CALLS, title, goal: "≤ 300", limit: LIMIT };
        asked.measure(&fleet).await?;
    }
    fleet.stop().await;
    Ok(())
}

/// Deployments get another image, pods another label, config maps other values: in one cluster after the other.
fn change(fleet: &TestFleet) -> anyhow::Result<()> {
    let kinds = [Gvr::new("apps", "v1", "deployments"), Gvr::core("pods"), Gvr::core("configmaps")];
    let mut clusters: Vec<(_, Vec<Value>)> = fleet
        .sims
        .values()
        .map(|sim| (sim, kinds.iter().flat_map(|kind| sim.objects(kind)).collect()))
        .collect();
    let count = clusters.len();
    for written in 0..CHANGES {
        let (sim, objects) = &mut clusters[written % count];
        let at = written / count % objects.len();
        let object = &mut objects[at];
        match object["kind"].as_str() {
            Some("Deployment") => {
                let image = format!("registry.example.com/shop/cart:1.42.{written}");
                object["spec"]["template"]["spec"]["containers"][0]["image"] = image.into();
            }
            Some("ConfigMap") => object["data"] = json!({"step": written.to_string()}),
            _ => object["metadata"]["labels"]["step"] = format!("step-{written}").into(),
        }
        sim.apply(object.clone())?;
    }
    Ok(())
}

/// Waits until the agents have heard of the last changes: until then there are more with each look.
async fn recorded(fleet: &TestFleet) {
    let question = json!({"since": "10m", "limit": 1});
    let mut last = Value::Null;
    wait::until("all changes to be recorded", async || {
        let total = fleet.call("changes_list", question.clone()).await["total"].clone();
        let before = std::mem::replace(&mut last, total.clone());
        if total == before { Ok(()) } else { Err(format!("{before}, then {total}")) }
    })
    .await;
}
