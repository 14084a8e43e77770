//! What callers of the simulated API server rely on, through its tower service.
#![expect(clippy::unwrap_used, reason = "a test that meets what it did not expect fails by panicking")]

mod access;
mod client;
mod company;
mod discovery;
mod faults;
mod harness;
mod lists;
mod motion;
mod replay;
mod scenario;
mod tables;
mod watches;
mod writes;
