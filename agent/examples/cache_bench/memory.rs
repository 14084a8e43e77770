//! Bytes a pod, counted and resident, and the peaks of a first sync and of a relist.

use std::time::Duration;

use anyhow::Context;
use kubeplex_agent::cache::{KindStore, MemoryReport};
use kubeplex_proto::kind::Scope;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use super::feed;
use super::source::{Page, Source};

/// Pods that are taken in and forgotten before the count starts: an agent without pods has handled objects of other kinds,
/// so that its code is in memory and its matchers are built.
const BEFORE: usize = 16;

/// What an allocator wants to give back, it gives back within this.
const SETTLING: Duration = Duration::from_secs(2);

/// What one process used. All in bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) pods: usize,
    pub(crate) nodes: usize,
    pub(crate) threads: usize,
    /// What the store of pods says of itself.
    pub(crate) counted: usize,
    pub(crate) counted_parts: [usize; 4],
    pub(crate) empty: Resident,
    pub(crate) with_pods: Resident,
    pub(crate) settled: Resident,
    pub(crate) settled_again: Resident,
    pub(crate) peak_of_sync: u64,
    pub(crate) peak_of_relist: u64,
}

/// What the operating system says of a process.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Resident {
    pub(crate) total: u64,
    /// Without the program's own code.
    pub(crate) anonymous: u64,
}

pub(crate) fn measure(pods: usize, threads: usize) -> anyhow::Result<Measured> {
    let store = feed::pods()?;
    let nodes = RwLock::new(KindStore::new(feed::shape("nodes", "Node", Scope::Cluster)?));
    feed::list(&feed::pods()?, Source::start(Page::Pods, BEFORE)?, threads)?;
    let empty = settled()?;

    reset_peak();
    feed::list(&store, Source::start(Page::Pods, pods)?, threads)?;
    let with_pods = settled()?;
    feed::list(&nodes, Source::start(Page::Nodes, pods)?, threads)?;
    let peak_of_sync = peak()?;
    let settled_once = settled()?;

    reset_peak();
    feed::list(&store, Source::start(Page::PodsAgain, pods)?, threads)?;
    let peak_of_relist = peak()?;
    let settled_again = settled()?;
    let memory = store.read().memory();
    Ok(Measured {
        pods,
        nodes: nodes.read().len(),
        threads,
        counted: memory.total(),
        counted_parts: parts(&memory),
        empty,
        with_pods,
        settled: settled_once,
        settled_again,
        peak_of_sync,
        peak_of_relist,
    })
}

fn parts(memory: &MemoryReport) -> [usize; 4] {
    [memory.rows, memory.strings, memory.records, memory.dictionaries]
}

fn settled() -> anyhow::Result<Resident> {
    std::thread::sleep(SETTLING);
    Ok(Resident { total: status("VmRSS:")?, anonymous: status("RssAnon:")? })
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
