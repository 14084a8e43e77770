//! The whole, for tests and benchmarks: real gateways and agents over simulated or real clusters.
//!
//! [`fleet`] starts one in this process on free ports, [`real`] finds real API servers, [`wait`] waits on values.

pub mod fleet;
pub mod real;
pub mod wait;
