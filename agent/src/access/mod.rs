//! How an API server is reached: what a kubeconfig says of it, and who the agent is to it.
//!
//! [`kubeconfig`] reads the files that kubectl would read; [`Context`] is one of its contexts with what kubectl makes of
//! it, proxies and checks of certificates included; [`credentials`] are those that do not last.

mod connect;
mod context;
pub mod credentials;
pub mod kubeconfig;
mod proxy;
#[cfg(test)]
mod tests;

pub use connect::{connect, tuned};
pub use context::{Context, ContextError, Server};
