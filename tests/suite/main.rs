//! The suite over the whole: the same questions to simulated clusters and to real API servers.

mod bad_input;
mod faults;
mod ground;
mod reading;
