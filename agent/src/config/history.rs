//! How much of what changes is remembered, and where.

use std::path::PathBuf;
use std::time::Duration;

use super::raw::RawHistory;
use crate::limits::{HISTORY_DISK_BYTES, HISTORY_DISK_DAYS, HISTORY_RING_BYTES};

const MIB: u64 = 1024 * 1024;
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// What is remembered of changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryConfig {
    /// In memory.
    pub bytes: usize,
    pub disk: Option<HistoryDisk>,
}

/// What of it outlasts a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryDisk {
    pub directory: PathBuf,
    pub bytes: u64,
    pub age: Duration,
}

impl Default for HistoryConfig {
    fn default() -> Self {
        Self { bytes: HISTORY_RING_BYTES, disk: None }
    }
}

impl HistoryDisk {
    /// A directory with the usual bounds.
    pub fn in_directory(directory: impl Into<PathBuf>) -> Self {
        let age = DAY * HISTORY_DISK_DAYS;
        Self { directory: directory.into(), bytes: HISTORY_DISK_BYTES, age }
    }
}

pub(super) fn history(raw: &RawHistory, reasons: &mut Vec<String>) -> HistoryConfig {
    let mut within = |name: &str, value: Option<u64>, default: u64, (least, most): (u64, u64)| {
        let value = value.unwrap_or(default);
        if !(least..=most).contains(&value) {
            reasons.push(format!("history.{name}: {value} is not between {least} and {most}"));
        }
        value
    };
    let memory_mib = within("memory_mib", raw.memory_mib, HISTORY_RING_BYTES as u64 / MIB, (1, 1_024));
    let disk_mib = within("disk_mib", raw.disk_mib, HISTORY_DISK_BYTES / MIB, (8, 65_536));
    let days = within("disk_days", raw.disk_days, u64::from(HISTORY_DISK_DAYS), (1, 365));
    let disk = raw.directory.clone().map(|directory| HistoryDisk {
        directory,
        bytes: disk_mib.saturating_mul(MIB),
        age: DAY.saturating_mul(u32::try_from(days).unwrap_or(u32::MAX)),
    });
    HistoryConfig { bytes: memory_mib.saturating_mul(MIB) as usize, disk }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_checked_whether_or_not_there_is_a_directory() {
        let mut reasons = Vec::new();
        let raw =
            RawHistory { memory_mib: Some(0), disk_mib: Some(7), disk_days: Some(366), directory: None };
        history(&raw, &mut reasons);
        assert_eq!(
            reasons,
            [
                "history.memory_mib: 0 is not between 1 and 1024",
                "history.disk_mib: 7 is not between 8 and 65536",
                "history.disk_days: 366 is not between 1 and 365"
            ]
        );
        let raw = RawHistory { directory: Some("/x".into()), ..RawHistory::default() };
        let disk = history(&raw, &mut Vec::new()).disk;
        assert_eq!(disk, Some(HistoryDisk::in_directory("/x")));
    }
}
