//! Keeps one kind of one cluster current: list, watch, and everything that goes wrong in between.
//!
//! [`machine`] decides and does no I/O; [`driver`] does what it says; [`applier`] is the one writer of a kind's store.

mod applier;
mod driver;
mod event;
mod failure;
mod handle;
mod intake;
mod machine;
mod open;
mod phase;
mod step;
mod table_rows;
mod timings;
mod unreadable;
mod version;

pub(crate) use driver::{Exit, WatchContext, run};
pub(crate) use intake::Intake;

pub use handle::{KindHandle, KindStatus};
pub use timings::WatchTimings;
