//! What callers of the simulated API server rely on, through its tower service.

mod harness;
mod discovery;
mod lists;
mod watches;
