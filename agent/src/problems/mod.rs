//! What is wrong in the cluster, and why.
//!
//! An [`Analyser`] is a pure function over one object and what it can look up of others; it names causes, with the evidence.
//! Verdicts are kept and made anew when what they were made from changes, so that nobody pays for them when they ask.

pub mod analysers;
mod cluster;
mod engine;
pub mod finding;
mod fold;
mod follow;
mod inbox;
mod judge;
mod look;
mod row;
mod sight;
pub mod thresholds;
mod told;
pub mod world;

pub use finding::{Evidence, Finding, ObjectRef, Severity, Verdict};
pub(crate) use fold::{Wanted, is_asked, shows};
pub(crate) use follow::{Looked, Problems};
pub(crate) use inbox::Inbox;
pub use world::{Subject, World};

/// Looks at one object. Says nothing where the object is well, or is not of its kind.
pub type Analyser = fn(&Subject<'_>, &dyn World, &mut Verdict);
