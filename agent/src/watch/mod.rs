//! Keeps one kind of one cluster current: list, watch, and everything that goes wrong in between.
//!
//! [`machine`] decides and does no I/O; [`driver`] does what it says; [`applier`] writes to the kind's store. [`run`] decides
//! how many watches there are: one, or one for each namespace where the whole cluster can't be watched.

mod applier;
mod belief;
mod context;
mod driver;
mod event;
mod failure;
mod feed;
mod handle;
mod intake;
mod machine;
mod open;
mod permission;
mod phase;
mod rights;
mod run;
mod step;
mod table_rows;
mod timings;
mod unreadable;
mod version;
mod witness;
mod writes;

pub(crate) use context::WatchContext;
pub(crate) use event::{ObjectHead, WatchEvent};
pub(crate) use intake::Intake;
pub(crate) use open::watch_query;
pub(crate) use rights::{OwnRights, Place, Right, Verb};
pub(crate) use run::{Exit, run};
pub(crate) use witness::{Fate, Sighting, Way, Witness, Witnesses};

pub use belief::{KindStatus, Seen};
pub use handle::KindHandle;
pub use timings::WatchTimings;
pub(crate) use timings::spread;
