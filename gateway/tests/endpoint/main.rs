//! The gateway from outside: real listeners, raw HTTP, and agents written by hand that do whatever a test needs.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod answers;
mod callers;
mod client;
mod connections;
mod faults;
mod floods;
mod kept;
mod protocol;
mod reload;
mod shutdown;
mod tls;
mod unread;
mod world;
