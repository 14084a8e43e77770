//! The suite over the whole: the same questions to simulated clusters and to real API servers.

mod bad_input;
mod columns;
mod command_line;
mod conversion;
mod cut_and_heal;
mod deployed;
mod dialled;
mod doctor;
mod expired;
mod faults;
mod ground;
mod leaks;
mod live_rights;
mod network;
mod processes;
mod protocol;
mod proxied;
mod quiet;
mod reading;
mod refused;
mod rights;
mod separate;
mod stdio;
mod stopped;
mod tokens;
mod writes;
