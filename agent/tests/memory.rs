//! The figure that decides whether a fleet's caches fit: bytes a pod, on the committed fixture, as the store counts them and
//! as the operating system does.

use std::process::Command;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use kubeplex_agent::cache::{KindShape, KindStore, Prepared, press, tend};
use kubeplex_agent::columns::Columns;
use kubeplex_agent::ingest::prepare;
use kubeplex_agent::redact::DigestKey;
use kubeplex_proto::kind::{GroupResource, Scope};
use parking_lot::RwLock;

mod fixture;

kubeplex_agent::program_allocator!();

const PODS: usize = 3_000;

/// The goal of a whole store. Small ones are above it, because a dictionary costs the same for few objects as for many.
const BYTES_PER_POD: usize = 1_200;

/// What may be resident beyond what the store counts: the allocator's waste, as a part of what is held …
const WASTE: usize = 16;

/// … and what a process needs however many pods there are.
const FIXED: usize = 64 << 10;

/// As many threads as a busy agent has: whatever is kept for each of them, shows.
const THREADS: usize = 8;

/// Pods that are taken in and forgotten before the count starts, so that code and tables are in memory.
const BEFORE: usize = 16;

/// Processes that may measure. How eight threads come to share the allocator's pages is chance, worth a few hundred
/// kilobytes either way: what is held for good shows in all of them.
const PROCESSES: usize = 3;

/// Tells the test that it is the process which measures.
const MEASURES: &str = "KUBEPLEX_TEST_MEASURES";

#[test]
fn a_pod_costs_what_was_promised() {
    let cluster = fixture::Cluster::new(7, PODS);
    let store = store();
    let shape = store.read().shape().clone();
    let mut sizes = Vec::new();
    for raw in cluster.pods() {
        sizes.push(raw.len());
        store.write().apply(prepare(&shape, &raw).expect("a pod of the fixture"));
    }
    assert!(cluster.nodes().all(|raw| raw.len() > 4_000));
    tend(&store);
    sizes.sort_unstable();
    let memory = store.read().memory();
    let per_pod = (memory.rows + memory.strings + memory.records) / store.read().len();
    assert!(sizes[PODS / 2] >= 8_000, "pods of {} bytes are too small to say anything", sizes[PODS / 2]);
    assert!(per_pod <= BYTES_PER_POD, "{per_pod} bytes a pod: {memory:?}");
    assert!(memory.dictionaries <= 1 << 20, "{memory:?}");
}

/// In a process of its own: other tests would be resident, too.
#[cfg(target_os = "linux")]
#[test]
fn what_is_counted_is_what_is_resident() {
    if std::env::var_os(MEASURES).is_some() {
        return measure();
    }
    let program = std::env::current_exe().expect("this test has a path");
    let mut told = Vec::new();
    for _ in 0..PROCESSES {
        let mut child = Command::new(&program);
        child.args(["--exact", "what_is_counted_is_what_is_resident", "--nocapture"]).env(MEASURES, "1");
        let output = child.output().expect("this test starts again");
        if output.status.success() {
            return;
        }
        told.push(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    panic!("{}", told.join("\n"));
}

#[cfg(target_os = "linux")]
fn measure() {
    let cluster = fixture::Cluster::new(7, PODS);
    fill(&store(), &cluster.pods().take(BEFORE).collect::<Vec<_>>());
    let empty = settled();
    let store = store();
    let mut page = Vec::new();
    for pod in cluster.pods() {
        page.push(pod);
        if page.len() == 64 {
            fill(&store, &std::mem::take(&mut page));
        }
    }
    fill(&store, &page);
    drop(page);
    tend(&store);
    let (counted, goal) = {
        let memory = store.read().memory();
        (memory.total(), memory.total() + memory.total() / WASTE + FIXED)
    };
    let resident = settled().saturating_sub(empty);
    println!("{resident} bytes are resident, {counted} are counted, {goal} may be resident");
    assert_eq!(store.read().len(), PODS);
    assert!(resident <= goal, "{resident} bytes are resident, {counted} counted: at most {goal} should be");
}

fn store() -> RwLock<KindStore> {
    let id = GroupResource::new("", "pods");
    RwLock::new(KindStore::new(KindShape {
        columns: Arc::new(Columns::builtin(&id).expect("pods have columns")),
        id,
        api_version: "v1".to_owned(),
        kind: "Pod".to_owned(),
        scope: Scope::Namespaced,
        digest_key: DigestKey::new([7; 32]),
    }))
}

/// As the agent takes objects in: prepared and compressed on several threads, applied, tended where that is due.
#[cfg(target_os = "linux")]
fn fill(store: &RwLock<KindStore>, pods: &[Vec<u8>]) {
    let shape = store.read().shape().clone();
    let prepared = |raws: &[Vec<u8>]| -> Vec<Prepared> {
        let mut objects: Vec<_> =
            raws.iter().map(|raw| prepare(&shape, raw).expect("a pod of the fixture")).collect();
        press(store, objects.iter_mut());
        objects
    };
    let size = pods.len().div_ceil(THREADS).max(1);
    let objects = thread::scope(|scope| {
        let parts: Vec<_> = pods.chunks(size).map(|raws| scope.spawn(|| prepared(raws))).collect();
        parts.into_iter().flat_map(|part| part.join().expect("no thread panics")).collect::<Vec<_>>()
    });
    for object in objects {
        store.write().apply(object);
    }
    if store.read().wants_tending() {
        tend(store);
    }
}

/// Looks in a row that find nothing given back before the allocator is taken to be done: its thread for that may have to
/// wait for a core.
#[cfg(target_os = "linux")]
const QUIET_LOOKS: usize = 4;

/// Anonymous resident bytes once the allocator has given back what it wants to, which takes it some half seconds.
#[cfg(target_os = "linux")]
fn settled() -> usize {
    let (_keeps_it_open, nothing) = mpsc::channel::<()>();
    let until = Instant::now() + Duration::from_secs(20);
    let (mut least, mut quiet) = (resident(), 0);
    while quiet < QUIET_LOOKS && Instant::now() < until {
        // Nothing is ever sent: the system tells nobody when a number changes, so it is looked at again.
        let _ = nothing.recv_timeout(Duration::from_millis(700));
        let now = resident();
        quiet = if now < least { 0 } else { quiet + 1 };
        least = least.min(now);
    }
    least
}

#[cfg(target_os = "linux")]
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("since Linux 4.5");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1_024
}
