//! How long after a write the gateway's answers show it.

use std::time::{Duration, Instant};

use anyhow::ensure;
use kubeplex_tests::fleet::TestFleet;
use serde_json::{Value, json};
use simcluster::{Gvr, SimConfig};

use crate::figure::{Figure, millis, percentile};

const WRITES: usize = 300;
const PODS_WRITTEN: usize = 20;

/// A write that is not seen by then is a defect, not a slow one.
const LOST: Duration = Duration::from_secs(10);

/// How a write is looked for.
#[derive(Debug, Clone, Copy)]
enum Look {
    /// By a question that nobody asked before.
    Anew,
    /// By one that is asked all the time, so that its page is kept until the write is told of.
    Again,
}

pub(crate) async fn run() -> anyhow::Result<()> {
    let fleet =
        TestFleet::simulated(vec![SimConfig { pods: 1_000, nodes: 30, ..SimConfig::named("one", 1) }]);
    let fleet = fleet.await.ready().await;
    measure(&fleet, Look::Anew, "", "the watch event, its batch, and the call that looks").await?;
    let limit = "the watch event, its batch, the push of the revision, and the call that looks";
    measure(&fleet, Look::Again, " on a page that is kept", limit).await?;
    fleet.stop().await;
    Ok(())
}

async fn measure(fleet: &TestFleet, look: Look, on: &str, limit: &str) -> anyhow::Result<()> {
    let sim = &fleet.sims["one"];
    let pods = sim.objects(&Gvr::core("pods"));
    let mut samples = Vec::with_capacity(WRITES);
    for write in 0..WRITES {
        let mark = format!("{look:?}-{write}");
        // Few enough that all of them are on one page.
        let mut pod = pods[write % PODS_WRITTEN].clone();
        let question = match look {
            Look::Anew => {
                json!({"labelSelector": format!("bench={mark}"), "fields": "metadata.labels.bench"})
            }
            Look::Again => json!({"labelSelector": "bench", "fields": "metadata.labels.bench"}),
        };
        fleet.call("pods_list", question.clone()).await;
        pod["metadata"]["labels"]["bench"] = Value::String(mark.clone());
        let written = Instant::now();
        sim.apply(pod)?;
        while !fleet.call("pods_list", question.clone()).await["groups"]
            .to_string()
            .contains(&format!("\"{mark}\""))
        {
            ensure!(written.elapsed() < LOST, "the write {mark} was not seen within {} s", LOST.as_secs());
        }
        samples.push(written.elapsed());
    }
    for (percent, goal) in [(50.0, ""), (99.0, "≤ 50")] {
        let title = format!("API write → visible through the gateway{on}, 1,000 pods: p{percent:.0}");
        let value = millis(percentile(&mut samples, percent));
        Figure::new(title, value, "ms", limit).goal(goal).print()?;
    }
    Ok(())
}
