//! Bytes a pod, counted and resident, and the peaks of a first sync and of a relist.

use anyhow::Context;
use kubeplex_agent::cache::KindStore;
use kubeplex_proto::kind::Scope;
use parking_lot::RwLock;
use serde_json::{Value, json};

use super::fixture::Cluster;
use super::{SEED, feed};

/// One pod in so many has changed when the list is read again.
const CHANGED: usize = 100;

pub(crate) fn measure(pods: usize, threads: usize) -> anyhow::Result<Value> {
    let cluster = Cluster::new(SEED, pods);
    let store = RwLock::new(KindStore::new(feed::shape("pods", "Pod", Scope::Namespaced)?));
    let nodes = RwLock::new(KindStore::new(feed::shape("nodes", "Node", Scope::Cluster)?));
    let empty = resident()?;

    reset_peak();
    feed::list(&store, cluster.pods(), threads)?;
    let (full, first_peak) = (resident()?, peak()?);
    feed::list(&nodes, cluster.nodes(), threads)?;
    let settled = resident()?;

    reset_peak();
    let again = (0..pods).map(|at| changed(&cluster, at));
    feed::list(&store, again, threads)?;
    let (relist_peak, settled_again) = (peak()?, resident()?);
    let memory = store.read().memory();
    // Last, because it leaves memory behind that a later measurement would take for its own.
    let (median_json, median_kept) = medians(&cluster)?;
    Ok(json!({
        "pods": pods,
        "nodes": nodes.read().len(),
        "threads": threads,
        "medianJsonBytes": median_json,
        "medianKeptBytes": median_kept,
        "countedBytesPerPod": memory.total() / pods,
        "counted": {"rows": memory.rows / pods, "strings": memory.strings / pods, "records": memory.records / pods,
            "dictionaryBytes": memory.dictionaries},
        "residentBytesPerPod": full.saturating_sub(empty) / pods as u64,
        "processMiB": {"empty": mib(empty), "settledWithNodes": mib(settled), "peakOfFirstSync": mib(first_peak),
            "peakOfRelist": mib(relist_peak), "settledAfterRelist": mib(settled_again)},
    }))
}

/// A pod as it is when the list is read again.
fn changed(cluster: &Cluster, at: usize) -> Vec<u8> {
    let mut pod = cluster.pod(at);
    if at.is_multiple_of(CHANGED) {
        pod["metadata"]["resourceVersion"] = "999999999".into();
        pod["status"]["containerStatuses"][0]["restartCount"] = 7.into();
    }
    pod.to_string().into_bytes()
}

/// Of the JSON that arrives, and of the JSON that is kept.
fn medians(cluster: &Cluster) -> anyhow::Result<(usize, usize)> {
    let shape = feed::shape("pods", "Pod", Scope::Namespaced)?;
    let mut sizes: Vec<_> = cluster.pods().take(1_001).map(|raw| raw.len()).collect();
    let store = RwLock::new(KindStore::new(shape));
    feed::list(&store, cluster.pods().take(1_001), 1)?;
    let mut json = Vec::new();
    let store = store.read();
    let mut kept: Vec<_> =
        store.rows().map(|row| if row.object(&mut json) { json.len() } else { 0 }).collect();
    sizes.sort_unstable();
    kept.sort_unstable();
    Ok((sizes[sizes.len() / 2], kept[kept.len() / 2]))
}

/// Bytes of this process in memory.
fn resident() -> anyhow::Result<u64> {
    status("VmRSS:")
}

fn peak() -> anyhow::Result<u64> {
    status("VmHWM:")
}

/// From here on the peak is that of what follows; where the system does not allow it, that of the whole process.
fn reset_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn status(field: &str) -> anyhow::Result<u64> {
    let status =
        std::fs::read_to_string("/proc/self/status").context("reading /proc/self/status, which Linux has")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .with_context(|| format!("no {field} there"))?;
    let kib: u64 =
        line.trim().trim_end_matches(" kB").parse().with_context(|| format!("{field} is no number"))?;
    Ok(kib * 1024)
}

fn mib(bytes: u64) -> f64 {
    (bytes as f64 / f64::from(1 << 20) * 10.0).round() / 10.0
}
