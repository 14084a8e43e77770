//! Simulations of the whole with faults by seeded schedules, as many as wanted.

use std::process::Command;

use anyhow::{Context as _, ensure};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many seeds
    #[arg(long, default_value_t = 5_000)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let (seed, seeds) = (options.seed.to_string(), options.seeds.to_string());
    let status = Command::new("cargo")
        .args(["run", "--quiet", "--package", "kubeplex-tests", "--bin", "kubeplex-sim", "--"])
        .args(["--seed", &seed, "--seeds", &seeds])
        .current_dir(crate::root())
        .status()
        .context("running cargo")?;
    ensure!(status.success(), "some seeds fail; each says above how it is played again");
    Ok(())
}
