//! What one cluster costs, and what ten, fifty and a hundred do, each fleet in a process of its own; no answer is kept.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use serde_json::json;

use crate::figure::{Figure, millis, percentile};
use crate::fleet;
use crate::process::memory_mib;

const CALLS: usize = 100;
const PODS: usize = 200;

const WHOLE: &str =
    "simulated API servers, agents and gateway share this process and the cores of the machine";
const LEGS: &str = "each cluster is asked over its link, and the agents asked share the cores of the machine";

pub(crate) fn run() -> anyhow::Result<()> {
    let program = std::env::current_exe().context("finding this program")?;
    for clusters in [1, 10, 50, 100] {
        let status = Command::new(&program).arg("scale-step").arg(clusters.to_string()).status()?;
        ensure!(status.success(), "the step with {clusters} clusters failed");
    }
    Ok(())
}

pub(crate) async fn step(clusters: usize) -> anyhow::Result<()> {
    let started = Instant::now();
    let fleet = fleet::asked_anew(clusters, PODS).await;
    let title = format!("{clusters} cluster{} × {PODS} pods", if clusters == 1 { "" } else { "s" });
    let starting = started.elapsed().as_secs_f64();
    Figure::new(format!("{title}: until all are ready"), starting, "s", WHOLE).print()?;
    let resident = memory_mib("VmRSS")?;
    Figure::new(format!("{title}: resident, API servers included"), resident, "MiB", WHOLE).print()?;
    let mut samples = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let called = Instant::now();
        fleet.call("pods_list", json!({})).await;
        samples.push(called.elapsed());
    }
    for percent in [50.0, 99.0] {
        let value = millis(percentile(&mut samples, percent));
        Figure::new(format!("{title}: pods_list p{percent:.0}"), value, "ms", LEGS).print()?;
    }
    fleet.stop().await;
    Ok(())
}
