//! What the tests of several crates need, written once: an agent made by hand ([`agent`]), counters of what is under way
//! ([`counter`]), and the reading of example files as manuals ([`example`]).
//!
//! Only tests depend on it, and it on nothing but the protocol, so that every crate's tests can.

pub mod agent;
pub mod counter;
pub mod example;
