//! The gateway from outside: real listeners, raw HTTP, and agents written by hand that do whatever a test needs.

mod agent;
mod answers;
mod client;
mod faults;
mod protocol;
mod shutdown;
mod world;
