//! Where a gateway listens, and what has to be true before it may do so off loopback.

use std::net::SocketAddr;
use std::time::Duration;

use kubeplex_link::certificate::{CertificateFiles, Pair};
use kubeplex_program::admin::Audience;

use super::Mistakes;
use crate::config::raw::{RawGateway, RawTls};
use crate::config::{DEFAULT_ADMIN, DEFAULT_LISTEN, Mistake, Protection};

/// Both listeners.
pub(super) struct Listeners {
    pub(super) listen: SocketAddr,
    pub(super) protection: Protection,
    pub(super) admin: SocketAddr,
    pub(super) admin_audience: Audience,
}

/// Refuses what would put callers without a name, or tokens without encryption, on a network.
pub(in crate::config) fn listen(
    key: &str,
    address: SocketAddr,
    protection: &Protection,
    nobody_is_named: bool,
) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let here = address.ip().is_loopback();
    if !here && *protection == Protection::None {
        let problem = format!(
            "{address} can be reached from a network, where tokens and answers would travel unencrypted: name a \
             certificate in [gateway.tls], or set gateway.behind_tls_proxy = true where a proxy in front terminates TLS; \
             for this machine alone write {}",
            on_loopback(address)
        );
        mistakes.push(Mistake { key: key.to_owned(), problem });
    }
    if nobody_is_named && (!here || *protection == Protection::TlsProxy) {
        let whom = if here { "a proxy lets in".to_owned() } else { format!("reaches {address}") };
        let problem = format!(
            "there is none, so whoever {whom} could not be told apart; add a [[caller]] section for each, as \
             `kubeplex token create` prints it"
        );
        mistakes.push(Mistake { key: "caller".to_owned(), problem });
    }
    mistakes
}

/// Refuses to show health and metrics to a network that was not meant.
pub(in crate::config) fn admin(key: &str, address: SocketAddr, audience: Audience) -> Option<Mistake> {
    if address.ip().is_loopback() || audience == Audience::Network {
        return None;
    }
    let problem = format!(
        "{address} can be reached from a network, and whoever asks gets an answer there: set gateway.admin_on_network = \
         true if probes and metrics come from there; for this machine alone write {}",
        on_loopback(address)
    );
    Some(Mistake { key: key.to_owned(), problem })
}

fn on_loopback(address: SocketAddr) -> String {
    format!("127.0.0.1:{port} or [::1]:{port}", port = address.port())
}

impl Mistakes {
    pub(super) fn listeners(&mut self, raw: &RawGateway, nobody_is_named: bool) -> Listeners {
        let protection = self.protection(raw);
        let admin_audience = if raw.admin_on_network { Audience::Network } else { Audience::ThisMachine };
        let address = self.address("gateway.listen", raw.listen.as_deref(), DEFAULT_LISTEN);
        self.0.extend(listen("gateway.listen", address, &protection, nobody_is_named));
        let admin_address = self.address("gateway.admin", raw.admin.as_deref(), DEFAULT_ADMIN);
        self.0.extend(admin("gateway.admin", admin_address, admin_audience));
        if address == admin_address && address.port() != 0 {
            self.add("gateway.admin", format!("{address} is gateway.listen too; give each its own port"));
        }
        Listeners { listen: address, protection, admin: admin_address, admin_audience }
    }

    fn protection(&mut self, raw: &RawGateway) -> Protection {
        match (self.tls_files(&raw.tls), raw.behind_tls_proxy) {
            (Some(files), false) => Protection::Tls(files),
            (None, true) => Protection::TlsProxy,
            (None, false) => Protection::None,
            (Some(files), true) => {
                let problem = "with [gateway.tls] the gateway speaks TLS itself; leave one of the two out";
                self.add("gateway.behind_tls_proxy", problem);
                Protection::Tls(files)
            }
        }
    }

    fn tls_files(&mut self, raw: &RawTls) -> Option<CertificateFiles> {
        let (cert, key) = match (&raw.cert_file, &raw.key_file) {
            (Some(cert), Some(key)) => (cert, key),
            (None, None) => return None,
            (Some(_), None) => {
                self.add(
                    "gateway.tls.key_file",
                    "it is missing: the private key of cert_file is wanted, in PEM",
                );
                return None;
            }
            (None, Some(_)) => {
                self.add(
                    "gateway.tls.cert_file",
                    "it is missing: the certificate of key_file is wanted, in PEM",
                );
                return None;
            }
        };
        if raw.check_every_ms == Some(0) {
            self.add("gateway.tls.check_every_ms", "0 would never rest; write at least 1");
        }
        let files = CertificateFiles::new(cert, key);
        let files = match raw.check_every_ms {
            Some(check_every) => files.checked_every(Duration::from_millis(check_every)),
            None => files,
        };
        if let Err(error) = Pair::load(&files) {
            self.add(format!("gateway.tls.{}", error.file().option()), error.to_string());
        }
        Some(files)
    }

    fn address(&mut self, key: &str, text: Option<&str>, default: SocketAddr) -> SocketAddr {
        let Some(text) = text else { return default };
        text.parse().unwrap_or_else(|_| {
            self.add(key, format!("\"{text}\" is not an address; write IP:PORT, for example {default}"));
            default
        })
    }
}
