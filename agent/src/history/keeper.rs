//! Carries what is recorded to a disk, beside the async threads.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::History;
use super::disk::{Bounds, Disk};
use crate::config::HistoryDisk;
use crate::gauges;
use crate::workers::Workers;

/// What a crash may cost of what was recorded.
const WRITTEN_EVERY: Duration = Duration::from_secs(5);

/// Writes until `cancel`, and then what is left. Where the directory can't be used, what happens is remembered in memory
/// alone, and that is said.
pub(crate) async fn keep(
    history: Arc<History>,
    settings: HistoryDisk,
    workers: Workers,
    cancel: CancellationToken,
) {
    let directory = settings.directory.clone();
    let age_ms = i64::try_from(settings.age.as_millis()).unwrap_or(i64::MAX);
    let bounds = Bounds { bytes: settings.bytes, age_ms };
    let opened = workers.run(move || Disk::open(&settings.directory, bounds)).await;
    match opened {
        Ok(Ok(disk)) => history.has_opened(disk),
        Ok(Err(error)) => {
            tracing::warn!(
                directory = %directory.display(),
                error = &error as &dyn std::error::Error,
                "changes are remembered in memory alone: the directory of [history] can't be used"
            );
            return history.has_no_disk();
        }
        Err(_) => return history.has_no_disk(),
    }
    loop {
        let stops = cancel.run_until_cancelled(sleep(WRITTEN_EVERY)).await.is_none();
        let writer = Arc::clone(&history);
        match workers.run(move || writer.write_down()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(
                directory = %directory.display(),
                error = &error as &dyn std::error::Error,
                "changes could not be written to the disk; they are in memory"
            ),
            Err(_) => return,
        }
        if stops {
            return;
        }
    }
}

impl History {
    /// Writes what was recorded since the last time, and that the agent still records.
    ///
    /// # Errors
    /// Those of the disk. What could not be written is declared as a gap with the next that can.
    fn write_down(&self) -> io::Result<()> {
        let Some(disk) = self.disk.get() else { return Ok(()) };
        let (lines, settled) = self.take_pending();
        let now_ms = self.clock.cluster_now_ms();
        let written = disk.write(&lines, settled.then_some(now_ms), now_ms);
        if written.is_err() {
            self.lost(&lines);
        }
        gauges::hold("kubeplex_agent_history_disk_bytes", disk.bytes() as f64);
        gauges::hold("kubeplex_agent_history_dropped_segments", disk.dropped_segments() as f64);
        written
    }
}
