//! For how long certificates are good, and what to do about those that are not.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::{SignedDuration, Timestamp};
use kube::Config;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::finding::About;

/// Whoever has to renew it needs a while.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The server's, once the handshake has come to an end.
pub(super) fn of_server(about: &mut About, certificate: Option<&[u8]>, unchecked: bool) {
    let checked =
        if unchecked { "not checked" } else { "valid for this name and signed by a known authority" };
    match certificate.and_then(end) {
        Some(end) if end.duration_since(Timestamp::now()) < SOON => {
            let said = format!("{checked}, and good only until {end}");
            about.warning("certificate", said, "whoever runs the cluster should renew it");
        }
        Some(end) => about.good("certificate", format!("{checked}, good until {end}")),
        None => about.good("certificate", checked),
    }
}

/// The user's, where the kubeconfig has one: it is good for a year in many clusters, and then nothing else is wrong.
pub(super) fn of_client(about: &mut About, config: &Config) {
    let user = &config.auth_info;
    let data = user.client_certificate_data.as_ref().and_then(|data| BASE64_STANDARD.decode(data).ok());
    let file = || std::fs::read(user.client_certificate.as_ref()?).ok();
    let Some(pem) = data.or_else(file) else { return };
    let Ok(certificate) = CertificateDer::from_pem_slice(&pem) else {
        return about.wrong(
            "credentials",
            "the client certificate can't be read",
            "fetch the kubeconfig anew",
        );
    };
    let Some(end) = end(&certificate) else { return };
    let left = end.duration_since(Timestamp::now());
    let next = "fetch the kubeconfig anew (on a cluster of kubeadm: kubeadm certs renew admin.conf)";
    if left.is_negative() {
        about.wrong("credentials", format!("the client certificate has expired on {end}"), next);
    } else if left < SOON {
        about.warning("credentials", format!("the client certificate is good only until {end}"), next);
    } else {
        about.good("credentials", format!("the client certificate is good until {end}"));
    }
}

/// The last moment of a certificate.
fn end(certificate: &[u8]) -> Option<Timestamp> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()
}

/// What to do about a handshake that failed, by what the library says.
pub(super) fn remedy(said: &str, name: &str) -> String {
    for (word, next) in [
        ("UnknownIssuer", "the kubeconfig has another authority than the cluster: fetch it anew"),
        (
            "xpired",
            "is this machine's clock right (timedatectl)? if so, the cluster's certificate has to be renewed",
        ),
        ("NotValidYet", "is this machine's clock right? timedatectl"),
        (
            "not valid for name",
            "write the server under a name that its certificate has, or set tls-server-name",
        ),
        ("NotValidForName", "write the server under a name that its certificate has, or set tls-server-name"),
    ] {
        if said.contains(word) {
            return next.to_owned();
        }
    }
    format!("openssl s_client -connect {name}:443   # shows what answers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_step_hangs_on_what_is_wrong() {
        for (said, told) in [
            ("invalid peer certificate: UnknownIssuer", "another authority"),
            (
                "invalid peer certificate: certificate expired: verification time 2 (UNIX)",
                "has to be renewed",
            ),
            ("invalid peer certificate: certificate not valid for name \"x\"", "tls-server-name"),
            ("received corrupt message of type InvalidContentType", "openssl s_client"),
        ] {
            assert!(remedy(said, "x").contains(told), "{said}: {}", remedy(said, "x"));
        }
    }
}
