//! `state.json`: what runs, for later calls and for tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use serde::{Deserialize, Serialize};

use super::paths::{self, ClusterDir};
use super::process;

/// The whole record.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// What the programs were built from; clusters of another build are replaced.
    pub(crate) build: String,
    /// The kubeconfig with the contexts `NAME`, `NAME-reader`, `NAME-shop` and `NAME-nobody` of every cluster.
    pub(crate) kubeconfig: PathBuf,
    /// In the order in which they were made.
    pub(crate) clusters: Vec<Cluster>,
}

/// One cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Cluster {
    /// As in `eu-1`.
    pub(crate) name: String,
    /// The context of its administrator.
    pub(crate) context: String,
    /// Address of the API server, as in `https://127.0.0.1:20443`.
    pub(crate) server: String,
    /// A kubeconfig with its administrator alone.
    pub(crate) kubeconfig: PathBuf,
    /// One JSON object a line (`audit.k8s.io/v1`, level Metadata).
    pub(crate) audit_log: PathBuf,
    /// Which cluster of the fleet this is, from 0; the seed differs by it.
    pub(crate) index: u8,
    /// The ports of its servers.
    pub(crate) ports: Ports,
    /// Whether the seed is in and has settled.
    pub(crate) seeded: bool,
    /// Its processes, in the order in which they start.
    pub(crate) components: Vec<Component>,
}

/// The ports of one cluster, all on 127.0.0.1.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Ports {
    pub(crate) etcd: u16,
    pub(crate) apiserver: u16,
    pub(crate) kwok: u16,
    /// Of metrics-server, where there is one.
    #[serde(default)]
    pub(crate) metrics: Option<u16>,
}

impl Ports {
    fn all(self) -> impl Iterator<Item = u16> {
        [self.etcd, self.apiserver, self.kwok].into_iter().chain(self.metrics)
    }
}

/// One process, in a process group of its own whose id is its pid.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Component {
    /// As in `kube-apiserver`.
    pub(crate) name: String,
    pub(crate) pid: u32,
    /// The program and its arguments; running them again starts the component again.
    pub(crate) command: Vec<String>,
    /// What it printed.
    pub(crate) log: PathBuf,
}

impl State {
    /// Reads the record; there being none means that nothing runs.
    ///
    /// # Errors
    /// The file is there and cannot be read or understood.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let path = paths::state();
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).with_context(|| format!("read {}", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
        }
    }

    /// Replaces the record as a whole: a reader never sees half of it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn save(&self) -> anyhow::Result<()> {
        let (path, new) = (paths::state(), paths::base().join("state.json.new"));
        fs::write(&new, serde_json::to_vec_pretty(self)?)
            .with_context(|| format!("write {}", new.display()))?;
        fs::rename(&new, &path).with_context(|| format!("write {}", path.display()))
    }

    /// Every port that belongs to a cluster.
    pub(crate) fn ports(&self) -> BTreeSet<u16> {
        self.clusters.iter().flat_map(|cluster| cluster.ports.all()).collect()
    }

    /// The cluster called `name`.
    ///
    /// # Errors
    /// There is none; the error names those that there are.
    pub(crate) fn cluster_mut(&mut self, name: &str) -> anyhow::Result<&mut Cluster> {
        let names: Vec<_> = self.clusters.iter().map(|cluster| cluster.name.clone()).collect();
        self.clusters
            .iter_mut()
            .find(|cluster| cluster.name == name)
            .ok_or_else(|| anyhow!("there is no cluster {name:?}; there are: {}", names.join(", ")))
    }
}

impl Cluster {
    /// Where its files are.
    pub(crate) fn dir(&self) -> ClusterDir {
        ClusterDir::new(&self.name)
    }

    /// The part of the name before the dash.
    pub(crate) fn region(&self) -> &str {
        self.name.split('-').next().unwrap_or(&self.name)
    }

    /// The component called `name`, if it was ever started.
    pub(crate) fn component(&self, name: &str) -> Option<&Component> {
        self.components.iter().find(|component| component.name == name)
    }

    /// Records a component that was started, in place of an earlier one of its name.
    pub(crate) fn record(&mut self, component: Component) {
        match self.components.iter_mut().find(|known| known.name == component.name) {
            Some(known) => *known = component,
            None => self.components.push(component),
        }
    }
}

impl Component {
    /// Whether its process is there, and is not another's that got the same id.
    pub(crate) fn is_running(&self) -> bool {
        self.command.first().is_some_and(|program| process::is_running(self.pid, program))
    }
}
