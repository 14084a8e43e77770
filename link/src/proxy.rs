//! The way to a gateway through an HTTP proxy: which one is taken, and the CONNECT that opens it.
//!
//! A proxy sees where a link goes and how much it carries. What it carries is TLS with the gateway; a link in plain, which
//! only this machine may see, therefore goes through a proxy of this machine alone.

mod connect;
mod exempt;

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderValue, Uri};

use crate::url::may_be_loopback;

pub use connect::ProxyError;
pub(crate) use connect::connect;
use exempt::Exempt;

/// A proxy that understands CONNECT: `http://[user:password@]host[:port]`.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl {
    host: String,
    port: u16,
    credentials: Option<HeaderValue>,
}

/// Why a text is no proxy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProxy {
    #[error("it is no URL; one like http://proxy.example.com:3128 is wanted")]
    Malformed,
    #[error(
        "a proxy is spoken to in plain HTTP (what the link carries is encrypted all the same): write http://, not {0}://"
    )]
    Scheme(String),
    #[error("a proxy has no path and no query; one like http://proxy.example.com:3128 is wanted")]
    Superfluous,
    #[error("its user or password can't be sent in a header")]
    Credentials,
}

/// Which proxy a gateway is dialled through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies(Choice);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Choice {
    /// None, whatever is dialled.
    #[default]
    Direct,
    /// This one, because somebody said so for this gateway.
    Always(ProxyUrl),
    /// This one, but for what is exempt, and for this machine.
    Usually(ProxyUrl, Exempt),
}

impl ProxyUrl {
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// For the header that carries them.
    pub(crate) fn credentials(&self) -> Option<&HeaderValue> {
        self.credentials.as_ref()
    }
}

impl Proxies {
    /// This one for whatever is dialled.
    pub fn always(proxy: ProxyUrl) -> Self {
        Self(Choice::Always(proxy))
    }

    /// What the environment says, as `variable` reads it: `HTTPS_PROXY` names the proxy and `NO_PROXY` what is dialled
    /// without; in small letters they win.
    ///
    /// # Errors
    /// [`InvalidProxy`], with the variable's name, when what stands there is none.
    pub fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, (&'static str, InvalidProxy)> {
        let set = |names: [&'static str; 2]| {
            names
                .into_iter()
                .find_map(|name| Some((name, variable(name).filter(|value| !value.trim().is_empty())?)))
        };
        let Some((name, proxy)) = set(["https_proxy", "HTTPS_PROXY"]) else { return Ok(Self::default()) };
        let exempt = set(["no_proxy", "NO_PROXY"]).map(|(_, list)| list).unwrap_or_default();
        let proxy = proxy.parse().map_err(|error| (name, error))?;
        Ok(Self(Choice::Usually(proxy, Exempt::of(&exempt))))
    }

    /// The proxy for a target, if it is not dialled directly.
    pub fn of(&self, host: &str, port: u16) -> Option<&ProxyUrl> {
        match &self.0 {
            Choice::Direct => None,
            Choice::Always(proxy) => Some(proxy),
            Choice::Usually(proxy, exempt) => {
                (!may_be_loopback(host) && !exempt.covers(host, port)).then_some(proxy)
            }
        }
    }
}

impl FromStr for ProxyUrl {
    type Err = InvalidProxy;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        if !scheme.eq_ignore_ascii_case("http") {
            return Err(InvalidProxy::Scheme(scheme.chars().take(20).collect()));
        }
        // A password may hold an at sign; a host can't.
        let (user, place) = match rest.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, rest),
        };
        let uri: Uri = format!("http://{place}").parse().map_err(|_| InvalidProxy::Malformed)?;
        if uri.path() != "/" || uri.query().is_some() {
            return Err(InvalidProxy::Superfluous);
        }
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(InvalidProxy::Malformed);
        }
        let credentials = user.map(basic).transpose()?;
        Ok(Self { host, port: uri.port_u16().unwrap_or(80), credentials })
    }
}

fn basic(user: &str) -> Result<HeaderValue, InvalidProxy> {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let mut plain = decoded(name)?;
    plain.push(b':');
    plain.extend(decoded(password)?);
    let value = HeaderValue::try_from(format!("Basic {}", BASE64.encode(plain)));
    let mut value = value.map_err(|_| InvalidProxy::Credentials)?;
    value.set_sensitive(true);
    Ok(value)
}

/// What percent signs stand for in a URL.
fn decoded(text: &str) -> Result<Vec<u8>, InvalidProxy> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next(), rest.next()].map(Option::unwrap_or_default);
        let digits = std::str::from_utf8(&digits).map_err(|_| InvalidProxy::Credentials)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| InvalidProxy::Credentials)?);
    }
    Ok(bytes)
}

/// Without its credentials.
impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let brackets = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "http://{}{}{}:{}", brackets.0, self.host, brackets.1, self.port)
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_read_and_its_credentials_are_not_shown() {
        for (text, shown, credentials) in [
            ("http://proxy.example.com:3128", "http://proxy.example.com:3128", None),
            ("proxy.example.com:3128/", "http://proxy.example.com:3128", None),
            ("HTTP://proxy", "http://proxy:80", None),
            ("http://[::1]:3128", "http://[::1]:3128", None),
            ("http://alice:s%40cret@proxy:3128", "http://proxy:3128", Some("Basic YWxpY2U6c0BjcmV0")),
            ("http://alice:s@cret@proxy:3128", "http://proxy:3128", Some("Basic YWxpY2U6c0BjcmV0")),
            ("http://alice@proxy", "http://proxy:80", Some("Basic YWxpY2U6")),
        ] {
            let proxy: ProxyUrl = text.parse().unwrap();
            assert_eq!(proxy.to_string(), shown);
            assert_eq!(proxy.credentials().map(|value| value.to_str().unwrap()), credentials, "{text}");
            assert!(!format!("{proxy:?}").contains("YWxp"));
        }
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_repeating_a_password() {
        for (text, expected) in [
            ("https://proxy:3128", InvalidProxy::Scheme("https".to_owned())),
            ("socks5://proxy", InvalidProxy::Scheme("socks5".to_owned())),
            ("http://", InvalidProxy::Malformed),
            ("http://u:secret@", InvalidProxy::Malformed),
            ("http://proxy/path", InvalidProxy::Superfluous),
            ("http://proxy?x", InvalidProxy::Superfluous),
            ("http://u:%zz@proxy", InvalidProxy::Credentials),
        ] {
            assert_eq!(text.parse::<ProxyUrl>(), Err(expected), "{text}");
        }
    }

    #[test]
    fn the_environment_chooses_but_not_for_this_machine_and_the_configuration_always_does() {
        let environment = |name: &str| match name {
            "HTTPS_PROXY" => Some("http://proxy:3128".to_owned()),
            "NO_PROXY" => Some("internal.example.com".to_owned()),
            _ => None,
        };
        let proxies = Proxies::from_environment(environment).unwrap();
        for (host, proxied) in [
            ("gw.example.com", true),
            ("gw.internal.example.com", false),
            ("localhost", false),
            ("127.0.0.1", false),
            ("::1", false),
        ] {
            assert_eq!(proxies.of(host, 443).is_some(), proxied, "{host}");
            let always = Proxies::always("proxy:1".parse().unwrap());
            assert!(always.of(host, 443).is_some(), "{host}");
        }
        let both = |name: &str| match name {
            "https_proxy" => Some("small:1".to_owned()),
            other => environment(other),
        };
        let proxies = Proxies::from_environment(both).unwrap();
        assert_eq!(proxies.of("gw.example.com", 443).unwrap().to_string(), "http://small:1");
        for (value, proxied) in
            [(None, Ok(false)), (Some(""), Ok(false)), (Some("ftp://x"), Err("HTTPS_PROXY"))]
        {
            let variable = |name: &str| value.filter(|_| name == "HTTPS_PROXY").map(str::to_owned);
            let proxies = Proxies::from_environment(variable).map_err(|(name, _)| name);
            assert_eq!(proxies.map(|proxies| proxies.of("gw", 443).is_some()), proxied, "{value:?}");
        }
    }
}
