//! The gateway's end of the links: where agents dial in, and the conversation that keeps each link known and alive.
//!
//! `endpoint` authenticates an agent and takes its connection over; `session` runs one connection; `control` is the
//! conversation on it, the same for an agent in this process (`in_process`), and `place` what a link is to its cluster.

mod control;
mod credentials;
mod endpoint;
mod in_process;
mod place;
mod session;

pub use credentials::Credentials;
pub use endpoint::LinkEndpoint;

use kubeplex_link::timings::Timings;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::registry::Registry;

/// What every link of a gateway needs.
#[derive(Clone)]
pub struct Links {
    registry: Registry,
    timings: Timings,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Links {
    /// Links that enter `registry`. Their tasks belong to `tracker`; `stop` drains them.
    pub fn new(registry: Registry, timings: Timings, tracker: TaskTracker, stop: CancellationToken) -> Self {
        Self { registry, timings, tracker, stop }
    }

    /// Where the links are entered.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }
}
