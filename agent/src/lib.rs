//! The agent: one cluster's watch-fed cache behind an HTTP service.
//!
//! Data flows one way: [`api`] talks to the API server, [`discovery`] and [`watch`] decide what to ask it, [`ingest`]
//! turns raw objects into redacted rows, [`cache`] holds them, [`query`] reads them, [`serve`] answers the gateway, and
//! [`link`] carries it there.

pub mod api;
pub mod cache;
pub mod clock;
pub mod columns;
pub mod config;
pub mod discovery;
pub mod ingest;
pub mod kinds;
pub mod limits;
pub mod link;
pub mod path;
pub mod query;
pub mod redact;
pub mod report;
pub mod serve;
pub mod watch;
