//! What processes weigh.

use std::fs;

use anyhow::Context as _;

/// Resident memory of this process in MiB: `VmRSS`, or at its highest with `VmHWM`.
pub(crate) fn memory_mib(field: &str) -> anyhow::Result<f64> {
    memory_mib_of(std::process::id(), field)
}

/// The same of any process.
pub(crate) fn memory_mib_of(process: u32, field: &str) -> anyhow::Result<f64> {
    let path = format!("/proc/{process}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    let line =
        status.lines().find(|line| line.starts_with(field)).context("no such field of /proc/self/status")?;
    let kib: f64 = line.split_whitespace().nth(1).context("a number")?.parse()?;
    Ok(kib / 1024.0)
}
