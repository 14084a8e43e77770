//! The gateway's end of the links: where agents dial in, and the conversation that keeps each link known and alive.
//!
//! `endpoint` authenticates an agent and takes its connection over, `direct` dials one that listens; `session` runs one
//! connection; `control` is the conversation on it, the same in process (`in_process`); `place` is what a link is to its
//! cluster. Why there is none is told once by `said`: of those that are not let in (`denied`), and of attempts to dial
//! (`attempt`).

mod attempt;
mod control;
mod credentials;
mod denied;
mod direct;
mod endpoint;
mod in_process;
mod inflow;
mod metrics;
mod place;
mod said;
mod session;

pub use credentials::Credentials;
pub use endpoint::LinkEndpoint;

use kubeplex_link::timings::Timings;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::direct::Routes;
use self::metrics::LinkMetrics;
use self::said::Said;
use crate::registry::Registry;
use crate::telemetry::Telemetry;

/// What every link of a gateway needs.
#[derive(Clone)]
pub struct Links {
    registry: Registry,
    timings: Timings,
    tracker: TaskTracker,
    stop: CancellationToken,
    metrics: LinkMetrics,
    routes: Routes,
    said: Said,
}

impl Links {
    /// Links that enter `registry`. Their tasks belong to `tracker`; `stop` drains them.
    pub fn new(registry: Registry, timings: Timings, tracker: TaskTracker, stop: CancellationToken) -> Self {
        let (metrics, routes, said) = (LinkMetrics::default(), Routes::default(), Said::default());
        Self { registry, timings, tracker, stop, metrics, routes, said }
    }

    /// The same links, counted.
    pub(crate) fn counted(self, telemetry: &Telemetry) -> Self {
        Self { metrics: LinkMetrics::new(telemetry), ..self }
    }

    /// Where the links are entered.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }
}
