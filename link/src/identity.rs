//! What an agent shows to a gateway that dials it: a certificate and its key.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;

use crate::certificate::{CertificateFiles, Keeper, PairError};

/// How HTTP/2 is called where TLS begins.
pub(crate) const ALPN_HTTP2: &[u8] = b"h2";

/// A certificate with its chain, and the key to it.
#[derive(Debug, Clone)]
pub struct Identity(pub(crate) Arc<ServerConfig>);

impl Identity {
    /// Whichever certificate is current when somebody dials.
    ///
    /// # Errors
    /// [`PairError::Settings`], which would be a defect.
    pub fn of(keeper: &Keeper) -> Result<Self, PairError> {
        Ok(Self(Arc::new(keeper.server(&[ALPN_HTTP2])?)))
    }

    /// From two PEM files as they are now: the certificate first, then its chain; and its key.
    ///
    /// # Errors
    /// [`PairError`] for whichever of them is wrong.
    pub fn from_files(cert_file: &Path, key_file: &Path) -> Result<Self, PairError> {
        Self::of(&Keeper::load(&CertificateFiles::new(cert_file, key_file))?)
    }
}
