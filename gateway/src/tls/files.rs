//! Where a certificate and its key are.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::limits::CERTIFICATE_CHECK;

/// Where the gateway's certificate is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    cert_file: PathBuf,
    key_file: PathBuf,
    check_every: Duration,
}

impl TlsFiles {
    /// PEM files; they are looked at in the usual rhythm.
    pub fn new(cert_file: impl Into<PathBuf>, key_file: impl Into<PathBuf>) -> Self {
        Self { cert_file: cert_file.into(), key_file: key_file.into(), check_every: CERTIFICATE_CHECK }
    }

    /// The same, looked at in another rhythm.
    #[must_use]
    pub fn checked_every(self, check_every: Duration) -> Self {
        Self { check_every, ..self }
    }

    /// The gateway's certificate, and those that lead from it to an authority.
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
