//! What is kept on a disk: changes of anything but a status, compressed, for days, and beyond a restart.
//!
//! A directory of files that are only appended to. Nothing here is fast enough for an async thread.

mod frame;
mod segments;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use kubeplex_proto::changes::Gap;
use kubeplex_proto::status::AgentError;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::record::Record;
use crate::query::ScanBudget;

pub(super) use frame::Line;
pub(crate) use segments::Bounds;
use segments::Segments;

/// Says until when somebody recorded, whether or not anything happened.
const ALIVE: &str = "alive";

/// Held while a process writes into the directory.
const LOCK: &str = "lock";

/// The tier of one agent.
pub(super) struct Disk {
    directory: PathBuf,
    segments: Mutex<Segments>,
    _lock: File,
}

/// What was read from it.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) records: Vec<Record>,
    pub(super) gaps: Vec<Gap>,
}

#[derive(Serialize, Deserialize)]
struct GapLine {
    gap: Gap,
}

/// A gap as it is written between changes.
pub(super) fn gap_line(gap: &Gap) -> Option<Line> {
    let json = serde_json::to_vec(&GapLine { gap: gap.clone() }).ok()?;
    Some((gap.to_ms, json.into()))
}

impl Disk {
    /// # Errors
    /// A directory that can't be used, or that another process uses.
    pub(super) fn open(directory: &Path, bounds: Bounds) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let lock = File::create(directory.join(LOCK))?;
        lock.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => {
                io::Error::new(io::ErrorKind::ResourceBusy, "another process records there")
            }
            fs::TryLockError::Error(error) => error,
        })?;
        let segments = Mutex::new(Segments::open(directory, bounds)?);
        Ok(Self { directory: directory.to_owned(), segments, _lock: lock })
    }

    /// When the first change was that is kept.
    pub(super) fn first_ms(&self) -> Option<i64> {
        self.segments.lock().first_ms()
    }

    /// Up to when all that happened is known to be here.
    pub(super) fn alive_ms(&self) -> Option<i64> {
        let said = fs::read_to_string(self.directory.join(ALIVE)).ok();
        said.and_then(|text| text.trim().parse::<i64>().ok()).or_else(|| self.segments.lock().last_ms())
    }

    /// Writes what happened since the last time, and that all that happened up to `alive_ms` is here.
    ///
    /// # Errors
    /// Those of the disk: what could not be written is lost.
    pub(super) fn write(&self, lines: &[Line], alive_ms: Option<i64>, now_ms: i64) -> io::Result<()> {
        {
            let mut segments = self.segments.lock();
            segments.append(lines)?;
            segments.prune(now_ms)?;
        }
        let Some(alive_ms) = alive_ms else { return Ok(()) };
        let whole = self.directory.join(format!("{ALIVE}.new"));
        fs::write(&whole, alive_ms.to_string())?;
        fs::rename(whole, self.directory.join(ALIVE))
    }

    pub(super) fn bytes(&self) -> u64 {
        self.segments.lock().bytes()
    }

    pub(super) fn dropped_segments(&self) -> u64 {
        self.segments.lock().dropped
    }

    /// What is kept of a span of time, both ends included. A file that is gone or torn meanwhile is read as far as it is
    /// whole.
    ///
    /// # Errors
    /// `timeout` when the budget is used up.
    pub(super) fn read(&self, from_ms: i64, to_ms: i64, budget: &ScanBudget) -> Result<Kept, AgentError> {
        let paths = self.segments.lock().between(from_ms, to_ms);
        let mut kept = Kept::default();
        for path in paths {
            let Ok(content) = fs::read(&path) else { continue };
            let mut rest = content.as_slice();
            while let Some((head, payload)) = frame::first(rest) {
                budget.check()?;
                rest = &rest[head.len()..];
                if head.first_ms <= to_ms
                    && head.last_ms >= from_ms
                    && let Ok(text) = frame::lines(payload)
                {
                    kept.take(&text, from_ms, to_ms);
                }
            }
        }
        Ok(kept)
    }
}

impl Kept {
    fn take(&mut self, text: &[u8], from_ms: i64, to_ms: i64) {
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            if line.starts_with(b"{\"gap\":") {
                let gap = serde_json::from_slice::<GapLine>(line).ok().map(|line| line.gap);
                self.gaps.extend(
                    gap.filter(|gap| gap.to_ms >= from_ms && gap.from_ms.is_none_or(|from| from <= to_ms)),
                );
            } else if let Ok(record) = serde_json::from_slice::<Record>(line)
                && (from_ms..=to_ms).contains(&record.at_ms)
            {
                self.records.push(record);
            }
        }
    }
}

#[cfg(test)]
#[path = "disk_tests.rs"]
mod tests;
