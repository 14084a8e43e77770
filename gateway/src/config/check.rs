//! From the file as written to values that hold: every check, and all wrong values at once.

mod limits;
mod links;

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kubeplex_proto::ids::ClusterId;

use super::raw::{RawCluster, RawConfig};
use super::{
    ConfigError, CursorKey, DEFAULT_ADMIN, DEFAULT_LISTEN, ExpectedCluster, Fixtures, GatewayConfig, Mistake,
    TokenHash,
};

/// Checks everything before it gives up.
pub(super) fn validate(raw: RawConfig) -> Result<GatewayConfig, ConfigError> {
    let mut mistakes = Mistakes::default();
    let listen = mistakes.address("gateway.listen", raw.gateway.listen.as_deref(), DEFAULT_LISTEN);
    let admin = mistakes.address("gateway.admin", raw.gateway.admin.as_deref(), DEFAULT_ADMIN);
    if listen == admin && listen.port() != 0 {
        mistakes.add("gateway.admin", format!("{admin} is gateway.listen too; give each its own port"));
    }
    let cursor_key = raw.gateway.cursor_key_file.and_then(|path| mistakes.cursor_key(&path));
    mistakes.hosts(&raw.mcp.allowed_hosts);
    mistakes.origins(&raw.mcp.allowed_origins);
    let limits = mistakes.limits(&raw.limits);
    let timings = mistakes.timings(&raw.link);
    let clusters = mistakes.clusters(raw.clusters);
    mistakes.into_result(GatewayConfig {
        listen,
        admin,
        clusters,
        allowed_hosts: raw.mcp.allowed_hosts,
        allowed_origins: raw.mcp.allowed_origins,
        limits,
        timings,
        cursor_key,
        fixtures: if raw.mcp.conformance_fixtures { Fixtures::Served } else { Fixtures::Hidden },
    })
}

/// Refuses what would put an endpoint without authentication on a network.
pub(super) fn loopback(key: &str, address: SocketAddr) -> Result<(), Mistake> {
    if address.ip().is_loopback() {
        return Ok(());
    }
    Err(Mistake {
        key: key.to_owned(),
        problem: format!(
            "{address} can be reached from a network, and this endpoint does not yet authenticate its callers or encrypt; \
             use 127.0.0.1:{port} or [::1]:{port}",
            port = address.port()
        ),
    })
}

#[derive(Default)]
struct Mistakes(Vec<Mistake>);

impl Mistakes {
    fn add(&mut self, key: impl Into<String>, problem: impl Into<String>) {
        self.0.push(Mistake { key: key.into(), problem: problem.into() });
    }

    fn into_result<T>(self, value: T) -> Result<T, ConfigError> {
        if self.0.is_empty() { Ok(value) } else { Err(ConfigError::Wrong(self.0)) }
    }

    fn address(&mut self, key: &str, text: Option<&str>, default: SocketAddr) -> SocketAddr {
        let Some(text) = text else { return default };
        match text.parse() {
            Ok(address) => {
                self.0.extend(loopback(key, address).err());
                address
            }
            Err(_) => {
                self.add(key, format!("\"{text}\" is not an address; write IP:PORT, for example {default}"));
                default
            }
        }
    }

    fn cursor_key(&mut self, path: &str) -> Option<CursorKey> {
        let key = "gateway.cursor_key_file";
        let text = std::fs::read_to_string(path)
            .map_err(|error| self.add(key, format!("\"{path}\" can't be read: {error}")))
            .ok()?;
        let bytes = BASE64.decode(text.trim()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        if bytes.is_none() {
            self.add(
                key,
                format!("\"{path}\" must hold 32 bytes in base64; `openssl rand -base64 32` makes some"),
            );
        }
        bytes.map(CursorKey)
    }

    fn hosts(&mut self, hosts: &[String]) {
        for (index, host) in hosts.iter().enumerate() {
            if host.parse::<http::uri::Authority>().is_err() || host.contains('@') {
                let problem = format!(
                    "\"{host}\" is not a host name; write it as clients send it, with a port or without"
                );
                self.add(format!("mcp.allowed_hosts[{index}]"), problem);
            }
        }
    }

    fn origins(&mut self, origins: &[String]) {
        for (index, origin) in origins.iter().enumerate() {
            let uri = origin.parse::<http::Uri>().ok();
            let complete = uri.is_some_and(|uri| {
                matches!(uri.scheme_str(), Some("http" | "https"))
                    && uri.authority().is_some()
                    && uri.path() == "/"
            });
            if !complete || origin.ends_with('/') {
                let problem = format!(
                    "\"{origin}\" is not an origin; write scheme and host, for example https://console.example.com"
                );
                self.add(format!("mcp.allowed_origins[{index}]"), problem);
            }
        }
    }

    fn clusters(&mut self, raw: Vec<RawCluster>) -> Vec<ExpectedCluster> {
        let mut names = HashSet::new();
        let mut tokens = HashMap::new();
        let mut clusters = Vec::new();
        for (index, cluster) in raw.into_iter().enumerate() {
            let at = |field: &str| format!("cluster[{index}].{field}");
            let token =
                cluster.token_sha256.as_deref().and_then(|text| self.token(&at("token_sha256"), text));
            // With one token for two clusters, one of them could speak for the other.
            if let Some(other) = token.and_then(|token| tokens.insert(token.0, cluster.name.clone())) {
                let problem = format!("the cluster \"{other}\" has the same token; each needs its own");
                self.add(at("token_sha256"), problem);
            }
            match ClusterId::new(&cluster.name) {
                Ok(id) if !names.insert(id.clone()) => {
                    self.add(
                        at("name"),
                        format!("\"{id}\" is there twice; each cluster needs a name of its own"),
                    );
                }
                Ok(id) => clusters.push(ExpectedCluster { id, labels: cluster.labels, token }),
                Err(error) => self.add(at("name"), error.to_string()),
            }
        }
        clusters
    }

    fn token(&mut self, key: &str, text: &str) -> Option<TokenHash> {
        let hash = parse_sha256(text);
        if hash.is_none() {
            // The value itself stays unsaid: somebody may have put the token there.
            let problem = format!(
                "{} characters are no SHA-256; 64 hexadecimal digits are wanted, as `printf %s TOKEN | sha256sum` prints them",
                text.chars().count()
            );
            self.add(key, problem);
        }
        hash.map(TokenHash)
    }
}

fn parse_sha256(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}
