//! All clusters together: which there are to be, up in parallel, down, and what is shown of them.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, bail};

use super::cluster::{self, Launch};
use super::components::Kind;
use super::paths::{self, ClusterDir};
use super::ports::Ports;
use super::progress::Progress;
use super::state::{self, Cluster, Component, State};
use super::{binaries, process};

/// The regions that clusters are named by, in turn: eu-1, us-1, ap-1, eu-2, …
const REGIONS: [&str; 3] = ["eu", "us", "ap"];

/// The region whose clusters have no metrics API.
const UNMEASURED: &str = "ap";

/// The record of the clusters, held by one process at a time.
pub(crate) struct Fleet {
    state: Mutex<State>,
    progress: Progress,
    /// Unlocked when it is dropped.
    _lock: File,
}

impl Fleet {
    /// Waits for another call that changes the clusters to end, and reads the record.
    ///
    /// # Errors
    /// The record cannot be read.
    pub(crate) fn open() -> anyhow::Result<Self> {
        fs::create_dir_all(paths::base())?;
        let path = paths::base().join("lock");
        let lock = File::create(&path).with_context(|| format!("open {}", path.display()))?;
        let progress = Progress::start();
        if lock.try_lock().is_err() {
            progress.step("lock", "another `cargo xtask controlplane` is at work; waiting for it");
            lock.lock().with_context(|| format!("lock {}", path.display()))?;
        }
        Ok(Self { state: Mutex::new(State::load()?), progress, _lock: lock })
    }

    /// Brings up at least `count` clusters.
    ///
    /// # Errors
    /// A build failed, or a cluster did not come up; then the others are up, and `down` cleans up all.
    pub(crate) fn up(&self, count: u8) -> anyhow::Result<()> {
        let build = binaries::build()?;
        if self.state().build != build && !self.state().clusters.is_empty() {
            self.progress.step("down", "the clusters are of another build: they are replaced");
            self.down()?;
        }
        self.state().build = build;
        self.add_missing(count)?;
        self.launch_all()?;
        self.write_kubeconfig()?;
        self.progress.step("up", &format!("kubeconfig: {}", paths::kubeconfig().display()));
        Ok(())
    }

    /// Stops every process and deletes the data.
    ///
    /// # Errors
    /// A process does not end, or a directory cannot be deleted.
    pub(crate) fn down(&self) -> anyhow::Result<()> {
        let clusters = self.state().clusters.clone();
        in_parallel(&clusters, take_down)?;
        *self.state() = State::default();
        remove_if_there(|| fs::remove_file(paths::state()))?;
        remove_if_there(|| fs::remove_file(paths::kubeconfig()))?;
        self.progress.step("down", &format!("{} clusters are gone", clusters.len()));
        Ok(())
    }

    /// Stops the API server of one cluster.
    ///
    /// # Errors
    /// There is no such cluster, or the process does not end.
    pub(crate) fn stop(&self, name: &str) -> anyhow::Result<()> {
        let cluster = self.state().cluster_mut(name)?.clone();
        if let Some(apiserver) = cluster.component(Kind::ApiServer.name()) {
            process::stop(apiserver)?;
        }
        self.progress.step(name, "API server is stopped");
        Ok(())
    }

    /// Starts the API server of one cluster again.
    ///
    /// # Errors
    /// There is no such cluster, or it does not become ready.
    pub(crate) fn start(&self, name: &str) -> anyhow::Result<()> {
        let cluster = self.state().cluster_mut(name)?.clone();
        Launch::new(cluster, &|cluster| self.save(cluster), &self.progress).start_servers()
    }

    /// Records the clusters that are to be there and are not.
    fn add_missing(&self, count: u8) -> anyhow::Result<()> {
        let mut state = self.state();
        let mut ports = Ports::new(state.ports());
        for index in 0..count {
            let name = name_of(index);
            if state.cluster_mut(&name).is_err() {
                state.clusters.push(new_cluster(name, index, &mut ports)?);
            }
        }
        state.kubeconfig = paths::kubeconfig();
        state.save()
    }

    fn launch_all(&self) -> anyhow::Result<()> {
        let clusters = self.state().clusters.clone();
        in_parallel(&clusters, |cluster| {
            Launch::new(cluster.clone(), &|cluster| self.save(cluster), &self.progress).run()
        })
    }

    fn write_kubeconfig(&self) -> anyhow::Result<()> {
        let clusters = self.state().clusters.clone();
        let merged = std::process::Command::new(paths::controlplane())
            .arg("kubeconfig")
            .arg(format!("--out={}", paths::kubeconfig().display()))
            .arg(format!("--current={}", clusters.first().map_or("", |cluster| cluster.context.as_str())))
            .args(clusters.iter().map(|cluster| cluster.dir().kubeconfig("users")))
            .output()
            .context("run controlplane kubeconfig")?;
        if !merged.status.success() {
            bail!("merge the kubeconfigs: {}", String::from_utf8_lossy(&merged.stderr).trim());
        }
        Ok(())
    }

    /// Puts one cluster's new state into the record.
    fn save(&self, cluster: &Cluster) -> anyhow::Result<()> {
        let mut state = self.state();
        *state.cluster_mut(&cluster.name)? = cluster.clone();
        state.save()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Prints what runs, and how much memory it takes.
///
/// # Errors
/// The record cannot be read.
pub(crate) fn status() -> anyhow::Result<()> {
    let state = State::load()?;
    if state.clusters.is_empty() {
        println!("no clusters; `cargo xtask controlplane up 3` makes some");
    }
    for cluster in &state.clusters {
        println!("{} {}{}", cluster.name, cluster.server, if cluster.seeded { "" } else { " (not seeded)" });
        let total: u64 = cluster.components.iter().map(print_component).sum();
        println!("  {:<24} {:>7} {:>6} MiB", "all", "", total >> 20);
    }
    Ok(())
}

/// Becomes kubectl, with the clusters' kubeconfig unless the caller names another.
///
/// # Errors
/// It cannot be started.
pub(crate) fn kubectl(arguments: &[String]) -> anyhow::Result<()> {
    let failed = cluster::kubectl(arguments).env("KUBECONFIG", paths::kubeconfig()).exec();
    Err(failed).context("run kubectl; `cargo xtask controlplane build` builds it")
}

fn print_component(component: &Component) -> u64 {
    let memory = if component.is_running() { process::memory_bytes(component.pid).unwrap_or(0) } else { 0 };
    let shown = if component.is_running() { format!("{} MiB", memory >> 20) } else { "stopped".to_owned() };
    println!("  {:<24} {:>7} {shown:>10}", component.name, component.pid);
    memory
}

fn name_of(index: u8) -> String {
    let (round, region) = (usize::from(index) / REGIONS.len(), usize::from(index) % REGIONS.len());
    format!("{}-{}", REGIONS[region], round + 1)
}

fn new_cluster(name: String, index: u8, ports: &mut Ports) -> anyhow::Result<Cluster> {
    let dir = ClusterDir::new(&name);
    let is_measured = !name.starts_with(UNMEASURED);
    let ports = state::Ports {
        etcd: ports.take()?,
        apiserver: ports.take()?,
        kwok: ports.take()?,
        metrics: is_measured.then(|| ports.take()).transpose()?,
    };
    Ok(Cluster {
        context: name.clone(),
        server: format!("https://127.0.0.1:{}", ports.apiserver),
        kubeconfig: dir.kubeconfig("admin").into(),
        audit_log: dir.audit_log(),
        name,
        index,
        ports,
        seeded: false,
        components: Vec::new(),
    })
}

/// Stops the processes of a cluster, those that use others first, and deletes all but its logs.
fn take_down(cluster: &Cluster) -> anyhow::Result<()> {
    for component in cluster.components.iter().rev() {
        process::stop(component)?;
    }
    for part in ["data", "pki", "kubeconfig", "config"] {
        remove_if_there(|| fs::remove_dir_all(cluster.dir().root().join(part)))?;
    }
    Ok(())
}

fn remove_if_there(remove: impl FnOnce() -> std::io::Result<()>) -> anyhow::Result<()> {
    match remove() {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Does the same to every cluster at once, and answers when the last is done. All errors are told.
fn in_parallel(
    clusters: &[Cluster],
    each: impl Fn(&Cluster) -> anyhow::Result<()> + Sync,
) -> anyhow::Result<()> {
    let outcomes: Vec<anyhow::Result<()>> = std::thread::scope(|scope| {
        let running: Vec<_> = clusters.iter().map(|cluster| scope.spawn(|| each(cluster))).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| bail!("a thread panicked")))
            .collect()
    });
    let failures: Vec<String> =
        outcomes.into_iter().filter_map(Result::err).map(|error| format!("{error:#}")).collect();
    if failures.is_empty() { Ok(()) } else { bail!("{}", failures.join("\n\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_are_named_by_region_and_round() {
        let names: Vec<_> = (0..5).map(name_of).collect();
        assert_eq!(names, ["eu-1", "us-1", "ap-1", "eu-2", "us-2"]);
    }

    #[test]
    fn every_failure_of_a_round_is_told() {
        let mut ports = Ports::new(std::collections::BTreeSet::new());
        let clusters: Vec<_> =
            (0..3).map(|index| new_cluster(name_of(index), index, &mut ports).unwrap()).collect();
        let error = in_parallel(&clusters, |cluster| match cluster.index {
            1 => Ok(()),
            _ => bail!("{} is broken", cluster.name),
        })
        .unwrap_err()
        .to_string();
        assert_eq!(error, "eu-1 is broken\n\nap-1 is broken");
    }
}
