//! An authority, what it signs, and a folder that a gateway takes it from.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// Signs certificates for names.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate with its key.
pub struct Issued {
    cert: String,
    key: String,
    der: Vec<u8>,
}

/// A folder with a certificate, its key and its authority, gone when it is dropped.
pub struct TlsFolder(PathBuf);

impl Authority {
    /// # Panics
    /// When the machine has no randomness.
    #[expect(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for a name or an address.
    ///
    /// # Panics
    /// When `name` can't stand in one.
    pub fn issue(&self, name: &str) -> Issued {
        self.issue_for(&[name])
    }

    /// One certificate for all of `names`.
    ///
    /// # Panics
    /// When one of them can't stand in it.
    pub fn issue_for(&self, names: &[&str]) -> Issued {
        let key = KeyPair::generate().expect("a key");
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let params = CertificateParams::new(names).expect("names");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Issued { cert: certificate.pem(), key: key.serialize_pem(), der: certificate.der().to_vec() }
    }

    pub fn pem(&self) -> &str {
        &self.pem
    }
}

impl Issued {
    pub fn cert_pem(&self) -> &str {
        &self.cert
    }

    pub fn key_pem(&self) -> &str {
        &self.key
    }

    /// The certificate as a server shows it.
    pub fn der(&self) -> &[u8] {
        &self.der
    }
}

impl TlsFolder {
    /// # Panics
    /// When it can't be made.
    #[expect(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("kubeplex-tls-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    pub fn cert_file(&self) -> PathBuf {
        self.0.join("tls.crt")
    }

    pub fn key_file(&self) -> PathBuf {
        self.0.join("tls.key")
    }

    pub fn ca_file(&self) -> PathBuf {
        self.0.join("ca.crt")
    }

    /// Puts a certificate into its place.
    ///
    /// # Panics
    /// When it can't be written.
    pub fn put(&self, issued: &Issued) {
        self.write(&issued.cert, &issued.key);
    }

    /// The same for anything, each file at once as it is.
    ///
    /// # Panics
    /// When it can't be written.
    pub fn write(&self, cert: &str, key: &str) {
        for (path, text) in [(self.key_file(), key), (self.cert_file(), cert)] {
            let new = path.with_extension("new");
            std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, path)).expect("a file");
        }
    }

    /// # Panics
    /// When it can't be written.
    pub fn trust(&self, authority: &Authority) {
        std::fs::write(self.ca_file(), authority.pem()).expect("a file");
    }
}

impl Drop for TlsFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
