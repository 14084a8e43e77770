//! Every routine of the project, behind one command: `cargo xtask …`. CI calls the same ones.

mod controlplane;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Routines of the project; CI calls the same ones")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Real Kubernetes control planes on loopback, for the tests and for trying things out
    #[command(subcommand)]
    Controlplane(controlplane::Command),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Controlplane(command) => controlplane::run(command),
    }
}
