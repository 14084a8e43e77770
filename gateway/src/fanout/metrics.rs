//! What is counted about legs.

use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::status::LegStatus;
use metrics::{Counter, Gauge, Histogram};

use crate::telemetry::Telemetry;

const STATUSES: [(LegStatus, &str); 8] = [
    (LegStatus::Ok, "ok"),
    (LegStatus::Absent, "absent"),
    (LegStatus::Syncing, "syncing"),
    (LegStatus::Stale, "stale"),
    (LegStatus::Disconnected, "disconnected"),
    (LegStatus::Forbidden, "forbidden"),
    (LegStatus::Timeout, "timeout"),
    (LegStatus::Error, "error"),
];

/// The legs to one cluster. Cluster names are the configured ones, so the labels are a closed set.
pub(super) struct LegMetrics {
    by_status: [Counter; STATUSES.len()],
    seconds: Histogram,
    breaker_open: Gauge,
}

impl LegMetrics {
    pub(super) fn new(telemetry: &Telemetry, cluster: &ClusterId) -> Self {
        telemetry.register(|| Self {
            by_status: STATUSES.map(|(_, status)| {
                metrics::counter!("kubeplex_gateway_legs_total", "cluster" => cluster.to_string(), "status" => status)
            }),
            seconds: metrics::histogram!("kubeplex_gateway_leg_seconds", "cluster" => cluster.to_string()),
            breaker_open: metrics::gauge!("kubeplex_gateway_breaker_open", "cluster" => cluster.to_string()),
        })
    }

    pub(super) fn breaker(&self, open: bool) {
        self.breaker_open.set(if open { 1.0 } else { 0.0 });
    }

    /// A leg is over. `seconds` counts from its request; `None` where none was sent.
    pub(super) fn over(&self, status: LegStatus, seconds: Option<f64>) {
        for (counter, (known, _)) in self.by_status.iter().zip(STATUSES) {
            if known == status {
                counter.increment(1);
            }
        }
        if let Some(seconds) = seconds {
            self.seconds.record(seconds);
        }
    }
}
