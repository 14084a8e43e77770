//! What is dialled, from either end: validated once, so that an unencrypted link can't be configured by mistake.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;
use http::uri::{Authority, Scheme};
use kubeplex_proto::paths;

/// A gateway's address, as its agents dial it: `wss://host[:port][/prefix]`, or `ws://` to this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayUrl(Place);

/// An agent's address, as its gateway dials it: `https://host[:port][/prefix]`, or `http://` to this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentUrl(Place);

/// What lies under a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Only to a loopback address.
    Plain,
    Tls,
}

/// A host, and what is spoken to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) transport: Transport,
    /// A name, or an address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    path: String,
}

/// The two schemes of one kind of address.
struct Schemes {
    plain: &'static str,
    tls: &'static str,
}

const GATEWAYS: Schemes = Schemes { plain: "ws", tls: "wss" };
const AGENTS: Schemes = Schemes { plain: "http", tls: "https" };

/// Why an address can't be dialled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    #[error("\"{text}\" is not a URL; one like {tls}://host.example.com is wanted")]
    Malformed { text: String, tls: &'static str },
    #[error("\"{text}\" must begin with {tls}://, or with {plain}:// for this machine")]
    Scheme { text: String, plain: &'static str, tls: &'static str },
    #[error(
        "{plain}:// is not encrypted and therefore only for loopback addresses, and {host} is none: use {tls}:// \
         (ca_file names a private authority)"
    )]
    PlainToOtherHost { host: String, plain: &'static str, tls: &'static str },
    #[error("\"{0}\" carries a user, a query or a fragment; the token has a setting of its own")]
    Superfluous(String),
}

impl GatewayUrl {
    pub fn transport(&self) -> Transport {
        self.0.transport
    }

    pub(crate) fn place(&self) -> &Place {
        &self.0
    }
}

impl AgentUrl {
    pub fn transport(&self) -> Transport {
        self.0.transport
    }

    pub(crate) fn place(&self) -> &Place {
        &self.0
    }

    /// What goes before the path of every request.
    pub(crate) fn origin(&self) -> Option<(Scheme, Authority, &str)> {
        let Place { transport, host, port, path } = &self.0;
        let brackets = if host.contains(':') { ("[", "]") } else { ("", "") };
        let authority = format!("{}{host}{}:{port}", brackets.0, brackets.1).parse().ok()?;
        let scheme = match transport {
            Transport::Plain => Scheme::HTTP,
            Transport::Tls => Scheme::HTTPS,
        };
        Some((scheme, authority, path))
    }
}

impl Place {
    /// Whether this end may connect to `address` under this URL: a name like `localhost` is no proof of where it leads.
    pub(crate) fn admits(&self, address: IpAddr) -> bool {
        self.transport == Transport::Tls || address.is_loopback()
    }

    /// What `text` says, but for slashes at its end.
    fn parse(text: &str, &Schemes { plain, tls }: &Schemes) -> Result<Self, InvalidUrl> {
        let shown = || text.chars().take(200).collect::<String>();
        let malformed = || InvalidUrl::Malformed { text: shown(), tls };
        let uri: Uri = text.trim().parse().map_err(|_| malformed())?;
        let transport = match uri.scheme_str() {
            Some(scheme) if scheme == tls => Transport::Tls,
            Some(scheme) if scheme == plain => Transport::Plain,
            _ => return Err(InvalidUrl::Scheme { text: shown(), plain, tls }),
        };
        let authority = uri.authority().ok_or_else(malformed)?;
        if authority.as_str().contains('@') || uri.query().is_some() || text.contains('#') {
            // The user part may be a secret: it is not repeated.
            return Err(InvalidUrl::Superfluous(format!(
                "{}://…{}",
                uri.scheme_str().unwrap_or(""),
                uri.path()
            )));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(malformed());
        }
        if transport == Transport::Plain && !may_be_loopback(&host) {
            return Err(InvalidUrl::PlainToOtherHost { host, plain, tls });
        }
        let port = authority.port_u16().unwrap_or(match transport {
            Transport::Plain => 80,
            Transport::Tls => 443,
        });
        Ok(Self { transport, host, port, path: uri.path().trim_end_matches('/').to_owned() })
    }

    fn fmt(&self, f: &mut fmt::Formatter<'_>, schemes: &Schemes) -> fmt::Result {
        let scheme = match self.transport {
            Transport::Plain => schemes.plain,
            Transport::Tls => schemes.tls,
        };
        let brackets = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{scheme}://{}{}{}:{}{}", brackets.0, self.host, brackets.1, self.port, self.path)
    }
}

impl FromStr for GatewayUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let place = Place::parse(text, &GATEWAYS)?;
        let prefix = place.path.strip_suffix(paths::LINK).unwrap_or(&place.path);
        Ok(Self(Place { path: format!("{prefix}{}", paths::LINK), ..place }))
    }
}

impl FromStr for AgentUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Place::parse(text, &AGENTS).map(Self)
    }
}

/// The URL that is dialled, its path complete.
impl fmt::Display for GatewayUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f, &GATEWAYS)
    }
}

impl fmt::Display for AgentUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f, &AGENTS)
    }
}

pub(crate) fn may_be_loopback(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_completed_and_the_port_known() {
        for (text, expected) in [
            ("wss://gw.example.com", "wss://gw.example.com:443/agent/v1/link"),
            ("wss://gw.example.com/", "wss://gw.example.com:443/agent/v1/link"),
            ("wss://gw.example.com:8443/kubeplex/", "wss://gw.example.com:8443/kubeplex/agent/v1/link"),
            ("wss://gw.example.com/agent/v1/link", "wss://gw.example.com:443/agent/v1/link"),
            ("ws://127.0.0.1:7575", "ws://127.0.0.1:7575/agent/v1/link"),
            ("ws://localhost", "ws://localhost:80/agent/v1/link"),
            ("ws://[::1]:7575", "ws://[::1]:7575/agent/v1/link"),
        ] {
            assert_eq!(text.parse::<GatewayUrl>().unwrap().to_string(), expected);
        }
    }

    #[test]
    fn an_agents_address_keeps_its_prefix() {
        for (text, expected, prefix) in [
            ("https://agent.example.com", "https://agent.example.com:443", ""),
            ("https://agents.example.com/eu/", "https://agents.example.com:443/eu", "/eu"),
            ("http://127.0.0.1:7578", "http://127.0.0.1:7578", ""),
        ] {
            let url: AgentUrl = text.parse().unwrap();
            assert_eq!((url.to_string().as_str(), url.origin().unwrap().2), (expected, prefix));
        }
        for text in ["http://agent.example.com", "wss://agent.example.com", "https://u:p@agent.example.com"] {
            assert!(text.parse::<AgentUrl>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_not_safe_or_not_clear_is_refused() {
        type Expected = fn(&InvalidUrl) -> bool;
        let table: [(&str, Expected); 9] = [
            ("ws://gw.example.com", |e| matches!(e, InvalidUrl::PlainToOtherHost { .. })),
            ("ws://10.0.0.1:7575", |e| matches!(e, InvalidUrl::PlainToOtherHost { .. })),
            ("ws://localhost.example.com", |e| matches!(e, InvalidUrl::PlainToOtherHost { .. })),
            ("https://gw.example.com", |e| matches!(e, InvalidUrl::Scheme { .. })),
            ("gw.example.com", |e| matches!(e, InvalidUrl::Scheme { .. })),
            ("", |e| matches!(e, InvalidUrl::Malformed { .. })),
            ("wss://token@gw.example.com", |e| matches!(e, InvalidUrl::Superfluous(_))),
            ("wss://gw.example.com?token=x", |e| matches!(e, InvalidUrl::Superfluous(_))),
            ("wss://gw.example.com/#x", |e| {
                matches!(e, InvalidUrl::Superfluous(_) | InvalidUrl::Malformed { .. })
            }),
        ];
        for (text, expected) in table {
            let error = text.parse::<GatewayUrl>().unwrap_err();
            assert!(expected(&error), "{text}: {error:?}");
            assert!(!error.to_string().contains("token@"), "{error}");
        }
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_not_dialled_in_plain() {
        let plain: GatewayUrl = "ws://localhost:7575".parse().unwrap();
        assert!(plain.0.admits("127.0.0.1".parse().unwrap()));
        assert!(!plain.0.admits("192.0.2.1".parse().unwrap()));
        let tls: GatewayUrl = "wss://gw.example.com".parse().unwrap();
        assert!(tls.0.admits("192.0.2.1".parse().unwrap()));
    }
}
