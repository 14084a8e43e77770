//! What an agent shows to a gateway that dials it: a certificate and its key.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// How HTTP/2 is called where TLS begins.
pub(crate) const ALPN_HTTP2: &[u8] = b"h2";

/// A certificate with its chain, and the key to it.
#[derive(Debug, Clone)]
pub struct Identity(pub(crate) Arc<ServerConfig>);

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("reading the certificates of cert_file {path}")]
    Certificate { path: PathBuf, source: pem::Error },
    #[error("cert_file {path} holds no certificate; PEM blocks that begin with BEGIN CERTIFICATE are wanted")]
    EmptyCertificate { path: PathBuf },
    #[error("reading the key in key_file {path}")]
    Key { path: PathBuf, source: pem::Error },
    #[error("the certificate and the key can't be used together")]
    Unusable(#[source] rustls::Error),
}

impl Identity {
    /// From two PEM files: the certificate first, then its chain; and its key.
    ///
    /// # Errors
    /// [`IdentityError`] for whichever of them is wrong.
    pub fn from_files(cert_file: &Path, key_file: &Path) -> Result<Self, IdentityError> {
        let failed = |source| IdentityError::Certificate { path: cert_file.to_owned(), source };
        let chain = CertificateDer::pem_file_iter(cert_file).map_err(failed)?;
        let chain = chain.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        if chain.is_empty() {
            return Err(IdentityError::EmptyCertificate { path: cert_file.to_owned() });
        }
        let key = PrivateKeyDer::from_pem_file(key_file);
        let key = key.map_err(|source| IdentityError::Key { path: key_file.to_owned(), source })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(IdentityError::Unusable)?;
        let config = config.with_no_client_auth().with_single_cert(chain, key);
        let mut config = config.map_err(IdentityError::Unusable)?;
        config.alpn_protocols = vec![ALPN_HTTP2.to_vec()];
        Ok(Self(Arc::new(config)))
    }
}
