//! What is counted about links.

use metrics::Counter;

use super::control::Ended;
use crate::telemetry::Telemetry;

/// Why links end; the label of each.
const ENDS: [&str; 11] = [
    "stopping",
    "closed",
    "replaced",
    "displaced",
    "dismissed",
    "left",
    "lost",
    "no_hello",
    "refused",
    "flooding",
    "broken",
];

/// Counts that a gateway's metrics show; those made by default go nowhere.
#[derive(Clone)]
pub(crate) struct LinkMetrics {
    opened: Counter,
    standing_by: Counter,
    ended: [Counter; ENDS.len()],
    turned_away: Counter,
    crowded: Counter,
}

impl LinkMetrics {
    pub(crate) fn new(telemetry: &Telemetry) -> Self {
        telemetry.register(Self::default)
    }

    /// An agent was welcomed.
    pub(super) fn welcomed(&self, standby: bool) {
        if standby { self.standing_by.increment(1) } else { self.opened.increment(1) }
    }

    pub(super) fn ended(&self, ended: &Ended) {
        let label = match ended {
            Ended::Stopping => "stopping",
            Ended::Closed => "closed",
            Ended::Replaced => "replaced",
            Ended::Displaced => "displaced",
            Ended::Dismissed => "dismissed",
            Ended::Left => "left",
            Ended::Lost(_) => "lost",
            Ended::NoHello => "no_hello",
            Ended::Refused(_) => "refused",
            Ended::Flooding => "flooding",
            Ended::Broken(_) => "broken",
        };
        for (counter, _) in self.ended.iter().zip(ENDS).filter(|(_, known)| *known == label) {
            counter.increment(1);
        }
    }

    /// Somebody was not let in who may come again, or should not.
    pub(super) fn denied(&self, crowded: bool) {
        if crowded { self.crowded.increment(1) } else { self.turned_away.increment(1) }
    }
}

impl Default for LinkMetrics {
    fn default() -> Self {
        Self {
            opened: metrics::counter!("kubeplex_gateway_links_total", "place" => "serving"),
            standing_by: metrics::counter!("kubeplex_gateway_links_total", "place" => "standby"),
            ended: ENDS
                .map(|reason| metrics::counter!("kubeplex_gateway_links_ended_total", "reason" => reason)),
            turned_away: metrics::counter!("kubeplex_gateway_agents_denied_total", "reason" => "turned_away"),
            crowded: metrics::counter!("kubeplex_gateway_agents_denied_total", "reason" => "crowded"),
        }
    }
}
