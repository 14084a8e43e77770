//! Where things are: sources in the repository, everything made below `target/controlplane`.

use std::path::{Path, PathBuf};

/// The root of the repository.
pub(crate) fn repository() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// The Go module of the control plane.
pub(crate) fn sources() -> PathBuf {
    repository().join("tests/controlplane")
}

/// Everything that is made.
pub(crate) fn base() -> PathBuf {
    repository().join("target/controlplane")
}

/// The programs and the stamps that say what they were built from.
pub(crate) fn bin() -> PathBuf {
    base().join("bin")
}

/// The program with a subcommand a component.
pub(crate) fn controlplane() -> PathBuf {
    bin().join("controlplane")
}

/// The program that plays nodes and pods.
pub(crate) fn kwok() -> PathBuf {
    bin().join("kwok")
}

/// The program that serves what nodes and pods use.
pub(crate) fn metrics_server() -> PathBuf {
    bin().join("metrics-server")
}

/// The record of what runs.
pub(crate) fn state() -> PathBuf {
    base().join("state.json")
}

/// The kubeconfig with the contexts of every cluster.
pub(crate) fn kubeconfig() -> PathBuf {
    base().join("kubeconfig")
}

/// The files of one cluster.
#[derive(Debug, Clone)]
pub(crate) struct ClusterDir(PathBuf);

impl ClusterDir {
    /// The directory of the cluster called `name`.
    pub(crate) fn new(name: &str) -> Self {
        Self(base().join(name))
    }

    /// The directory itself.
    pub(crate) fn root(&self) -> &Path {
        &self.0
    }

    /// A certificate or a key.
    pub(crate) fn pki(&self, file: &str) -> String {
        self.path("pki", file)
    }

    /// A rendered configuration file.
    pub(crate) fn config(&self, file: &str) -> String {
        self.path("config", file)
    }

    /// The kubeconfig of one user.
    pub(crate) fn kubeconfig(&self, user: &str) -> String {
        self.path("kubeconfig", &format!("{user}.yaml"))
    }

    /// What a component prints.
    pub(crate) fn log(&self, component: &str) -> PathBuf {
        self.0.join("logs").join(format!("{component}.log"))
    }

    /// The audit log of the API server.
    pub(crate) fn audit_log(&self) -> PathBuf {
        self.0.join("logs/audit.log")
    }

    /// The data of etcd.
    pub(crate) fn data(&self) -> String {
        self.path("data", "etcd")
    }

    fn path(&self, folder: &str, file: &str) -> String {
        self.0.join(folder).join(file).display().to_string()
    }
}
