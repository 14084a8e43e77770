//! What the facts of a cluster come to: one verdict, with its reasons. Pure; agents tell the facts, the configuration the
//! thresholds.

mod judge;
mod minor;
mod parts;
mod thresholds;

pub(crate) use judge::{Look, Reason, Verdict, judge, verdict};
pub(crate) use minor::{Minor, newest};
pub(crate) use parts::percent;
pub use thresholds::HealthThresholds;
