//! The certificate that an end shows which listens: taken anew when its files change.
//!
//! A connection keeps the certificate that it began with, so nothing is cut when there is another one. The gateway's main
//! listener shows one, and so does an agent that gateways dial.

mod keeper;
mod pair;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::limits::CERTIFICATE_CHECK;

pub use keeper::{Change, Keeper};
pub use pair::{Pair, PairError, PairFile};

/// Where a certificate is, with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    cert_file: PathBuf,
    key_file: PathBuf,
    check_every: Duration,
}

impl CertificateFiles {
    /// PEM files; they are looked at in the usual rhythm.
    pub fn new(cert_file: impl Into<PathBuf>, key_file: impl Into<PathBuf>) -> Self {
        Self { cert_file: cert_file.into(), key_file: key_file.into(), check_every: CERTIFICATE_CHECK }
    }

    /// The same files, looked at in another rhythm.
    #[must_use]
    pub fn checked_every(self, check_every: Duration) -> Self {
        Self { check_every, ..self }
    }

    /// The certificate, and those that lead from it to an authority.
    pub fn cert_file(&self) -> &Path {
        &self.cert_file
    }

    pub fn key_file(&self) -> &Path {
        &self.key_file
    }

    /// How soon a change of the files is noticed.
    pub fn check_every(&self) -> Duration {
        self.check_every
    }
}

/// The certificate that new connections are shown. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Shown(Arc<Current>);

#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl Shown {
    fn new(pair: &Pair) -> Self {
        Self(Arc::new(Current(RwLock::new(pair.key()))))
    }

    /// From now on new connections are shown this one.
    fn show(&self, pair: &Pair) {
        *self.0.0.write() = pair.key();
    }

    /// The settings of a server that shows it and speaks these protocols, the preferred one first.
    ///
    /// # Errors
    /// [`PairError::Settings`], which would be a defect.
    fn server(&self, protocols: &[&[u8]]) -> Result<ServerConfig, PairError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(PairError::Settings)?;
        let current: Arc<Current> = Arc::clone(&self.0);
        let mut config = config.with_no_client_auth().with_cert_resolver(current);
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(config)
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read()))
    }
}
