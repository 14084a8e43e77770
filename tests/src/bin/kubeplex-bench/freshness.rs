//! How long after a write the gateway's answers show it.

use std::time::{Duration, Instant};

use anyhow::ensure;
use kubeplex_tests::fleet::TestFleet;
use serde_json::{Value, json};
use simcluster::{Gvr, SimConfig};

use crate::figure::{Figure, millis, percentile};

const WRITES: usize = 300;

/// A write that is not seen by then is a defect, not a slow one.
const LOST: Duration = Duration::from_secs(10);

pub(crate) async fn run() -> anyhow::Result<()> {
    let fleet =
        TestFleet::simulated(vec![SimConfig { pods: 1_000, nodes: 30, ..SimConfig::named("one", 1) }]);
    let fleet = fleet.await.ready().await;
    let sim = &fleet.sims["one"];
    let pods = sim.objects(&Gvr::core("pods"));
    let mut samples = Vec::with_capacity(WRITES);
    for write in 0..WRITES {
        let mut pod = pods[write % pods.len()].clone();
        let mark = format!("mark-{write}");
        pod["metadata"]["labels"]["bench"] = Value::String(mark.clone());
        let question = json!({"labelSelector": format!("bench={mark}"), "limit": 1});
        let written = Instant::now();
        sim.apply(pod)?;
        while fleet.call("pods_list", question.clone()).await["total"] != 1 {
            ensure!(written.elapsed() < LOST, "the write {mark} was not seen within {} s", LOST.as_secs());
        }
        samples.push(written.elapsed());
    }
    for (percent, goal) in [(50.0, ""), (99.0, "≤ 50")] {
        let title = format!("API write → visible through the gateway, 1,000 pods: p{percent:.0}");
        let value = millis(percentile(&mut samples, percent));
        Figure::new(title, value, "ms", "the watch event, its batch, and the call that looks")
            .goal(goal)
            .print()?;
    }
    fleet.stop().await;
    Ok(())
}
