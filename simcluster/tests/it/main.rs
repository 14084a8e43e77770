//! What callers of the simulated API server rely on, through its tower service.

mod access;
mod client;
mod company;
mod discovery;
mod faults;
mod harness;
mod lists;
mod motion;
mod replay;
mod tables;
mod watches;
mod writes;
