//! Programs from npm packages, pinned by a lock file in a folder of the checkout.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

pub(super) fn is_there() -> bool {
    Command::new("npm").arg("--version").output().is_ok()
}

/// Installs what the lock file names; no script of a package runs.
///
/// # Errors
/// When npm can't be run, or does not get it.
pub(super) fn install(folder: &Path) -> anyhow::Result<()> {
    let npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"];
    let status = Command::new("npm").args(npm).arg(folder).status().context("running npm")?;
    ensure!(
        status.success(),
        "npm could not install what {} names",
        folder.join("package-lock.json").display()
    );
    Ok(())
}
