//! What is counted about what is kept.

use metrics::Counter;

use crate::telemetry::Telemetry;

/// How often something kept could be given.
pub(super) struct Metrics {
    hit: Counter,
    /// The cluster was asked, and had nothing new to say.
    revalidated: Counter,
    missed: Counter,
}

/// What came of looking for something that could have been kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Hit,
    Revalidated,
    Missed,
}

impl Metrics {
    pub(super) fn of_answers(telemetry: &Telemetry) -> Self {
        Self::new(telemetry, "answer")
    }

    pub(super) fn of_pages(telemetry: &Telemetry) -> Self {
        Self::new(telemetry, "page")
    }

    fn new(telemetry: &Telemetry, kept: &'static str) -> Self {
        let counter = |outcome| metrics::counter!("kubeplex_gateway_kept_results_total", "kept" => kept, "outcome" => outcome);
        telemetry.register(|| Self {
            hit: counter("hit"),
            revalidated: counter("revalidated"),
            missed: counter("missed"),
        })
    }

    pub(super) fn count(&self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Hit => &self.hit,
            Outcome::Revalidated => &self.revalidated,
            Outcome::Missed => &self.missed,
        };
        counter.increment(1);
    }
}
