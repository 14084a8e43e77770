//! From the file as written to values that hold: every check, and all wrong values at once.

mod callers;
mod clusters;
mod health;
mod limits;
mod links;
mod listeners;
mod mcp;
mod rates;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::raw::RawConfig;
use super::{ConfigError, CursorKey, Fixtures, GatewayConfig, Mistake};

pub(super) use callers::caller;
pub(super) use listeners::{admin, listen};

/// Checks everything before it gives up.
pub(super) fn validate(raw: RawConfig) -> Result<GatewayConfig, ConfigError> {
    let mut mistakes = Mistakes::default();
    let listeners = mistakes.listeners(&raw.gateway, raw.callers.is_empty());
    let cursor_key = raw.gateway.cursor_key_file.and_then(|path| mistakes.cursor_key(&path));
    mistakes.hosts(&raw.mcp.allowed_hosts);
    mistakes.origins(&raw.mcp.allowed_origins);
    let rates = mistakes.rates(&raw.rates);
    let limits = mistakes.limits(&raw.limits, rates);
    let timings = mistakes.timings(&raw.link);
    let arrivals = mistakes.arrivals(&raw.link);
    let health = mistakes.health(&raw.health);
    let (clusters, dialled) = mistakes.clusters(raw.clusters);
    let callers = mistakes.callers(&raw.callers, &clusters);
    mistakes.into_result(GatewayConfig {
        listen: listeners.listen,
        protection: listeners.protection,
        admin: listeners.admin,
        admin_audience: listeners.admin_audience,
        clusters,
        dialled,
        callers,
        allowed_hosts: raw.mcp.allowed_hosts,
        allowed_origins: raw.mcp.allowed_origins,
        limits,
        timings,
        arrivals,
        cursor_key,
        health,
        fixtures: if raw.mcp.conformance_fixtures { Fixtures::Served } else { Fixtures::Hidden },
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
}
