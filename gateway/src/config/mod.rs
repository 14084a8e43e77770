//! Configuration, validated: once a [`GatewayConfig`] exists, nothing in it can be wrong.
//!
//! The file is read as [`raw`], which ends at the first key that there is not or that has a value of the wrong type; then
//! all values are checked, so that every wrong one is reported at once. Programs that hold the gateway inside them build the
//! value with the `with_` methods instead.

mod callers;
mod check;
mod error;
mod raw;
mod restart;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use kubeplex_link::certificate::CertificateFiles;
use kubeplex_link::direct::Route;
use kubeplex_link::timings::Timings;
use kubeplex_program::admin::Audience;
use kubeplex_program::configuration;
use kubeplex_proto::ids::ClusterId;
use sha2::{Digest as _, Sha256};

pub use callers::{CallerSection, ConfiguredCaller, LOCAL_USER};
pub use error::{ConfigError, Mistake};
pub use kubeplex_program::configuration::Malformed;

use crate::health::HealthThresholds;
use crate::limits::{ARRIVALS, Limits};

/// Where MCP clients and agents connect unless told otherwise.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7575);
/// Where health and metrics are served unless told otherwise.
pub const DEFAULT_ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7576);

/// Everything a gateway needs to know before it starts.
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    listen: SocketAddr,
    protection: Protection,
    admin: SocketAddr,
    admin_audience: Audience,
    clusters: Vec<ExpectedCluster>,
    dialled: Vec<DialledCluster>,
    callers: Vec<ConfiguredCaller>,
    allowed_hosts: Vec<String>,
    allowed_origins: Vec<String>,
    limits: Limits,
    timings: Timings,
    arrivals: usize,
    cursor_key: Option<CursorKey>,
    health: HealthThresholds,
    fixtures: Fixtures,
}

/// A cluster that should be there, whether its agent has been seen or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedCluster {
    pub id: ClusterId,
    pub labels: BTreeMap<String, String>,
    /// What an agent must show to speak for it; `None` where it is only attached in process.
    pub token: Option<TokenHash>,
}

/// What keeps strangers from reading along on the main listener.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Protection {
    /// That it is on loopback.
    #[default]
    None,
    /// TLS of the gateway's own.
    Tls(CertificateFiles),
    /// A proxy in front that terminates TLS.
    TlsProxy,
}

/// A cluster whose agent the gateway dials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialledCluster {
    pub id: ClusterId,
    pub route: Route,
}

/// The SHA-256 of a token, of an agent or of a caller.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenHash(pub [u8; 32]);

impl TokenHash {
    /// The hash of a token, as the configuration of a gateway holds it.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }
}

/// The key that seals cursors.
#[derive(Clone, PartialEq, Eq)]
pub struct CursorKey(pub [u8; 32]);

/// Whether the conformance suite's tools, prompts and resources are served beside the real ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fixtures {
    #[default]
    Hidden,
    Served,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            listen: DEFAULT_LISTEN,
            protection: Protection::None,
            admin: DEFAULT_ADMIN,
            admin_audience: Audience::ThisMachine,
            clusters: Vec::new(),
            dialled: Vec::new(),
            callers: Vec::new(),
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            limits: Limits::default(),
            timings: Timings::default(),
            arrivals: ARRIVALS,
            cursor_key: None,
            health: HealthThresholds::default(),
            fixtures: Fixtures::Hidden,
        }
    }
}

impl GatewayConfig {
    /// Reads and checks a TOML file.
    ///
    /// # Errors
    /// [`ConfigError`] when the file can't be read or parsed, and otherwise with every wrong value in it.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        Self::from_toml(&text)
            .map_err(|error| ConfigError::InFile { path: path.to_owned(), source: Box::new(error) })
    }

    /// Checks a configuration given as TOML text.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        check::validate(configuration::parse(text).map_err(ConfigError::Malformed)?)
    }

    /// # Errors
    /// [`ConfigError`] for an address off loopback, unless the connections there are protected and the callers named.
    pub fn with_listen(self, listen: SocketAddr) -> Result<Self, ConfigError> {
        let mistakes = check::listen("--listen", listen, &self.protection, self.callers.is_empty());
        if mistakes.is_empty() { Ok(Self { listen, ..self }) } else { Err(ConfigError::Wrong(mistakes)) }
    }

    /// # Errors
    /// [`ConfigError`] for an address off loopback, unless it is meant to be reached from a network.
    pub fn with_admin(self, admin: SocketAddr) -> Result<Self, ConfigError> {
        match check::admin("--admin", admin, self.admin_audience) {
            None => Ok(Self { admin, ..self }),
            Some(mistake) => Err(ConfigError::Wrong(vec![mistake])),
        }
    }

    /// Adds a cluster. The last of several with one name counts.
    pub fn with_cluster(mut self, cluster: ExpectedCluster) -> Self {
        self.clusters.retain(|known| known.id != cluster.id);
        self.clusters.push(cluster);
        self
    }

    /// From now on the agent of a cluster that is expected is dialled there.
    pub fn with_dialled(mut self, cluster: DialledCluster) -> Self {
        self.dialled.retain(|known| known.id != cluster.id);
        self.dialled.push(cluster);
        self
    }

    /// Adds somebody who is known by a token; from then on nobody is known without one.
    pub fn with_caller(mut self, caller: ConfiguredCaller) -> Self {
        self.callers.push(caller);
        self
    }

    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    pub fn with_timings(self, timings: Timings) -> Self {
        Self { timings, ..self }
    }

    pub fn with_fixtures(self, fixtures: Fixtures) -> Self {
        Self { fixtures, ..self }
    }

    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    pub fn protection(&self) -> &Protection {
        &self.protection
    }

    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    pub fn admin_audience(&self) -> Audience {
        self.admin_audience
    }

    pub fn clusters(&self) -> &[ExpectedCluster] {
        &self.clusters
    }

    /// Who may call. Without any, that is whoever reaches the listener, which is then on loopback.
    pub fn callers(&self) -> &[ConfiguredCaller] {
        &self.callers
    }

    /// Those of them whose agents the gateway dials.
    pub fn dialled(&self) -> &[DialledCluster] {
        &self.dialled
    }

    /// Beside the loopback names.
    pub fn allowed_hosts(&self) -> &[String] {
        &self.allowed_hosts
    }

    /// Beside loopback origins.
    pub fn allowed_origins(&self) -> &[String] {
        &self.allowed_origins
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Of the links.
    pub fn timings(&self) -> &Timings {
        &self.timings
    }

    /// Agents that may be between their handshake and their first report at once.
    pub fn arrivals(&self) -> usize {
        self.arrivals
    }

    pub fn cursor_key(&self) -> Option<&CursorKey> {
        self.cursor_key.as_ref()
    }

    /// What is a reason against a cluster.
    pub fn health(&self) -> &HealthThresholds {
        &self.health
    }

    pub fn fixtures(&self) -> Fixtures {
        self.fixtures
    }
}

/// In hexadecimal, as the configuration has it: to be printed only where that is what was asked for.
impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

// Neither is a secret to print: a hash lets a weak token be guessed, a key opens every cursor.
impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

impl fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CursorKey(…)")
    }
}

#[cfg(test)]
mod example_tests;
#[cfg(test)]
mod tests;
