//! What this process weighs.

use std::fs;

use anyhow::Context as _;

/// Resident memory in MiB: `VmRSS`, or at its highest with `VmHWM`.
pub(crate) fn memory_mib(field: &str) -> anyhow::Result<f64> {
    let status = fs::read_to_string("/proc/self/status").context("reading /proc/self/status")?;
    let line =
        status.lines().find(|line| line.starts_with(field)).context("no such field of /proc/self/status")?;
    let kib: f64 = line.split_whitespace().nth(1).context("a number")?.parse()?;
    Ok(kib / 1024.0)
}
