//! `cargo xtask deny`: what we depend on may be used, and comes from where it should.

use std::process::Command;

use anyhow::{Context, ensure};

/// Pinned, so that a new release can't turn a green checkout red.
const VERSION: &str = "0.20.2";

/// Checks licences, bans and sources by `deny.toml`, and installs cargo-deny first where it is missing. Advisories
/// need the advisory database from the network; the workflow checks those.
///
/// # Errors
/// What cargo-deny found, or why it could not be installed.
pub(crate) fn run() -> anyhow::Result<()> {
    if !installed() {
        println!("installing cargo-deny {VERSION}");
        install()?;
    }
    cargo(&["deny", "--workspace", "--log-level", "error", "check", "licenses", "bans", "sources"])
}

/// Without optimisation and what a debugger needs: it runs once, and is built in a fraction of the time.
fn install() -> anyhow::Result<()> {
    let status = Command::new("cargo")
        .args(["install", "cargo-deny", "--locked", "--debug", "--version", VERSION])
        .envs([("CARGO_PROFILE_DEV_DEBUG", "0"), ("CARGO_INCREMENTAL", "0")])
        .status()
        .context("running cargo")?;
    ensure!(status.success(), "cargo-deny {VERSION} could not be installed");
    Ok(())
}

fn installed() -> bool {
    Command::new("cargo").args(["deny", "--version"]).output().is_ok_and(|output| output.status.success())
}

fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    let status = Command::new("cargo").args(arguments).current_dir(crate::root()).status();
    let status = status.context("running cargo")?;
    ensure!(status.success(), "cargo {} failed", arguments.join(" "));
    Ok(())
}
