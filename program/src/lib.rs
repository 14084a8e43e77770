//! What the programs have in common: how they log, print, are told to end, and say why they failed.
//!
//! A crate of its own, because neither the gateway nor the agent may depend on the other, and a person who runs both should
//! have to learn one rule only. It is for `main` and its helpers; libraries know nothing of it.

pub mod failure;
pub mod logging;
pub mod output;
pub mod signals;
