//! The link between an agent and the gateway: HTTP/2 inside a WebSocket that the agent dials, or on a connection that the
//! gateway dials ([`direct`]).
//!
//! Whoever opens the connection, the agent *serves* and the gateway is the *client*. Requests, flow control,
//! cancellation and draining are HTTP/2's own, so nothing here multiplexes. From the wire upwards:
//!
//! | layer | module |
//! |---|---|
//! | TCP or a [`proxy`]'s tunnel, and TLS to whatever terminates it outside | [`dial`] (agent), [`accept`] (gateway), [`direct`] |
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
pub mod certificate;
pub mod credential;
pub mod dial;
pub mod direct;
pub mod frames;
pub mod http2;
pub mod identity;
pub mod limits;
pub mod liveness;
pub mod proxy;
mod reason;
pub mod secure;
pub mod tasks;
pub mod timings;
pub mod token;
pub mod trust;
pub mod url;
pub mod websocket;

pub use reason::reason;
