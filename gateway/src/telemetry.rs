//! Where metrics go: one recorder for each gateway, rendered by its admin listener.
//!
//! Not the process-wide recorder of the `metrics` crate, because one process may hold several gateways (tests do) and their
//! numbers must not mix. Each subsystem asks for its handles once, when it is made; labels are closed sets or configured
//! names.

use std::fmt;
use std::sync::Arc;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::limits::METRICS_UPKEEP;

/// Bounds of every duration, in seconds.
const SECONDS: [f64; 12] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

/// A gateway's metrics.
#[derive(Clone)]
pub struct Telemetry(Arc<PrometheusRecorder>);

impl Telemetry {
    pub fn new() -> Self {
        let builder = PrometheusBuilder::new().set_buckets(&SECONDS);
        Self(Arc::new(builder.unwrap_or_else(|_| PrometheusBuilder::new()).build_recorder()))
    }

    /// Runs `register`, in which the macros of the `metrics` crate make handles that report here.
    pub fn register<T>(&self, register: impl FnOnce() -> T) -> T {
        metrics::with_local_recorder(&*self.0, register)
    }

    /// Every duration is kept by itself until it is put into its bucket: by whoever asks for the metrics, and by this where
    /// nobody does.
    pub(crate) async fn keep_small(self, stop: CancellationToken) {
        let mut rhythm = interval(METRICS_UPKEEP);
        rhythm.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(rhythm.tick()).await.is_some() {
            self.0.handle().run_upkeep();
        }
    }

    /// The Prometheus text format.
    pub fn render(&self) -> String {
        let handle = self.0.handle();
        handle.run_upkeep();
        handle.render()
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Telemetry")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_gateways_do_not_share_numbers() {
        let (one, other) = (Telemetry::new(), Telemetry::new());
        let counter = one.register(|| metrics::counter!("kubeplex_test_total"));
        other.register(|| metrics::counter!("kubeplex_test_total")).increment(5);
        counter.increment(2);
        assert!(one.render().contains("kubeplex_test_total 2"), "{}", one.render());
        assert!(other.render().contains("kubeplex_test_total 5"), "{}", other.render());
    }
}
