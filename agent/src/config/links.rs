//! `[link]`, `[serve]` and the proxy of `[gateway]`: how the agent and its gateway meet.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use kubeplex_link::certificate::{CertificateFiles, Pair};
use kubeplex_link::proxy::{Proxies, ProxyUrl};
use kubeplex_link::timings::Timings;
use kubeplex_link::token::TokenHash;

use super::ServeTarget;
use super::raw::{RawGateway, RawLink, RawServe};
use super::validate::keep;

/// A day: longer than that nobody means.
const MOST_S: u64 = 86_400;

/// Through which proxy the gateway is dialled, where the configuration says so.
pub(super) fn proxies(raw: &RawGateway, reasons: &mut Vec<String>) -> Option<Proxies> {
    let proxy = raw.proxy_url.as_deref()?.parse::<ProxyUrl>();
    keep(proxy.map_err(|error| format!("gateway.proxy_url: {error}")), reasons).map(Proxies::always)
}

pub(super) fn timings(raw: &RawLink, reasons: &mut Vec<String>) -> Timings {
    let default = Timings::default();
    let mut seconds = |name: &str, value: Option<u64>, default: Duration| {
        let Some(value) = value else { return default };
        if !(1..=MOST_S).contains(&value) {
            reasons.push(format!("link.{name}: {value} is not between 1 and {MOST_S}"));
        }
        Duration::from_secs(value)
    };
    Timings {
        dial: seconds("dial_timeout_s", raw.dial_timeout_s, default.dial),
        reconnect_max: seconds("reconnect_max_s", raw.reconnect_max_s, default.reconnect_max),
        stable_after: seconds("stable_after_s", raw.stable_after_s, default.stable_after),
        max_age: seconds("max_age_s", raw.max_age_s, default.max_age),
        drain: seconds("drain_s", raw.drain_s, default.drain),
        ..default
    }
}

/// Where gateways may dial the agent; `None` where none may.
pub(super) fn serve(raw: &RawServe, reasons: &mut Vec<String>) -> Option<ServeTarget> {
    let listen = raw.listen.as_deref()?;
    let address = listen.parse::<SocketAddr>();
    let address =
        address.map_err(|_| format!("serve.listen: {listen:?} is no address, as 0.0.0.0:7578 is one"));
    let address = keep(address, reasons);
    let token = keep(token(raw.token_sha256.as_deref()), reasons);
    let certificate = keep(certificate(raw.cert_file.as_deref(), raw.key_file.as_deref()), reasons);
    if let (Some(address), Some(None)) = (address, &certificate)
        && !address.ip().is_loopback()
    {
        reasons.push(format!(
            "serve.cert_file: {address} can be reached from a network, where nothing is said in plain: name a certificate, \
             and its key as serve.key_file"
        ));
        return None;
    }
    Some(ServeTarget { address: address?, certificate: certificate?, token: token? })
}

fn token(hash: Option<&str>) -> Result<TokenHash, String> {
    let Some(hash) = hash else {
        return Err("serve.token_sha256: the hash of the gateway's token is missing".to_owned());
    };
    // The value itself stays unsaid: somebody may have put the token there.
    TokenHash::from_hex(hash).ok_or_else(|| {
        format!(
            "serve.token_sha256: {} characters are no SHA-256; 64 hexadecimal digits are wanted, as `printf %s TOKEN | sha256sum` prints them",
            hash.chars().count()
        )
    })
}

/// Read once, so that what is wrong with it is said before anything starts.
fn certificate(
    cert_file: Option<&Path>,
    key_file: Option<&Path>,
) -> Result<Option<CertificateFiles>, String> {
    match (cert_file, key_file) {
        (None, None) => Ok(None),
        (Some(cert), Some(key)) => {
            let files = CertificateFiles::new(cert, key);
            match Pair::load(&files) {
                Ok(_) => Ok(Some(files)),
                Err(error) => Err(format!("serve.{}: {error}", error.file().option())),
            }
        }
        (Some(_), None) => Err("serve.key_file: the key to serve.cert_file is missing".to_owned()),
        (None, Some(_)) => Err("serve.cert_file: the certificate to serve.key_file is missing".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

    fn said(listen: &str, hash: Option<&str>, cert: Option<&str>, key: Option<&str>) -> Vec<String> {
        let raw = RawServe {
            listen: Some(listen.to_owned()),
            cert_file: cert.map(Into::into),
            key_file: key.map(Into::into),
            token_sha256: hash.map(str::to_owned),
        };
        let mut reasons = Vec::new();
        let target = serve(&raw, &mut reasons);
        assert_eq!(target.is_some(), reasons.is_empty(), "{reasons:?}");
        reasons
    }

    #[test]
    fn nothing_is_served_in_plain_to_a_network_and_nothing_without_a_token() {
        let missing = Some("/no/such.pem");
        for (listen, hash, cert, key, reason) in [
            ("here", Some(HASH), None, None, "serve.listen: \"here\" is no address"),
            ("127.0.0.1:7578", None, None, None, "serve.token_sha256: the hash"),
            ("127.0.0.1:7578", Some("secret"), None, None, "serve.token_sha256: 6 characters are no SHA-256"),
            (
                "0.0.0.0:7578",
                Some(HASH),
                None,
                None,
                "serve.cert_file: 0.0.0.0:7578 can be reached from a network",
            ),
            ("0.0.0.0:7578", Some(HASH), missing, None, "serve.key_file: the key"),
            ("0.0.0.0:7578", Some(HASH), None, missing, "serve.cert_file: the certificate"),
            ("0.0.0.0:7578", Some(HASH), missing, missing, "serve.cert_file: \"/no/such.pem\" can't be read"),
        ] {
            let reasons = said(listen, hash, cert, key);
            assert!(reasons.len() == 1 && reasons[0].starts_with(reason), "{reasons:?}");
            assert!(!reasons[0].contains("secret"), "{reasons:?}");
        }
        assert!(said("127.0.0.1:7578", Some(HASH), None, None).is_empty());
    }
}
