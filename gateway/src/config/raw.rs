//! The configuration file as it is written: every key, its unit and its default. Nothing is checked here beyond the types.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::CallerSection;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default, expecting = "a configuration")]
pub(super) struct RawConfig {
    pub(super) gateway: RawGateway,
    pub(super) mcp: RawMcp,
    pub(super) limits: RawLimits,
    pub(super) rates: RawRates,
    pub(super) link: RawLink,
    pub(super) health: RawHealth,
    #[serde(rename = "cluster")]
    pub(super) clusters: Vec<RawCluster>,
    #[serde(rename = "caller")]
    pub(super) callers: Vec<CallerSection>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default, expecting = "a section")]
pub(super) struct RawGateway {
    /// MCP clients and agents; `127.0.0.1:7575`.
    pub(super) listen: Option<String>,
    pub(super) tls: RawTls,
    /// A proxy in front terminates TLS, so whoever comes through it is a stranger, from loopback too.
    pub(super) behind_tls_proxy: bool,
    /// Health and metrics; `127.0.0.1:7576`.
    pub(super) admin: Option<String>,
    /// Health and metrics may be asked for from a network, by anybody.
    pub(super) admin_on_network: bool,
    /// A file with 32 bytes in base64 that seal cursors, so that they outlive a restart; without it the key is random.
    pub(super) cursor_key_file: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default, expecting = "a section")]
pub(super) struct RawTls {
    /// PEM: the gateway's certificate, and those that lead from it to an authority.
    pub(super) cert_file: Option<String>,
    /// PEM: its private key.
    pub(super) key_file: Option<String>,
    /// How often both are looked at; 10,000.
    pub(super) check_every_ms: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default, expecting = "a section")]
pub(super) struct RawMcp {
    /// Host names, beside the loopback ones, under which clients may address the gateway.
    pub(super) allowed_hosts: Vec<String>,
    /// Origins, beside loopback ones, whose pages may call the gateway: `https://host`, `https://host:port`.
    pub(super) allowed_origins: Vec<String>,
    /// Adds the tools, prompts and resources that the official conformance suite asks for. Never in production.
    pub(super) conformance_fixtures: bool,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default, expecting = "a section")]
pub(super) struct RawLimits {
    pub(super) request_bytes: Option<usize>,
    pub(super) calls_in_flight: Option<usize>,
    pub(super) requests_in_flight: Option<usize>,
    pub(super) requests_per_caller: Option<usize>,
    pub(super) legs_in_flight: Option<usize>,
    pub(super) legs_per_call: Option<usize>,
    pub(super) answer_bytes: Option<usize>,
    pub(super) result_cache_bytes: Option<u64>,
    pub(super) legs_per_cluster: Option<usize>,
    pub(super) sessions: Option<usize>,
    pub(super) sessions_per_caller: Option<usize>,
    pub(super) session_idle_ms: Option<u64>,
    pub(super) connections: Option<usize>,
    pub(super) connections_per_address: Option<usize>,
    pub(super) request_head_ms: Option<u64>,
    pub(super) request_body_ms: Option<u64>,
    pub(super) connection_idle_ms: Option<u64>,
    pub(super) slow_reader_ms: Option<u64>,
    pub(super) drain_ms: Option<u64>,
}

/// How much a caller may use up a second, and at once.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default, expecting = "a section")]
pub(super) struct RawRates {
    pub(super) requests_per_second: Option<u32>,
    pub(super) requests_burst: Option<u32>,
    pub(super) initialize_per_second: Option<u32>,
    pub(super) initialize_burst: Option<u32>,
    pub(super) strangers_per_second: Option<u32>,
    pub(super) strangers_burst: Option<u32>,
    pub(super) fleet_per_second: Option<u32>,
    pub(super) fleet_burst: Option<u32>,
    pub(super) cached_per_second: Option<u32>,
    pub(super) cached_burst: Option<u32>,
    pub(super) live_per_second: Option<u32>,
    pub(super) live_burst: Option<u32>,
    /// Whether whoever calls from this machine without a token is limited as well.
    pub(super) limit_local_user: bool,
}

/// How links are watched, in milliseconds.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default, expecting = "a section")]
pub(super) struct RawLink {
    /// How often each end says that it is alive, before jitter.
    pub(super) heartbeat_ms: Option<u64>,
    /// Silence after which the other end is suspected to be gone.
    pub(super) suspect_after_ms: Option<u64>,
    /// Silence after which it is gone.
    pub(super) lost_after_ms: Option<u64>,
    /// From a handshake to the agent's first word.
    pub(super) hello_ms: Option<u64>,
    /// For an answer of the agent that serves, before another may have its place.
    pub(super) probe_ms: Option<u64>,
    /// Two agents of one cluster side by side for so long are an alarm.
    pub(super) two_agents_ms: Option<u64>,
    /// How long a link is used.
    pub(super) max_age_ms: Option<u64>,
    /// For calls under way on a link that was replaced.
    pub(super) retire_ms: Option<u64>,
    /// For calls under way when the gateway stops.
    pub(super) drain_ms: Option<u64>,
    /// What an agent is asked to wait that finds no room.
    pub(super) retry_after_ms: Option<u64>,
    /// Agents that may be arriving at once.
    pub(super) arrivals: Option<usize>,
    /// For reaching an agent that is dialled.
    pub(super) dial_ms: Option<u64>,
    /// The longest pause between two attempts to dial.
    pub(super) reconnect_max_ms: Option<u64>,
    /// After so long a link's end is no failed attempt.
    pub(super) stable_after_ms: Option<u64>,
}

/// From where on something is a reason against a cluster.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default, expecting = "a section")]
pub(super) struct RawHealth {
    /// Milliseconds in which an API server says whether it is ready.
    pub(super) api_slow_ms: Option<u64>,
    /// Nodes that are not ready, in percent.
    pub(super) nodes_critical_percent: Option<u8>,
    /// Workloads that lack replicas, in percent.
    pub(super) workloads_critical_percent: Option<u8>,
    /// Of what nodes have, in percent.
    pub(super) requested_percent: Option<u8>,
    /// Of what nodes have, in percent.
    pub(super) used_percent: Option<u8>,
    /// Between a cluster and its agent, in milliseconds.
    pub(super) clock_offset_ms: Option<u64>,
    /// Until the end of a certificate.
    pub(super) certificate_days: Option<u32>,
    /// Minor releases behind the newest cluster.
    pub(super) minors_behind: Option<u32>,
    /// Minor releases until a version of an API that is used goes.
    pub(super) deprecated_minors: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, expecting = "a section")]
pub(super) struct RawCluster {
    pub(super) name: String,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
    /// SHA-256 of the agent's token, in hexadecimal; without it no agent can link as this cluster.
    pub token_sha256: Option<String>,
    /// `https://agent.example.com`; `http://` to loopback only. The gateway dials the agent there.
    pub(super) url: Option<String>,
    /// The token that the agent wants to see.
    pub(super) token_file: Option<PathBuf>,
    /// PEM, for an agent whose certificate a private authority signed.
    pub(super) ca_file: Option<PathBuf>,
}
