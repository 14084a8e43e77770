//! The whole, for tests and benchmarks: real gateways and agents over simulated or real clusters.
//!
//! [`fleet`] starts one in this process on free ports, [`real`] finds real API servers, [`server`] asks an API server what
//! is true, [`rows`] reads answers, [`program`] runs the programs as processes, [`wait`] waits on values, [`quick`] has links
//! and watches that wait for little, [`caller`] who may ask, [`usage`] says what this process holds.

pub mod caller;
pub mod fleet;
pub mod heap;
pub mod program;
pub mod quick;
pub mod real;
pub mod rows;
pub mod server;
pub mod usage;
pub mod wait;
