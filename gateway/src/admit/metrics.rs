//! What is counted about calls that are not let in.

use metrics::Counter;

use crate::telemetry::Telemetry;
use crate::tools::Class;

/// Refusals for a caller above their rate by class, and for want of places.
#[derive(Debug)]
pub(super) struct AdmissionMetrics {
    rate_limited: [Counter; Class::ALL.len()],
    pub(super) no_call: Counter,
    pub(super) no_legs: Counter,
}

impl AdmissionMetrics {
    pub(super) fn new(telemetry: &Telemetry) -> Self {
        let full = |of| metrics::counter!("kubeplex_gateway_calls_full_total", "of" => of);
        telemetry.register(|| {
            Self {
            rate_limited: Class::ALL.map(|class| {
                metrics::counter!("kubeplex_gateway_calls_rate_limited_total", "class" => class.as_str())
            }),
            no_call: full("calls"),
            no_legs: full("legs"),
        }
        })
    }

    pub(super) fn rate_limited(&self, class: Class) {
        self.rate_limited[class.index()].increment(1);
    }
}
