//! The address of a gateway's MCP endpoint.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;
use http::uri::{PathAndQuery, Scheme};

/// `https://host[:port][/path]`, or `http://` to this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(Uri);

/// An address that can't be a gateway's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}; write it as http://127.0.0.1:7575/mcp or https://gateway.example.com/mcp")]
pub struct NotAnEndpoint(String);

impl Endpoint {
    pub(super) fn uri(&self) -> &Uri {
        &self.0
    }

    /// The port that it is connected with.
    pub fn port(&self) -> u16 {
        self.0.port_u16().unwrap_or(if self.is_encrypted() { 443 } else { 80 })
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.0.scheme() == Some(&Scheme::HTTPS)
    }
}

impl FromStr for Endpoint {
    type Err = NotAnEndpoint;

    /// What a person may leave out: the scheme, and the path.
    fn from_str(text: &str) -> Result<Self, NotAnEndpoint> {
        let whole =
            if text.contains("://") { text.to_owned() } else { format!("{}://{text}", scheme_for(text)) };
        let uri: Uri =
            whole.parse().map_err(|error| NotAnEndpoint(format!("\"{text}\" is no address: {error}")))?;
        let mut parts = uri.into_parts();
        let host = parts.authority.as_ref().map_or("", |authority| authority.host());
        match parts.scheme.as_ref().map(Scheme::as_str) {
            Some("https") => {}
            Some("http") if is_here(host) => {}
            Some("http") => {
                return Err(NotAnEndpoint(format!(
                    "http is not encrypted and therefore only for this machine, and {host} is another"
                )));
            }
            other => return Err(NotAnEndpoint(format!("{} is not spoken", other.unwrap_or_default()))),
        }
        if parts.path_and_query.as_ref().is_none_or(|path| path.as_str() == "/") {
            parts.path_and_query = Some(PathAndQuery::from_static("/mcp"));
        }
        let complete = Uri::from_parts(parts);
        complete.map(Self).map_err(|error| NotAnEndpoint(format!("\"{text}\" is no address: {error}")))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn scheme_for(text: &str) -> &'static str {
    let authority = text.split('/').next().unwrap_or_default();
    let host = authority.parse::<http::uri::Authority>();
    if host.is_ok_and(|authority| !is_here(authority.host())) { "https" } else { "http" }
}

fn is_here(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_complete_in_every_way_of_writing_it() {
        for (text, whole) in [
            ("127.0.0.1:7575", "http://127.0.0.1:7575/mcp"),
            ("http://127.0.0.1:7575", "http://127.0.0.1:7575/mcp"),
            ("127.0.0.1:7575/mcp", "http://127.0.0.1:7575/mcp"),
            ("http://127.0.0.1:7575/mcp", "http://127.0.0.1:7575/mcp"),
            ("localhost:7575", "http://localhost:7575/mcp"),
            ("[::1]:7575", "http://[::1]:7575/mcp"),
            ("https://127.0.0.1:7575", "https://127.0.0.1:7575/mcp"),
            ("gateway.example.com", "https://gateway.example.com/mcp"),
            ("https://gateway.example.com/kubeplex/mcp", "https://gateway.example.com/kubeplex/mcp"),
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), whole, "{text}");
        }
        for (text, told) in [
            ("http://gateway.example.com", "only for this machine"),
            ("ftp://x", "ftp is not spoken"),
            ("a b", "no address"),
            ("", "no address"),
        ] {
            let error = text.parse::<Endpoint>().unwrap_err().to_string();
            assert!(error.contains(told) && error.contains("http://127.0.0.1:7575/mcp"), "{text}: {error}");
        }
    }
}
