//! A certificate with its key, as two PEM files hold them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::parse_x509_certificate;

use super::CertificateFiles;

/// A pair that belongs together.
pub struct Pair {
    key: Arc<CertifiedKey>,
    validity: Validity,
    text: PairText,
}

/// When a certificate holds, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) from: i64,
    pub(super) until: i64,
}

/// What stood in the files.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct PairText {
    cert: Vec<u8>,
    key: Vec<u8>,
}

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairFile {
    Cert,
    Key,
}

impl PairFile {
    /// The option that names it, in the configuration of whoever shows the certificate.
    pub fn option(self) -> &'static str {
        match self {
            Self::Cert => "cert_file",
            Self::Key => "key_file",
        }
    }
}

/// Why two files are no certificate with its key. What stands in them is never said.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    #[error("\"{path}\" can't be read: {source}")]
    Unreadable { file: PairFile, path: PathBuf, source: io::Error },
    #[error(
        "\"{path}\" holds no certificate: PEM blocks that begin with BEGIN CERTIFICATE are wanted, the server's own first"
    )]
    NoCertificate { path: PathBuf },
    #[error("\"{path}\" holds no private key: a PEM block that begins with BEGIN PRIVATE KEY is wanted")]
    NoKey { path: PathBuf, source: pem::Error },
    #[error(
        "the key \"{path}\" is of no use: it is not the certificate's, or of a kind that is not known ({source})"
    )]
    Unusable { path: PathBuf, source: rustls::Error },
    #[error("the certificate \"{path}\" can't be understood")]
    Malformed { path: PathBuf },
    #[error("the TLS library refuses its own settings")]
    Settings(#[source] rustls::Error),
}

impl PairError {
    /// The file that has to be put right.
    pub fn file(&self) -> PairFile {
        match self {
            Self::NoKey { .. } | Self::Unusable { .. } => PairFile::Key,
            Self::NoCertificate { .. } | Self::Malformed { .. } | Self::Settings(_) => PairFile::Cert,
            Self::Unreadable { file, .. } => *file,
        }
    }
}

impl PairText {
    pub(super) fn read(files: &CertificateFiles) -> Result<Self, PairError> {
        let read = |file, path: &Path| {
            std::fs::read(path).map_err(|source| PairError::Unreadable {
                file,
                path: path.to_owned(),
                source,
            })
        };
        let (cert, key) = (read(PairFile::Cert, files.cert_file())?, read(PairFile::Key, files.key_file())?);
        Ok(Self { cert, key })
    }
}

impl Pair {
    /// What is in the files at this moment.
    ///
    /// # Errors
    /// [`PairError`] when that is no certificate with its key.
    pub fn load(files: &CertificateFiles) -> Result<Self, PairError> {
        Self::parse(PairText::read(files)?, files)
    }

    /// `files` are named in errors.
    pub(super) fn parse(text: PairText, files: &CertificateFiles) -> Result<Self, PairError> {
        let cert_path = || files.cert_file().to_owned();
        let key_path = || files.key_file().to_owned();
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text.cert).collect();
        let chain = chain.unwrap_or_default();
        let Some(own) = chain.first() else { return Err(PairError::NoCertificate { path: cert_path() }) };
        let validity = Validity::of(own).ok_or_else(|| PairError::Malformed { path: cert_path() })?;
        let key = PrivateKeyDer::from_pem_slice(&text.key)
            .map_err(|source| PairError::NoKey { path: key_path(), source })?;
        let provider = rustls::crypto::ring::default_provider();
        let key = CertifiedKey::from_der(chain, key, &provider)
            .map_err(|source| PairError::Unusable { path: key_path(), source })?;
        Ok(Self { key: Arc::new(key), validity, text })
    }

    pub(super) fn key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.key)
    }

    pub(super) fn validity(&self) -> Validity {
        self.validity
    }

    pub(super) fn is_written(&self, text: &PairText) -> bool {
        self.text == *text
    }
}

impl Validity {
    fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = parse_x509_certificate(certificate).ok()?;
        let validity = certificate.validity();
        Some(Self { from: validity.not_before.timestamp(), until: validity.not_after.timestamp() })
    }
}

#[cfg(test)]
mod tests {
    use kubeplex_test_support::pki::{Authority, TlsFolder};

    use super::*;

    #[test]
    fn two_files_are_a_pair_or_the_wrong_one_is_named() {
        let folder = TlsFolder::new();
        let authority = Authority::new();
        let (one, other) = (authority.issue("localhost"), authority.issue("localhost"));
        let files = CertificateFiles::new(folder.cert_file(), folder.key_file());
        for (cert, key, wrong) in [
            (one.cert_pem(), one.key_pem(), None),
            (one.cert_pem(), other.key_pem(), Some((PairFile::Key, "not the certificate's"))),
            ("nothing", one.key_pem(), Some((PairFile::Cert, "holds no certificate"))),
            (one.key_pem(), one.key_pem(), Some((PairFile::Cert, "holds no certificate"))),
            (one.cert_pem(), "nothing", Some((PairFile::Key, "holds no private key"))),
            (
                "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n",
                one.key_pem(),
                Some((PairFile::Cert, "can't be understood")),
            ),
        ] {
            folder.write(cert, key);
            let error = Pair::load(&files).err();
            let told = error.as_ref().map(|error| (error.file(), error.to_string()));
            match (wrong, told) {
                (None, told) => assert_eq!(told, None),
                (Some((file, words)), told) => {
                    assert!(
                        told.as_ref().is_some_and(|told| told.0 == file && told.1.contains(words)),
                        "{told:?}"
                    );
                }
            }
        }
    }
}
