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
        // Without optimisation: it runs once, and takes a third of the time to build.
        cargo(&["install", "cargo-deny", "--locked", "--debug", "--version", VERSION])?;
    }
    cargo(&["deny", "--workspace", "--log-level", "error", "check", "licenses", "bans", "sources"])
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
