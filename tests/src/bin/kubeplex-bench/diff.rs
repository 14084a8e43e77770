//! Five hundred objects of the same names in each of ten clusters, of which some differ in one of them.

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::wait;
use serde_json::{Value, json};
use simcluster::SimConfig;

use crate::asked::Asked;
use crate::fleet;

const CLUSTERS: usize = 10;
const OBJECTS: usize = 500;
/// Every so many objects one cluster has another image.
const DIFFERS_EVERY: usize = 25;
const CALLS: usize = 50;

const LIMIT: &str = "ten agents decompress and parse every object, bring it into its normal form and hash that, on the cores of this \
     machine; only what differs travels";

pub(crate) async fn run() -> anyhow::Result<()> {
    let config = |at: usize| SimConfig {
        pods: 0,
        nodes: 1,
        ..SimConfig::named(&format!("cluster-{at:02}"), at as u64 + 1)
    };
    let fleet =
        TestFleet::simulated_under(fleet::keeping_nothing(), (0..CLUSTERS).map(config).collect()).await;
    for (at, sim) in fleet.sims.values().enumerate() {
        for object in 0..OBJECTS {
            sim.apply(deployment(object, at == object % CLUSTERS && object % DIFFERS_EVERY == 0))?;
        }
    }
    let fleet = fleet.ready().await;
    let arguments = json!({"kind": "deployments", "namespace": "shop", "labelSelector": "bench=diff"});
    wait::until("all clusters to have all objects", async || {
        let answer = fleet.call("fleet_diff", arguments.clone()).await;
        let alike = OBJECTS - OBJECTS / DIFFERS_EVERY;
        if answer["total"] == OBJECTS && answer["equal"] == alike {
            Ok(())
        } else {
            Err(answer["equal"].clone())
        }
    })
    .await;
    let title = format!(
        "fleet_diff, {CLUSTERS} clusters × {OBJECTS} deployments, {} of them differ",
        OBJECTS / DIFFERS_EVERY
    );
    let asked = Asked { tool: "fleet_diff", arguments, calls: CALLS, title, goal: "≤ 500", limit: LIMIT };
    asked.measure(&fleet).await?;
    fleet.stop().await;
    Ok(())
}

fn deployment(at: usize, other: bool) -> Value {
    let container = |name: &str| {
        let env: Vec<Value> = (0..12)
            .map(|at| json!({"name": format!("SETTING_{at}"), "value": format!("value-{at}")}))
            .collect();
        let version = if other { "1.43.0" } else { "1.42.0" };
        json!({
            "name": name, "image": format!("registry.example.com/shop/{name}:{version}"), "imagePullPolicy": "IfNotPresent",
            "env": env, "ports": [{"containerPort": 8080, "protocol": "TCP"}],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080, "scheme": "HTTP"}, "periodSeconds": 10},
        })
    };
    let name = format!("service-{at:03}");
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": name, "bench": "diff"}},
        "spec": {
            "replicas": 0, "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [container("main"), container("proxy")], "restartPolicy": "Always"},
            },
        },
    })
}
