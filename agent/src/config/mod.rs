//! The agent's configuration: what a file may say ([`RawConfig`]), and what the agent works from ([`AgentConfig`]).

mod history;
mod links;
mod raw;
mod reach;
mod validate;

use std::net::SocketAddr;
use std::path::PathBuf;

use kubeplex_link::certificate::CertificateFiles;
use kubeplex_link::credential::Credential;
use kubeplex_link::proxy::Proxies;
use kubeplex_link::timings::Timings;
use kubeplex_link::token::TokenHash;
use kubeplex_program::admin::Audience;
use kubeplex_proto::ids::ClusterId;

use crate::limits::Limits;
use crate::watch::WatchTimings;
use crate::workers::WorkOn;

pub use history::{HistoryConfig, HistoryDisk};
pub use raw::{ConfigError, RawConfig};
pub use reach::{Deny, SecretData, SecretsWatch, WatchedNamespaces};
pub use validate::InvalidConfig;

/// A valid configuration.
#[derive(Debug, Clone)]
pub struct AgentConfig {
    pub(crate) cluster: ClusterId,
    pub(crate) access: ClusterAccess,
    pub(crate) server: Option<String>,
    pub(crate) gateway: Option<GatewayTarget>,
    pub(crate) serve: Option<ServeTarget>,
    pub(crate) link: Timings,
    pub(crate) watch: WatchMode,
    pub(crate) namespaces: WatchedNamespaces,
    pub(crate) secrets: SecretsWatch,
    pub(crate) live_reads: LiveReads,
    pub(crate) deny: Deny,
    pub(crate) admin: Option<AdminListener>,
    pub(crate) limits: Limits,
    pub(crate) history: HistoryConfig,
    pub(crate) timings: WatchTimings,
    pub(crate) work_on: WorkOn,
}

/// How the agent reaches its API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterAccess {
    /// With the pod's service account.
    InCluster,
    /// With a kubeconfig; without a file the one that kubectl would take, without a context its current one.
    Kubeconfig { file: Option<PathBuf>, context: Option<String> },
}

/// The gateway that the agent dials.
#[derive(Debug, Clone)]
pub struct GatewayTarget {
    /// `wss://…`, or `ws://` to loopback.
    pub url: String,
    /// From its file, where it is in one.
    pub credential: Credential,
    /// Authorities to trust in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// How it is dialled, where the environment has no say in it.
    pub proxies: Option<Proxies>,
}

/// Where gateways may dial the agent.
#[derive(Debug, Clone)]
pub struct ServeTarget {
    pub address: SocketAddr,
    /// What they are shown; `None` on loopback only.
    pub certificate: Option<CertificateFiles>,
    /// Of the token that they show.
    pub token: TokenHash,
}

/// Where health and metrics are served, and to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdminListener {
    /// Off loopback only for the network.
    pub address: SocketAddr,
    pub audience: Audience,
}

/// Which kinds are watched before anybody asks for them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WatchMode {
    /// The built-in kinds: what an agent inside a cluster does.
    #[default]
    Builtin,
    /// Nodes and namespaces: what suits a laptop with many contexts.
    OnDemand,
}

/// With whose rights the agent reads what its cache can't answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LiveReads {
    /// With the caller's, after the API server has said that they have them.
    #[default]
    Impersonate,
    /// With nobody's: such reads are answered `forbidden`.
    Refused,
    /// With the agent's own, which are the user's own in local mode.
    Own,
}

impl AgentConfig {
    /// The configuration of an agent without a file: of this cluster, without a gateway to dial, everything else by default.
    pub fn of_cluster(cluster: ClusterId) -> Self {
        Self {
            cluster,
            access: ClusterAccess::InCluster,
            server: None,
            gateway: None,
            serve: None,
            link: Timings::default(),
            watch: WatchMode::default(),
            namespaces: WatchedNamespaces::default(),
            secrets: SecretsWatch::default(),
            live_reads: LiveReads::default(),
            deny: Deny::default(),
            admin: None,
            limits: Limits::default(),
            history: HistoryConfig::default(),
            timings: WatchTimings::default(),
            work_on: WorkOn::default(),
        }
    }

    /// The address of the API server, for messages.
    #[must_use]
    pub fn with_server(self, url: impl Into<String>) -> Self {
        Self { server: Some(url.into()), ..self }
    }

    #[must_use]
    pub fn with_watch(self, watch: WatchMode) -> Self {
        Self { watch, ..self }
    }

    #[must_use]
    pub fn with_namespaces(self, namespaces: WatchedNamespaces) -> Self {
        Self { namespaces, ..self }
    }

    #[must_use]
    pub fn with_secrets(self, secrets: SecretsWatch) -> Self {
        Self { secrets, ..self }
    }

    #[must_use]
    pub fn with_live_reads(self, live_reads: LiveReads) -> Self {
        Self { live_reads, ..self }
    }

    #[must_use]
    pub fn with_gateway(self, gateway: GatewayTarget) -> Self {
        Self { gateway: Some(gateway), ..self }
    }

    #[must_use]
    pub fn with_deny(self, deny: Deny) -> Self {
        Self { deny, ..self }
    }

    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    #[must_use]
    pub fn with_history(self, history: HistoryConfig) -> Self {
        Self { history, ..self }
    }

    #[must_use]
    pub fn with_timings(self, timings: WatchTimings) -> Self {
        Self { timings, ..self }
    }

    /// Where what takes long is done. A daemon has threads for it.
    #[must_use]
    pub fn with_work_on(self, work_on: WorkOn) -> Self {
        Self { work_on, ..self }
    }

    pub fn cluster(&self) -> &ClusterId {
        &self.cluster
    }

    pub fn access(&self) -> &ClusterAccess {
        &self.access
    }

    pub fn gateway(&self) -> Option<&GatewayTarget> {
        self.gateway.as_ref()
    }

    /// Where gateways may dial the agent.
    pub fn serve(&self) -> Option<&ServeTarget> {
        self.serve.as_ref()
    }

    /// How patient the agent is with its links, until its gateway says otherwise.
    pub fn link(&self) -> Timings {
        self.link
    }

    pub fn watch(&self) -> WatchMode {
        self.watch
    }

    /// Where a kind is watched that can't be watched in the whole cluster.
    pub fn namespaces(&self) -> &WatchedNamespaces {
        &self.namespaces
    }

    pub fn secrets(&self) -> SecretsWatch {
        self.secrets
    }

    pub fn live_reads(&self) -> LiveReads {
        self.live_reads
    }

    pub fn deny(&self) -> &Deny {
        &self.deny
    }

    pub fn admin(&self) -> Option<AdminListener> {
        self.admin
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What is remembered of changes.
    pub fn history(&self) -> &HistoryConfig {
        &self.history
    }

    pub fn timings(&self) -> &WatchTimings {
        &self.timings
    }

    pub fn work_on(&self) -> WorkOn {
        self.work_on
    }
}

#[cfg(test)]
mod example_tests;
