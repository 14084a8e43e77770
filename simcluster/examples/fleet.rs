//! Resident memory of many clusters in one process: `cargo run --release -p simcluster --example fleet -- 100 1000`.

use std::time::Instant;

use simcluster::{Gvr, SimCluster, SimConfig};

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse::<usize>().ok());
    let (clusters, pods) = (numbers.next().unwrap_or(100), numbers.next().unwrap_or(1_000));
    let before = resident_mib();
    let start = Instant::now();
    let fleet: Vec<SimCluster> = (0..clusters).map(|index| make(index, pods)).collect();
    let took = start.elapsed();
    let (objects, text, own) = fleet
        .iter()
        .map(SimCluster::sizes)
        .fold((0, 0, 0), |all, one| (all.0 + one.0, all.1 + one.1, all.2 + one.2));
    let count: usize = fleet.iter().map(|cluster| cluster.count(&Gvr::core("pods"))).sum();
    println!("{clusters} clusters, {objects} objects, {count} pods, made in {took:.1?}");
    println!(
        "JSON text {} MiB, held as {} MiB, resident {} MiB",
        text >> 20,
        own >> 20,
        resident_mib() - before
    );
}

fn make(index: usize, pods: usize) -> SimCluster {
    let config = SimConfig {
        pods,
        nodes: (pods / 40).max(3),
        ..SimConfig::named(&format!("sim-{index}"), index as u64)
    };
    SimCluster::new(config)
}

/// As Linux counts it; zero elsewhere.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
