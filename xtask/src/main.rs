//! Every routine of the project, behind one command: `cargo xtask …`. CI calls the same ones.

mod bench;
mod controlplane;
mod deny;
mod dist;
mod simulate;
mod soak;
mod test;
mod tidy;
mod trials;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Routines of the project; CI calls the same ones")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Every check and test; with --require-all nothing may be left out
    Test(test::Options),
    /// Layering, shape of files, links, lock files
    Tidy,
    /// Licences and sources of dependencies (cargo-deny, installed when missing)
    Deny,
    /// The benchmarks: JSON and a table
    Bench(bench::Options),
    /// Simulations with faults by seeded schedules; a seed that fails says how it is played again
    Simulate(simulate::Options),
    /// The whole under faults in real time: every answer right, and memory and open files as at the beginning
    Soak(soak::Options),
    /// Faults planted on real API servers, and whether problems_list names each by its true cause first
    Planted(trials::Options),
    /// Questions of every day asked of the demo and of real API servers, with what they cost
    Walks(trials::Options),
    /// The programs as they are shipped: static, stripped, within their size, with checksums
    Dist(dist::Options),
    /// Real Kubernetes control planes on loopback, for the tests and for trying things out
    #[command(subcommand)]
    Controlplane(controlplane::Command),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        // What failed is said where it failed; the counts are to be the last line.
        Task::Test(options) => return test::run(&options),
        Task::Tidy => tidy::run(),
        Task::Deny => deny::run(),
        Task::Bench(options) => bench::run(&options),
        Task::Simulate(options) => simulate::run(&options),
        Task::Soak(options) => soak::run(&options),
        Task::Planted(options) => trials::run(&trials::FAULTS, &options),
        Task::Walks(options) => trials::run(&trials::QUESTIONS, &options),
        Task::Dist(options) => dist::run(&options),
        Task::Controlplane(command) => controlplane::run(command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the checkout.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}
