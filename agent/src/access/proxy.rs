//! Which proxy stands before an API server.
//!
//! The library `kube` compares `NO_PROXY` with the address of the proxy, applies it to a proxy that the kubeconfig names,
//! and takes `HTTPS_PROXY` for servers without TLS, too. kubectl does none of that, so the rule stands here.

use std::fmt::Write as _;
use std::net::IpAddr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

/// What the environment says of proxies, as kubectl reads it: `ALL_PROXY` is not among it.
pub(super) fn environment() -> Matcher {
    let variable = |names: [&str; 2]| {
        names.into_iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    };
    Matcher::builder()
        .http(variable(["HTTP_PROXY", "http_proxy"]).unwrap_or_default())
        .https(variable(["HTTPS_PROXY", "https_proxy"]).unwrap_or_default())
        .no(variable(["NO_PROXY", "no_proxy"]).unwrap_or_default())
        .build()
}

/// The proxy for `server`: the one that the kubeconfig names, whatever the environment says; otherwise that of the
/// environment, but never for this machine itself.
///
/// # Errors
/// When what the kubeconfig names is no address.
pub(super) fn of(named: Option<&str>, server: &Uri, environment: &Matcher) -> Result<Option<Uri>, String> {
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        let uri: Uri =
            named.parse().map_err(|error| format!("proxy-url {named:?} is no address: {error}"))?;
        return match uri.scheme_str() {
            Some("http" | "https" | "socks5") => Ok(Some(uri)),
            _ => Err(format!("proxy-url {named:?} is none of http://, https:// and socks5://")),
        };
    }
    if server.host().is_some_and(is_this_machine) {
        return Ok(None);
    }
    Ok(environment.intercept(server).and_then(|proxy| whole(&proxy)))
}

/// The address as the environment has it: the matcher takes name and password out of it, and the client wants them there.
fn whole(proxy: &Intercept) -> Option<Uri> {
    let Some(basic) = proxy.basic_auth().and_then(|value| value.to_str().ok()) else {
        return Some(proxy.uri().clone());
    };
    let login = BASE64_STANDARD.decode(basic.strip_prefix("Basic ")?).ok()?;
    let mut parts = proxy.uri().clone().into_parts();
    let authority = format!("{}@{}", escaped(&login), parts.authority?);
    parts.authority = Some(authority.parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// Percent-encoded, all but what separates the name from the password.
fn escaped(login: &[u8]) -> String {
    let mut text = String::new();
    let mut separated = false;
    for byte in login {
        match byte {
            b':' if !std::mem::replace(&mut separated, true) => text.push(':'),
            byte if byte.is_ascii_alphanumeric() => text.push(char::from(*byte)),
            // Writing to a String can't fail.
            byte => drop(write!(text, "%{byte:02X}")),
        }
    }
    text
}

fn is_this_machine(host: &str) -> bool {
    let name = host.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kubeconfig_comes_first_and_this_machine_is_reached_directly() {
        let environment = Matcher::builder()
            .https("http://me:p%40ss@proxy:3128")
            .http("plain:80")
            .no("10.0.0.0/8,.internal")
            .build();
        for (named, server, expected) in [
            (Some("http://own:1"), "https://10.0.0.1", Some("http://own:1/")),
            (Some("http://own:1"), "https://127.0.0.1", Some("http://own:1/")),
            (Some("socks5://own:1"), "https://eu.example.com", Some("socks5://own:1/")),
            (None, "https://eu.example.com", Some("http://me:p%40ss@proxy:3128/")),
            (Some(""), "https://eu.example.com", Some("http://me:p%40ss@proxy:3128/")),
            (None, "http://eu.example.com", Some("http://plain:80/")),
            (None, "https://10.1.2.3:6443", None),
            (None, "https://api.internal", None),
            (None, "https://localhost:6443", None),
            (None, "https://[::1]:6443", None),
        ] {
            let proxy = of(named, &server.parse().unwrap(), &environment).unwrap();
            assert_eq!(proxy.map(|uri| uri.to_string()).as_deref(), expected, "{named:?} {server}");
        }
        for named in ["own:1:2", "ftp://own", "own:3128"] {
            let error = of(Some(named), &"https://x".parse().unwrap(), &environment).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
    }
}
