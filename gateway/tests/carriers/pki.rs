//! An authority, what it signed, and TLS in front of a gateway.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use kubeplex_link::identity::Identity;
use kubeplex_link::trust::Trust;
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// The names that its certificate is for: this machine, and one that only a proxy knows the way to.
pub(crate) const FAR_AWAY: &str = "gateway.test";

/// An authority, and what it signed.
pub(crate) struct Pki {
    directory: PathBuf,
}

impl Drop for Pki {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

impl Pki {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let ca_key = KeyPair::generate().unwrap();
        let ca = params.self_signed(&ca_key).unwrap();
        let issuer = Issuer::new(params, ca_key);
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), FAR_AWAY.to_owned()];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
        let directory = std::env::temp_dir().join(format!("kubeplex-carriers-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&directory).unwrap();
        let pki = Self { directory };
        for (name, text) in
            [("ca.pem", ca.pem()), ("cert.pem", certificate.pem()), ("key.pem", key.serialize_pem())]
        {
            std::fs::write(pki.file(name), text).unwrap();
        }
        pki
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust::ca_file(&self.file("ca.pem")).unwrap()
    }

    /// Of an agent that listens.
    pub(crate) fn identity(&self) -> Identity {
        Identity::from_files(&self.file("cert.pem"), &self.file("key.pem")).unwrap()
    }

    /// Serves `app` as an ingress does.
    pub(crate) fn serve(&self, listener: TcpListener, app: Router) -> JoinSet<()> {
        let chain = CertificateDer::pem_file_iter(self.file("cert.pem")).unwrap();
        let chain = chain.map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(self.file("key.pem")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                socket.set_nodelay(true).unwrap();
                let (acceptor, app) = (acceptor.clone(), app.clone());
                connections.spawn(async move {
                    let Ok(stream) = acceptor.accept(socket).await else { return };
                    let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    let service = TowerToHyperService::new(app);
                    let _ = server.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
                });
            }
        });
        tasks
    }
}
