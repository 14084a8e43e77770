//! What all answers of a call for rows may still bring.

use std::sync::atomic::{AtomicU64, Ordering};

use kubeplex_proto::status::LegStatus;

use crate::merge::LegFailure;

/// A number of bytes that the legs of a call share.
pub(super) struct Room {
    whole: u64,
    left: AtomicU64,
}

impl Room {
    pub(super) fn new(bytes: u64) -> Self {
        Self { whole: bytes, left: AtomicU64::new(bytes) }
    }

    /// # Errors
    /// The failure of the leg that does not fit any more.
    pub(super) fn take(&self, bytes: u64) -> Result<(), LegFailure> {
        let taken =
            self.left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        taken.map(|_| ()).map_err(|_| {
            let message = format!(
                "not read to the end, because all answers together are longer than {} bytes; ask for fewer rows, fields or \
                 clusters",
                self.whole
            );
            LegFailure::new(LegStatus::Error, message)
        })
    }
}
