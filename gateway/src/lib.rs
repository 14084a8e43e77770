//! The gateway: one MCP endpoint for many clusters.
//!
//! Start with [`pipeline`]: it is the picture of what happens to a call.

pub mod admin;
pub mod admit;
pub mod carrier;
pub mod config;
pub mod cursor;
pub mod error;
pub mod fanout;
pub mod fleet;
pub mod identify;
pub mod limits;
pub mod link;
pub mod mcp;
pub mod merge;
pub mod pipeline;
pub mod policy;
pub mod registry;
pub mod render;
pub mod request;
pub mod resolve;
pub mod tools;
