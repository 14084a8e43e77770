//! The configuration file, word by word. Unknown fields are refused, so that a misspelt one is not silently ignored.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default)]
pub struct RawConfig {
    /// The cluster's name, the one that the gateway's configuration holds the token's hash under.
    pub cluster: String,
    pub gateway: RawGateway,
    pub kubernetes: RawKubernetes,
    pub watch: RawWatch,
    pub deny: RawDeny,
    pub limits: RawLimits,
    pub admin: RawAdmin,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default)]
pub struct RawGateway {
    /// `wss://gateway.example.com`; `ws://` to loopback only.
    pub url: String,
    pub token: Option<String>,
    pub token_file: Option<PathBuf>,
    /// PEM, for a gateway whose certificate a private authority signed.
    pub ca_file: Option<PathBuf>,
}

/// Without this section: the service account of the pod.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default)]
pub struct RawKubernetes {
    pub kubeconfig: Option<PathBuf>,
    pub context: Option<String>,
    /// `refused` or `own`.
    pub live_reads: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default)]
pub struct RawWatch {
    /// `builtin` or `on-demand`.
    pub mode: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default)]
pub struct RawDeny {
    /// Patterns over kinds: `secrets`, `*.cert-manager.io`.
    pub kinds: Vec<String>,
    /// Patterns over namespaces.
    pub namespaces: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default)]
pub struct RawLimits {
    pub calls_in_flight: Option<usize>,
    pub calls_per_second: Option<u32>,
    pub lists_at_once: Option<usize>,
    pub on_demand_kinds: Option<usize>,
    pub on_demand_idle_s: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default)]
pub struct RawAdmin {
    /// Health and metrics; loopback only.
    pub listen: Option<String>,
}

impl RawConfig {
    /// Reads a TOML file, and above it the environment: `KUBEPLEX_AGENT__GATEWAY__URL` is `gateway.url`.
    ///
    /// # Errors
    /// The file's syntax, an unknown field, a value of the wrong type, each with its place.
    pub fn load(
        file: Option<&Path>,
        environment: Vec<(String, String)>,
    ) -> Result<Self, config::ConfigError> {
        let mut builder = config::Config::builder();
        if let Some(file) = file {
            builder = builder.add_source(config::File::from(file).format(config::FileFormat::Toml));
        }
        let environment = config::Environment::with_prefix("KUBEPLEX_AGENT")
            .prefix_separator("__")
            .separator("__")
            .try_parsing(true)
            .list_separator(",")
            .with_list_parse_key("deny.kinds")
            .with_list_parse_key("deny.namespaces")
            .source(Some(environment.into_iter().collect()));
        builder.add_source(environment).build()?.try_deserialize()
    }
}
