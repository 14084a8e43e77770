//! The link between an agent and the gateway: HTTP/2 inside a WebSocket that the agent dials.
//!
//! The agent opens the connection and then *serves*; the gateway accepts it and is the *client*. Requests, flow control,
//! cancellation and draining are HTTP/2's own, so nothing here multiplexes. From the wire upwards:
//!
//! | layer | module |
//! |---|---|
//! | TCP, and TLS to whatever terminates it outside | [`dial`] (agent), [`accept`] (gateway) |
//! | counting received bytes as proof of life | [`activity`], judged by [`liveness`] |
//! | binary WebSocket messages as a byte stream | [`websocket`] |
//! | the place for end-to-end TLS | [`secure`] |
//! | HTTP/2 with its flow-control settings | [`http2`] |
//! | newline-delimited JSON in bodies | [`frames`] |
//!
//! All durations come from [`timings`], all sizes from [`limits`].

pub mod accept;
pub mod activity;
pub mod backoff;
pub mod dial;
pub mod frames;
pub mod http2;
pub mod limits;
pub mod liveness;
mod reason;
pub mod secure;
pub mod tasks;
pub mod timings;
pub mod trust;
pub mod url;
pub mod websocket;

pub use reason::reason;
