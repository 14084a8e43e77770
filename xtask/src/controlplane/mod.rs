//! `cargo xtask controlplane`: real Kubernetes control planes on loopback, for the tests.
//!
//! Each cluster is five processes: etcd, the API server, the controller manager, the scheduler, and kwok, which
//! plays the nodes and what runs on them. They are built from the Go modules in `tests/controlplane`, live below
//! `target/controlplane/NAME`, and are recorded in `target/controlplane/state.json`, so that any later call (or
//! a test) finds them again. They outlive the call that started them.

mod binaries;
mod cluster;
mod components;
mod fleet;
mod paths;
mod ports;
mod process;
mod progress;
mod state;

use clap::Subcommand;

use fleet::Fleet;
pub(crate) use paths::{kubeconfig, state};

/// What can be done with the control planes.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Bring up at least N seeded clusters and write their kubeconfig; does nothing for those that are up
    Up {
        /// How many clusters there are to be
        #[arg(value_parser = clap::value_parser!(u8).range(1..=20))]
        count: u8,
    },
    /// Stop every cluster and delete its data; logs stay until the next `up`
    Down,
    /// Show the clusters, their processes and how much memory these take
    Status,
    /// Stop the API server of one cluster; its data and its port are kept
    Stop {
        /// Name of the cluster, as in eu-1
        name: String,
    },
    /// Start the API server of one cluster again
    Start {
        /// Name of the cluster, as in eu-1
        name: String,
    },
    /// Build the programs, if their sources changed
    Build,
    /// Run the kubectl that was built along, with the kubeconfig of the clusters
    Kubectl {
        /// Arguments for kubectl
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

/// Runs one command.
///
/// # Errors
/// Whatever kept it from being done: Go is missing, a build failed, a component ended (with the path and the end of
/// its log), the seeded workloads did not settle.
pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Up { count } => Fleet::open()?.up(count),
        Command::Down => Fleet::open()?.down(),
        Command::Status => fleet::status(),
        Command::Stop { name } => Fleet::open()?.stop(&name),
        Command::Start { name } => Fleet::open()?.start(&name),
        Command::Build => binaries::build().map(drop),
        Command::Kubectl { arguments } => fleet::kubectl(&arguments),
    }
}
