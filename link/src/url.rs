//! Where an agent dials: validated once, so that an unencrypted link can't be configured by mistake.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;
use kubeplex_proto::paths;

/// A gateway's address: `wss://host[:port][/prefix]`, or `ws://` to this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayUrl {
    transport: Transport,
    host: String,
    port: u16,
    path: String,
}

/// What lies under the WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Only to a loopback address.
    Plain,
    Tls,
}

/// Why an address can't be a gateway's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    #[error("\"{0}\" is not a URL; one like wss://gateway.example.com is wanted")]
    Malformed(String),
    #[error("\"{0}\" must begin with wss://, or with ws:// for a gateway on this machine")]
    Scheme(String),
    #[error(
        "ws:// is not encrypted and therefore only for loopback addresses, and {0} is none: use wss:// \
         (ca_file names a private authority)"
    )]
    PlainToOtherHost(String),
    #[error("\"{0}\" carries a user, a query or a fragment; the token has a setting of its own")]
    Superfluous(String),
}

impl GatewayUrl {
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// A name, or an address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether this end may connect to `address` under this URL: a name like `localhost` is no proof of where it leads.
    pub(crate) fn admits(&self, address: IpAddr) -> bool {
        self.transport == Transport::Tls || address.is_loopback()
    }
}

impl FromStr for GatewayUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shown = || text.chars().take(200).collect::<String>();
        let uri: Uri = text.trim().parse().map_err(|_| InvalidUrl::Malformed(shown()))?;
        let transport = match uri.scheme_str() {
            Some("wss") => Transport::Tls,
            Some("ws") => Transport::Plain,
            _ => return Err(InvalidUrl::Scheme(shown())),
        };
        let authority = uri.authority().ok_or_else(|| InvalidUrl::Malformed(shown()))?;
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
            return Err(InvalidUrl::Malformed(shown()));
        }
        if transport == Transport::Plain && !may_be_loopback(&host) {
            return Err(InvalidUrl::PlainToOtherHost(host));
        }
        let port = authority.port_u16().unwrap_or(match transport {
            Transport::Plain => 80,
            Transport::Tls => 443,
        });
        let prefix = uri.path().trim_end_matches('/');
        let prefix = prefix.strip_suffix(paths::LINK).unwrap_or(prefix);
        Ok(Self { transport, host, port, path: format!("{prefix}{}", paths::LINK) })
    }
}

/// The URL that is dialled, its path complete.
impl fmt::Display for GatewayUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.transport {
            Transport::Plain => "ws",
            Transport::Tls => "wss",
        };
        let brackets = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{scheme}://{}{}{}:{}{}", brackets.0, self.host, brackets.1, self.port, self.path)
    }
}

fn may_be_loopback(host: &str) -> bool {
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
    fn what_is_not_safe_or_not_clear_is_refused() {
        type Expected = fn(&InvalidUrl) -> bool;
        let table: [(&str, Expected); 9] = [
            ("ws://gw.example.com", |e| matches!(e, InvalidUrl::PlainToOtherHost(_))),
            ("ws://10.0.0.1:7575", |e| matches!(e, InvalidUrl::PlainToOtherHost(_))),
            ("ws://localhost.example.com", |e| matches!(e, InvalidUrl::PlainToOtherHost(_))),
            ("https://gw.example.com", |e| matches!(e, InvalidUrl::Scheme(_))),
            ("gw.example.com", |e| matches!(e, InvalidUrl::Scheme(_))),
            ("", |e| matches!(e, InvalidUrl::Malformed(_))),
            ("wss://token@gw.example.com", |e| matches!(e, InvalidUrl::Superfluous(_))),
            ("wss://gw.example.com?token=x", |e| matches!(e, InvalidUrl::Superfluous(_))),
            ("wss://gw.example.com/#x", |e| {
                matches!(e, InvalidUrl::Superfluous(_) | InvalidUrl::Malformed(_))
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
        assert!(plain.admits("127.0.0.1".parse().unwrap()));
        assert!(!plain.admits("192.0.2.1".parse().unwrap()));
        let tls: GatewayUrl = "wss://gw.example.com".parse().unwrap();
        assert!(tls.admits("192.0.2.1".parse().unwrap()));
    }
}
