//! The section `health`.

use super::super::raw::RawHealth;
use super::Mistakes;
use crate::health::HealthThresholds;

impl Mistakes {
    pub(super) fn health(&mut self, raw: &RawHealth) -> HealthThresholds {
        let default = HealthThresholds::default();
        HealthThresholds {
            api_slow_ms: raw.api_slow_ms.unwrap_or(default.api_slow_ms),
            nodes_critical_percent: self.percent(
                "nodes_critical_percent",
                raw.nodes_critical_percent,
                default.nodes_critical_percent,
            ),
            workloads_critical_percent: self.percent(
                "workloads_critical_percent",
                raw.workloads_critical_percent,
                default.workloads_critical_percent,
            ),
            requested_percent: self.percent(
                "requested_percent",
                raw.requested_percent,
                default.requested_percent,
            ),
            used_percent: self.percent("used_percent", raw.used_percent, default.used_percent),
            clock_offset_ms: raw.clock_offset_ms.unwrap_or(default.clock_offset_ms),
            certificate_days: raw.certificate_days.unwrap_or(default.certificate_days),
            minors_behind: raw.minors_behind.unwrap_or(default.minors_behind),
            deprecated_minors: raw.deprecated_minors.unwrap_or(default.deprecated_minors),
        }
    }

    /// More than all can be requested.
    fn percent(&mut self, key: &str, value: Option<u8>, default: u8) -> u8 {
        if value == Some(0) {
            self.add(format!("health.{key}"), "0 percent is true of every cluster; write at least 1");
        }
        value.unwrap_or(default)
    }
}
