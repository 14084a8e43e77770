//! Brings one cluster up: certificates, processes in their order, the seed.

use std::fs;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail};

use super::components::Kind;
use super::paths;
use super::process::{self, POLL};
use super::progress::Progress;
use super::state::{Cluster, Component};

/// A cluster on its way up. `save` is called with each change that a later call must know of.
pub(crate) struct Launch<'a> {
    cluster: Cluster,
    save: &'a (dyn Fn(&Cluster) -> anyhow::Result<()> + Sync),
    progress: &'a Progress,
    /// What was started here: only its parent sees at once that a process has ended.
    children: Vec<(Component, Child)>,
}

impl<'a> Launch<'a> {
    /// Nothing is started yet.
    pub(crate) fn new(
        cluster: Cluster,
        save: &'a (dyn Fn(&Cluster) -> anyhow::Result<()> + Sync),
        progress: &'a Progress,
    ) -> Self {
        Self { cluster, save, progress, children: Vec::new() }
    }

    /// Starts what does not run and seeds what was not seeded.
    ///
    /// # Errors
    /// A component ended, with the end of its log; the API server did not become ready; the seed did not settle.
    pub(crate) fn run(mut self) -> anyhow::Result<()> {
        self.prepare()?;
        self.start_servers()?;
        let started = self.start_all(&Kind::clients(&self.cluster))?;
        if self.cluster.seeded {
            let what = if started { "is up again" } else { "was up already" };
            self.progress.step(&self.cluster.name, what);
            return Ok(());
        }
        self.seed()
    }

    /// Starts etcd and the API server alone where they do not run, and waits until the latter is ready.
    ///
    /// # Errors
    /// As with [`Launch::run`].
    pub(crate) fn start_servers(&mut self) -> anyhow::Result<()> {
        let started = self.start_all(&Kind::SERVERS)?;
        self.helper("ready", &[])?;
        if started {
            self.progress
                .step(&self.cluster.name, &format!("API server is ready at {}", self.cluster.server));
        }
        Ok(())
    }

    /// Writes the files that the components read, once in the life of a cluster.
    fn prepare(&self) -> anyhow::Result<()> {
        if !self.cluster.components.is_empty() {
            return Ok(());
        }
        let dir = self.cluster.dir();
        if dir.root().exists() {
            fs::remove_dir_all(dir.root()).with_context(|| format!("delete {}", dir.root().display()))?;
        }
        let made = Command::new(paths::controlplane())
            .arg("prepare")
            .arg(format!("--dir={}", dir.root().display()))
            .arg(format!("--name={}", self.cluster.name))
            .arg(format!("--server={}", self.cluster.server))
            .arg(format!("--kwok-port={}", self.cluster.ports.kwok))
            .output()
            .context("run controlplane prepare")?;
        if !made.status.success() {
            bail!("prepare {}: {}", self.cluster.name, String::from_utf8_lossy(&made.stderr).trim());
        }
        Ok(())
    }

    fn seed(&mut self) -> anyhow::Result<()> {
        let (cluster, region) = (self.cluster.name.clone(), self.cluster.region().to_owned());
        let arguments = [
            format!("--cluster={cluster}"),
            format!("--region={region}"),
            format!("--index={}", self.cluster.index),
            format!("--metrics-port={}", self.cluster.ports.metrics.unwrap_or_default()),
        ];
        self.helper("seed", &arguments)?;
        self.cluster.seeded = true;
        (self.save)(&self.cluster)?;
        self.progress.step(&cluster, "is seeded and settled");
        Ok(())
    }

    /// Starts those that do not run. Whether there were any.
    fn start_all(&mut self, kinds: &[Kind]) -> anyhow::Result<bool> {
        let mut any = false;
        for kind in kinds {
            if !self.cluster.component(kind.name()).is_some_and(Component::is_running) {
                self.start(*kind)?;
                any = true;
            }
        }
        Ok(any)
    }

    fn start(&mut self, kind: Kind) -> anyhow::Result<()> {
        let (command, log) = (kind.command(&self.cluster), self.cluster.dir().log(kind.name()));
        let child = process::spawn(&command, &log)?;
        let component = Component { name: kind.name().to_owned(), pid: child.id(), command, log };
        self.cluster.record(component.clone());
        self.children.push((component, child));
        (self.save)(&self.cluster)
    }

    /// Runs a subcommand that waits for the cluster, and stops waiting when a component ends.
    fn helper(&mut self, subcommand: &str, arguments: &[String]) -> anyhow::Result<()> {
        let log = self.cluster.dir().log(subcommand);
        let mut command = vec![
            paths::controlplane().display().to_string(),
            subcommand.to_owned(),
            format!("--kubeconfig={}", self.cluster.kubeconfig.display()),
        ];
        command.extend_from_slice(arguments);
        let mut helper = process::spawn(&command, &log)?;
        loop {
            if let Some(status) = helper.try_wait()? {
                if status.success() {
                    return Ok(());
                }
                bail!("{}: {subcommand}: {}\nlog: {}", self.cluster.name, process::tail(&log), log.display());
            }
            if let Err(dead) = self.all_running() {
                helper.kill().context("stop waiting")?;
                helper.wait()?;
                return Err(dead);
            }
            std::thread::sleep(POLL);
        }
    }

    fn all_running(&mut self) -> anyhow::Result<()> {
        for (component, child) in &mut self.children {
            if let Some(status) = child.try_wait()? {
                bail!(
                    "{}: {} ended ({status}); the end of its log:\n{}\nlog: {}",
                    self.cluster.name,
                    component.name,
                    process::tail(&component.log),
                    component.log.display()
                );
            }
        }
        Ok(())
    }
}

/// Runs kubectl in place of this process.
pub(crate) fn kubectl(arguments: &[String]) -> Command {
    let mut command = Command::new(paths::controlplane());
    command.arg("kubectl").args(arguments).stdin(Stdio::inherit());
    command
}
