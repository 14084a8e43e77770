//! Which authorities one end believes when the other shows its certificate. There is no way to believe all.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, TrustAnchor};
use rustls::{ClientConfig, RootCertStore};

use crate::identity::ALPN_HTTP2;
use crate::url::{GatewayUrl, Transport};

/// The TLS settings of the end that dials.
#[derive(Debug, Clone)]
pub struct Trust {
    client: Arc<ClientConfig>,
    roots: Arc<[TrustAnchor<'static>]>,
}

/// Those who believe the same authorities are alike.
impl PartialEq for Trust {
    fn eq(&self, other: &Self) -> bool {
        self.roots == other.roots
    }
}

impl Eq for Trust {}

/// Why the authorities could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    #[error("reading the certificates of ca_file {path}")]
    CaFile { path: PathBuf, source: pem::Error },
    #[error("ca_file {path} holds no certificate; PEM blocks that begin with BEGIN CERTIFICATE are wanted")]
    EmptyCaFile { path: PathBuf },
    #[error("a certificate is of no use as an authority")]
    Unusable(#[source] rustls::Error),
    #[error("this machine's own store holds no authority ({reasons}); name one with ca_file")]
    NoSystemStore { reasons: String },
    #[error("the TLS library refuses its own settings")]
    Settings(#[source] rustls::Error),
}

impl Trust {
    /// The authorities of this machine.
    ///
    /// # Errors
    /// [`TrustError`] when it has none.
    pub fn system() -> Result<Self, TrustError> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        let (usable, _) = roots.add_parsable_certificates(found.certs);
        if usable == 0 {
            let reasons: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
            return Err(TrustError::NoSystemStore { reasons: reasons.join("; ") });
        }
        Self::of(roots)
    }

    /// What suits `url` where no file is named.
    ///
    /// # Errors
    /// As [`of_transport`](Self::of_transport).
    pub fn for_url(url: &GatewayUrl) -> Result<Self, TrustError> {
        Self::of_transport(url.transport())
    }

    /// The authorities of this machine; nobody where no certificate will be shown.
    ///
    /// # Errors
    /// As [`system`](Self::system).
    pub fn of_transport(transport: Transport) -> Result<Self, TrustError> {
        match transport {
            Transport::Tls => Self::system(),
            Transport::Plain => Self::nobody(),
        }
    }

    /// Nobody: for where no certificate will be shown.
    ///
    /// # Errors
    /// [`TrustError::Settings`], which would be a defect.
    pub fn nobody() -> Result<Self, TrustError> {
        Self::of(RootCertStore::empty())
    }

    /// The settings, for clients that speak something else than links.
    pub fn client_config(&self) -> ClientConfig {
        ClientConfig::clone(&self.client)
    }

    pub(crate) fn client(&self) -> &Arc<ClientConfig> {
        &self.client
    }

    /// The same authorities, where HTTP/2 begins at once.
    pub(crate) fn speaking_http2(&self) -> Arc<ClientConfig> {
        let mut config = ClientConfig::clone(&self.client);
        config.alpn_protocols = vec![ALPN_HTTP2.to_vec()];
        Arc::new(config)
    }

    /// The authorities in a PEM file, and no other.
    ///
    /// # Errors
    /// [`TrustError`] when the file can't be read, or holds none.
    pub fn ca_file(path: &Path) -> Result<Self, TrustError> {
        let failed = |source| TrustError::CaFile { path: path.to_owned(), source };
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(path).map_err(failed)? {
            roots.add(certificate.map_err(failed)?).map_err(TrustError::Unusable)?;
        }
        if roots.is_empty() {
            return Err(TrustError::EmptyCaFile { path: path.to_owned() });
        }
        Self::of(roots)
    }

    fn of(roots: RootCertStore) -> Result<Self, TrustError> {
        let anchors = roots.roots.as_slice().into();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TrustError::Settings)?;
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        // A WebSocket begins as HTTP/1.1, whatever else the other end could do.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { client: Arc::new(config), roots: anchors })
    }
}
