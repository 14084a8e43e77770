//! What is counted about connections.

use metrics::{Counter, Gauge};

use super::pace::Overdue;
use crate::telemetry::Telemetry;

/// Connections of one listener.
#[derive(Clone)]
pub(super) struct ConnectionMetrics {
    pub(super) open: Gauge,
    /// Turned away, because their network has as many as it may.
    pub(super) refused: Counter,
    given_up: [(Overdue, Counter); 3],
}

impl ConnectionMetrics {
    pub(super) fn new(telemetry: &Telemetry, listener: &'static str) -> Self {
        telemetry.register(|| Self {
            open: metrics::gauge!("kubeplex_gateway_connections", "listener" => listener),
            refused: metrics::counter!("kubeplex_gateway_connections_refused_total", "listener" => listener),
            given_up: Overdue::ALL.map(|why| {
                let (name, reason) = ("kubeplex_gateway_connections_given_up_total", why.as_str());
                (why, metrics::counter!(name, "listener" => listener, "reason" => reason))
            }),
        })
    }

    pub(super) fn given_up(&self, why: Overdue) {
        for (reason, counter) in &self.given_up {
            if *reason == why {
                counter.increment(1);
            }
        }
    }
}
