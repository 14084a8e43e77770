//! An ingress: TLS in front of an HTTP service that speaks none.

use std::sync::Arc;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::pki::Issued;

/// Serves `app` to whoever comes to `listener` and believes the certificate. It ends when what it returns is dropped.
///
/// # Panics
/// When the certificate can't be shown.
#[must_use]
pub fn serve(listener: TcpListener, shown: &Issued, app: Router) -> JoinSet<()> {
    let acceptor = TlsAcceptor::from(Arc::new(config(shown)));
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((socket, _)) = listener.accept().await {
            socket.set_nodelay(true).expect("a socket");
            let (acceptor, app) = (acceptor.clone(), app.clone());
            connections.spawn(async move {
                let Ok(stream) = acceptor.accept(socket).await else { return };
                let service = TowerToHyperService::new(app);
                let server = Builder::new(TokioExecutor::new());
                // How a connection ends is its client's affair.
                let _ = server.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
            });
        }
    });
    tasks
}

fn config(shown: &Issued) -> ServerConfig {
    let certificate = CertificateDer::from(shown.der().to_vec());
    let key = PrivateKeyDer::from_pem_slice(shown.key_pem().as_bytes()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    config
        .expect("protocol versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a pair")
}
