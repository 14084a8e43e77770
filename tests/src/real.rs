//! Real API servers, where there are some: the project's own control planes, and contexts that the person running the
//! tests names.

use std::env;
use std::fs;
use std::path::PathBuf;

use kube::config::Kubeconfig;
use serde::Deserialize;

/// The variable with the path of the control planes' record; `cargo xtask test` sets it.
const CONTROLPLANE: &str = "KUBEPLEX_TEST_CONTROLPLANE";

/// A comma list of contexts of the usual kubeconfig: clusters of the tester's own, which are only read.
const CONTEXTS: &str = "KUBEPLEX_TEST_CONTEXTS";

/// The project's own control planes: seeded, and to be stopped and started at will.
#[derive(Debug, Clone, Deserialize)]
pub struct ControlPlanes {
    pub kubeconfig: PathBuf,
    pub clusters: Vec<ControlPlane>,
}

/// One of them.
#[derive(Debug, Clone, Deserialize)]
pub struct ControlPlane {
    pub name: String,
    pub context: String,
    pub server: String,
    pub kubeconfig: PathBuf,
    pub components: Vec<Component>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Component {
    pub name: String,
    pub pid: u32,
}

impl ControlPlanes {
    /// The program whose subcommand `kubectl` is kubectl.
    pub fn kubectl(&self) -> PathBuf {
        self.kubeconfig.with_file_name("bin").join("controlplane")
    }
}

/// The control planes that are up; `None` where the tests run without them.
///
/// # Panics
/// When the record is named and can't be read.
pub fn control_planes() -> Option<ControlPlanes> {
    let path = env::var_os(CONTROLPLANE)?;
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("reading {path:?}: {error}"));
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("understanding {path:?}: {error}")))
}

/// All real clusters that may be read: a kubeconfig, and the contexts in it.
///
/// # Panics
/// When a kubeconfig is named and can't be read.
pub fn contexts() -> Option<(Kubeconfig, Vec<String>)> {
    if let Some(planes) = control_planes() {
        let kubeconfig = Kubeconfig::read_from(&planes.kubeconfig).expect("the control planes' kubeconfig");
        return Some((kubeconfig, planes.clusters.into_iter().map(|plane| plane.context).collect()));
    }
    let names = env::var(CONTEXTS).ok().filter(|names| !names.is_empty())?;
    let kubeconfig = Kubeconfig::read().expect("KUBEPLEX_TEST_CONTEXTS needs a kubeconfig");
    Some((kubeconfig, names.split(',').map(|name| name.trim().to_owned()).collect()))
}

/// What to say where a test has nothing to run on, so that it is not mistaken for one that passed on real clusters.
pub fn skipped(test: &str) {
    eprintln!("{test}: no real cluster here (set {CONTROLPLANE} or {CONTEXTS}); not run");
}
