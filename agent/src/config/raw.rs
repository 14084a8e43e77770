//! The configuration file, word by word. Unknown fields are refused, so that a misspelt one is not silently ignored.

use std::path::{Path, PathBuf};

use kubeplex_program::configuration::{self, Malformed, Value};
use serde::Deserialize;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default, expecting = "a configuration")]
pub struct RawConfig {
    /// The cluster's name, the one that the gateway's configuration holds the token's hash under.
    pub cluster: String,
    pub gateway: RawGateway,
    pub link: RawLink,
    pub serve: RawServe,
    pub kubernetes: RawKubernetes,
    pub watch: RawWatch,
    pub secrets: RawSecrets,
    pub deny: RawDeny,
    pub limits: RawLimits,
    pub history: RawHistory,
    pub admin: RawAdmin,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default, expecting = "a section")]
pub struct RawGateway {
    /// `wss://gateway.example.com`; `ws://` to loopback only.
    pub url: String,
    pub token: Option<String>,
    pub token_file: Option<PathBuf>,
    /// PEM, for a gateway whose certificate a private authority signed.
    pub ca_file: Option<PathBuf>,
    /// `http://[user:password@]proxy:port`, in place of what the environment says.
    pub proxy_url: Option<String>,
}

/// How patient the agent is with its link, in seconds.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default, expecting = "a section")]
pub struct RawLink {
    pub dial_timeout_s: Option<u64>,
    pub reconnect_max_s: Option<u64>,
    pub stable_after_s: Option<u64>,
    pub max_age_s: Option<u64>,
    pub drain_s: Option<u64>,
}

/// Where gateways dial the agent; without an address nowhere.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default, expecting = "a section")]
pub struct RawServe {
    pub listen: Option<String>,
    /// PEM, the agent's own first; not needed on loopback.
    pub cert_file: Option<PathBuf>,
    pub key_file: Option<PathBuf>,
    /// Of the token that gateways show, in hexadecimal.
    pub token_sha256: Option<String>,
}

/// Without this section: the service account of the pod.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default, expecting = "a section")]
pub struct RawKubernetes {
    pub kubeconfig: Option<PathBuf>,
    pub context: Option<String>,
    /// `impersonate`, `refused` or `own`.
    pub live_reads: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default, expecting = "a section")]
pub struct RawWatch {
    /// `builtin` or `on-demand`.
    pub mode: Option<String>,
    /// Exact names: where to watch what can't be watched in the whole cluster.
    pub namespaces: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default, expecting = "a section")]
pub struct RawSecrets {
    /// `never` or `metadata`.
    pub watch: Option<String>,
    pub tls_dates: Option<bool>,
    pub helm_releases: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default, expecting = "a section")]
pub struct RawDeny {
    /// Patterns over kinds: `secrets`, `*.cert-manager.io`.
    pub kinds: Vec<String>,
    /// Patterns over namespaces.
    pub namespaces: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default, expecting = "a section")]
pub struct RawLimits {
    pub calls_in_flight: Option<usize>,
    pub calls_per_second: Option<u32>,
    pub lists_at_once: Option<usize>,
    pub on_demand_kinds: Option<usize>,
    pub on_demand_idle_s: Option<u64>,
}

/// What is remembered of changes.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default, expecting = "a section")]
pub struct RawHistory {
    pub memory_mib: Option<u64>,
    /// Without one nothing outlasts a restart.
    pub directory: Option<PathBuf>,
    pub disk_mib: Option<u64>,
    pub disk_days: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default, expecting = "a section")]
pub struct RawAdmin {
    /// Health and metrics; loopback, unless `on_network`.
    pub listen: Option<String>,
    /// Whoever reaches the listener may ask: probes and metrics come from another machine.
    pub on_network: bool,
}

/// Why a configuration can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("it can't be read")]
    Unreadable(#[from] std::io::Error),
    /// An unknown key or a value of the wrong type: said alone, because what is beside it was not read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl RawConfig {
    /// Reads a TOML file, and above it the environment: `KUBEPLEX_AGENT__GATEWAY__URL` is `gateway.url`.
    ///
    /// # Errors
    /// The file's syntax, an unknown key, a value of the wrong type; the first of them, with its place.
    pub fn load(file: Option<&Path>, environment: Vec<(String, String)>) -> Result<Self, ConfigError> {
        let text = file.map(std::fs::read_to_string).transpose()?.unwrap_or_default();
        Ok(configuration::parse_with_environment(&text, "KUBEPLEX_AGENT", environment, typed)?)
    }
}

/// An environment has texts alone, and a cluster may well be called 012345678901 or 1e3: only where the file has a list,
/// a number or a switch is the text read as one.
fn typed(key: &str, text: String) -> Value {
    match (key.split('.').next(), key) {
        (Some("deny"), _) | (_, "watch.namespaces") => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            items.map(str::to_owned).collect::<Vec<_>>().into()
        }
        // What is no number is refused as the text that it is.
        (Some("limits" | "link"), _)
        | (_, "history.memory_mib" | "history.disk_mib" | "history.disk_days") => {
            text.parse::<i64>().map_or_else(|_| text.into(), Value::from)
        }
        (_, "admin.on_network" | "secrets.tls_dates" | "secrets.helm_releases") => {
            text.parse::<bool>().map_or_else(|_| text.into(), Value::from)
        }
        _ => text.into(),
    }
}
