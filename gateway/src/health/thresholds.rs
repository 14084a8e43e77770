//! From where on something is a reason.

/// The section `health` of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthThresholds {
    /// An API server that takes longer for `/readyz` is slow, in milliseconds.
    pub api_slow_ms: u64,
    /// Where so many percent of the nodes are not ready, the cluster is in a critical state.
    pub nodes_critical_percent: u8,
    /// Where so many percent of the workloads lack replicas, likewise.
    pub workloads_critical_percent: u8,
    /// Requests for processors, memory or places for pods above so many percent of what nodes have.
    pub requested_percent: u8,
    /// Use of processors or memory, likewise.
    pub used_percent: u8,
    /// The cluster's clock less the agent's, in milliseconds, whichever is ahead.
    pub clock_offset_ms: u64,
    /// Certificates that end within so many days.
    pub certificate_days: u32,
    /// Minor releases behind the newest of the clusters asked.
    pub minors_behind: u32,
    /// A version of an API that is used, and that so many minor releases from the cluster's own serve no more, or fewer.
    pub deprecated_minors: u32,
}

impl Default for HealthThresholds {
    fn default() -> Self {
        Self {
            api_slow_ms: 1_000,
            nodes_critical_percent: 20,
            workloads_critical_percent: 20,
            requested_percent: 90,
            used_percent: 90,
            clock_offset_ms: 5_000,
            certificate_days: 14,
            minors_behind: 3,
            deprecated_minors: 1,
        }
    }
}
