//! What the programs have in common: how they read a configuration, log, print, say how they are, are told to end, and say
//! why they failed.
//!
//! A crate of its own, because neither the gateway nor the agent may depend on the other, and a person who runs both should
//! have to learn one rule only. It is for `main`, its helpers, and what only programs have: a configuration file and a
//! listener for health. No other part of a library knows of it.

pub mod admin;
pub mod configuration;
pub mod failure;
pub mod logging;
pub mod output;
pub mod signals;
