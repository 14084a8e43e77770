//! Keeps one kind of one cluster current: list, watch, and everything that goes wrong in between.

mod handle;
mod timings;

pub use handle::{KindHandle, KindStatus};
pub use timings::WatchTimings;
