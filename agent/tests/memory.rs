//! The figure that decides whether a fleet's caches fit: bytes a pod, on the committed fixture, as the store counts them and
//! as the allocator does.
//!
//! What the operating system calls resident is more by pages that are in use in part and by what the allocator keeps for each
//! thread, which is chance and therefore no test's: `cargo xtask bench --only cache` measures it.

use std::process::Command;
use std::sync::{Arc, mpsc};
use std::thread;

use kubeplex_agent::cache::{KindShape, KindStore, Prepared, press, tend};
use kubeplex_agent::columns::Columns;
use kubeplex_agent::ingest::prepare;
use kubeplex_agent::redact::DigestKey;
use kubeplex_proto::kind::{GroupResource, Scope};
use parking_lot::RwLock;

use crate::held::held;

mod fixture;
mod held;

kubeplex_agent::program_allocator!();

const PODS: usize = 3_000;

/// The goal of a whole store. Small ones are above it, because a dictionary costs the same for few objects as for many.
const BYTES_PER_POD: usize = 1_200;

/// What is held may differ from what the store counts by so small a part of it, either way: the sizes that an allocator has
/// are counted about right, not one by one …
const PART: usize = 100;

/// … and by what a process needs however many pods there are.
const FIXED: usize = 16 << 10;

/// As many threads as a busy agent has: whatever is kept for each of them, shows.
const THREADS: usize = 8;

/// Pods taken in at once.
const PAGE: usize = 64;

/// Pods that are taken in and forgotten before the count starts, so that what is made once is there.
const BEFORE: usize = 16;

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

/// In a process of its own: other tests would be counted, too.
#[test]
fn what_is_counted_is_what_is_held() {
    if std::env::var_os(MEASURES).is_some() {
        return measure();
    }
    let mut again = Command::new(std::env::current_exe().expect("this test has a path"));
    again.args(["--exact", "what_is_counted_is_what_is_held", "--nocapture"]).env(MEASURES, "1");
    let output = again.output().expect("this test starts again");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn measure() {
    let cluster = fixture::Cluster::new(7, PODS);
    thread::scope(|scope| {
        let crew = Crew::of(scope);
        let first = store();
        crew.fill(&first, cluster.pods().take(BEFORE).collect());
        tend(&first);
        drop(first);
        let empty = crew.held();
        let store = store();
        let mut pods = cluster.pods().peekable();
        while pods.peek().is_some() {
            crew.fill(&store, pods.by_ref().take(PAGE).collect());
        }
        drop(pods);
        tend(&store);
        let held = usize::try_from(crew.held() - empty).expect("more is held than before");
        assert_eq!(store.read().len(), PODS);
        let memory = store.read().memory();
        let (counted, off) = (memory.total(), held.abs_diff(memory.total()));
        println!("{held} bytes are held, {counted} are counted");
        assert!(off <= counted / PART + FIXED, "{held} bytes are held, {counted} counted: {memory:?}");
    });
}

fn store() -> Arc<RwLock<KindStore>> {
    let id = GroupResource::new("", "pods");
    Arc::new(RwLock::new(KindStore::new(KindShape {
        columns: Arc::new(Columns::builtin(&id).expect("pods have columns")),
        id,
        api_version: "v1".to_owned(),
        kind: "Pod".to_owned(),
        scope: Scope::Namespaced,
        digest_key: DigestKey::new([7; 32]),
    })))
}

/// Threads that take objects in as an agent's do: prepared and compressed on all of them, applied on one, tended where that
/// is due.
struct Crew(Vec<mpsc::Sender<Task>>);

/// Work for one of the threads, and where what comes of it goes.
enum Task {
    Prepare(Arc<RwLock<KindStore>>, Vec<Vec<u8>>, mpsc::SyncSender<Vec<Prepared>>),
    /// Says what the thread has taken and not given back.
    Held(mpsc::SyncSender<i64>),
}

impl Crew {
    fn of<'scope>(scope: &'scope thread::Scope<'scope, '_>) -> Self {
        let start = |_| {
            let (sender, tasks) = mpsc::channel();
            scope.spawn(move || tasks.into_iter().for_each(work));
            sender
        };
        Self((0..THREADS).map(start).collect())
    }

    fn fill(&self, store: &Arc<RwLock<KindStore>>, pods: Vec<Vec<u8>>) {
        let size = pods.len().div_ceil(THREADS).max(1);
        let parts = self.ask(pods.chunks(size).map(|raws| {
            let (store, raws) = (Arc::clone(store), raws.to_vec());
            |done| Task::Prepare(store, raws, done)
        }));
        for object in parts.into_iter().flatten() {
            store.write().apply(object);
        }
        if store.read().wants_tending() {
            tend(store);
        }
    }

    /// What all threads have taken from the allocator and not given back, this one included.
    fn held(&self) -> i64 {
        let others: i64 = self.ask((0..THREADS).map(|_| Task::Held)).into_iter().sum();
        others + held()
    }

    /// A task for each thread, and what came of them, in the same order.
    fn ask<T, F: FnOnce(mpsc::SyncSender<T>) -> Task>(&self, tasks: impl Iterator<Item = F>) -> Vec<T> {
        let asked: Vec<_> = self
            .0
            .iter()
            .zip(tasks)
            .map(|(thread, task)| {
                let (sender, done) = mpsc::sync_channel(1);
                thread.send(task(sender)).expect("the thread lives as long as its sender");
                done
            })
            .collect();
        asked.into_iter().map(|done| done.recv().expect("no thread panics")).collect()
    }
}

fn work(task: Task) {
    match task {
        Task::Prepare(store, raws, done) => {
            let shape = store.read().shape().clone();
            let prepared = |raw: &Vec<u8>| prepare(&shape, raw).expect("a pod of the fixture");
            let mut objects: Vec<_> = raws.iter().map(prepared).collect();
            press(&store, objects.iter_mut());
            drop(raws);
            done.send(objects).expect("somebody waits");
        }
        Task::Held(done) => done.send(held()).expect("somebody waits"),
    }
}
