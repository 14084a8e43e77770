//! The whole under faults in real time, for as long as wanted.

use std::process::Command;

use anyhow::{Context as _, ensure};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long
    #[arg(long, default_value_t = 20)]
    minutes: u64,
    /// One JSON object in place of the table
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let minutes = options.minutes.to_string();
    let status = Command::new("cargo")
        .args(["run", "--quiet", "--package", "kubeplex-tests", "--bin", "kubeplex-soak", "--"])
        .args(["--minutes", &minutes])
        .args(options.json.then_some("--json"))
        .current_dir(crate::root())
        .status()
        .context("running cargo")?;
    ensure!(status.success(), "the soak fails; what did is said above");
    Ok(())
}
