//! Dialling through TLS: whom an agent believes, and what it says when it does not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use kubeplex_link::activity::Activity;
use kubeplex_link::dial::{DialError, Route, Token, dial};
use kubeplex_link::proxy::Proxies;
use kubeplex_link::tasks::LinkTasks;
use kubeplex_link::trust::{Trust, TrustError};
use kubeplex_link::url::GatewayUrl;
use kubeplex_link::websocket::LinkStream;
use kubeplex_link::{accept, http2, reason};
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// An authority, and what it signed for `localhost`.
struct Pki {
    ca_file: PathBuf,
    _directory: Directory,
    server: Arc<ServerConfig>,
}

/// A directory of this test's own.
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Pki {
    fn new(test: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let ca_key = KeyPair::generate().unwrap();
        let ca = params.self_signed(&ca_key).unwrap();
        let issuer = Issuer::new(params, ca_key);
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();

        let directory = std::env::temp_dir().join(format!("kubeplex-link-tls-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let ca_file = directory.join("ca.pem");
        std::fs::write(&ca_file, ca.pem()).unwrap();
        let server = server_config(certificate.der().clone(), &key);
        Self { ca_file, _directory: Directory(directory), server }
    }
}

fn server_config(certificate: CertificateDer<'static>, key: &KeyPair) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap())
}

/// An ingress with a gateway behind it, that greets each agent with one request and passes on what it answered.
async fn gateway(server: Arc<ServerConfig>, tasks: &mut JoinSet<()>) -> (SocketAddr, Answers) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (answers, receiver) = tokio::sync::mpsc::unbounded_channel();
    let app = Router::new().route("/agent/v1/link", get(move |request| greet(request, answers.clone())));
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((socket, _)) = listener.accept().await {
            let (acceptor, app) = (TlsAcceptor::from(server.clone()), app.clone());
            connections.spawn(async move {
                let Ok(stream) = acceptor.accept(socket).await else { return };
                let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                let service = TowerToHyperService::new(app);
                let _ = server.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
            });
        }
    });
    (address, receiver)
}

type Answers = tokio::sync::mpsc::UnboundedReceiver<String>;

async fn greet(mut request: Request, answers: tokio::sync::mpsc::UnboundedSender<String>) -> Response {
    let Ok((reply, upgrading)) = accept::accept(&mut request) else { return "no agent".into_response() };
    let tracker = TaskTracker::new();
    tracker.spawn(async move {
        let stream = upgrading.stream(Activity::start()).await.unwrap();
        let tasks = LinkTasks::new(TaskTracker::new(), CancellationToken::new());
        let (client, connection) = http2::connect(stream, tasks).await.unwrap();
        let request = http::Request::post("/hello").body(Empty::new().boxed_unsync()).unwrap();
        let exchange = async {
            let body = client.send(request).await.unwrap().into_body().collect().await.unwrap();
            let _ = answers.send(String::from_utf8_lossy(&body.to_bytes()).into_owned());
            drop(client);
        };
        let _ = tokio::join!(exchange, connection);
    });
    reply.map(|()| Body::empty())
}

async fn dial_with(address: SocketAddr, host: &str, trust: &Trust) -> Result<LinkStream, DialError> {
    let url: GatewayUrl = format!("wss://{host}:{}", address.port()).parse().unwrap();
    let token = Token::new("t").unwrap();
    let route = Route { url, token, trust: trust.clone(), proxies: Proxies::default() };
    let dialling = dial(&route, Activity::start());
    tokio::time::timeout(Duration::from_secs(30), dialling).await.expect("dialling hangs")
}

#[tokio::test]
async fn a_gateway_signed_by_the_named_authority_is_served() {
    let pki = Pki::new("served");
    let mut tasks = JoinSet::new();
    let (address, mut answers) = gateway(pki.server.clone(), &mut tasks).await;
    let stream = dial_with(address, "localhost", &Trust::ca_file(&pki.ca_file).unwrap()).await.unwrap();
    let agent = Router::new().route("/hello", post(|| async { "hello from inside" }));
    let link = LinkTasks::new(TaskTracker::new(), CancellationToken::new());
    let served = http2::serve(stream, TowerToHyperService::new(agent), link, CancellationToken::new());
    served.await.unwrap();
    assert_eq!(answers.recv().await.unwrap(), "hello from inside");
}

#[tokio::test]
async fn another_authority_and_another_name_are_not_believed() {
    let (pki, other) = (Pki::new("believed"), Pki::new("other"));
    let mut tasks = JoinSet::new();
    let (address, _answers) = gateway(pki.server.clone(), &mut tasks).await;
    for (host, ca_file) in [("localhost", &other.ca_file), ("127.0.0.1", &pki.ca_file)] {
        let outcome = dial_with(address, host, &Trust::ca_file(ca_file).unwrap()).await;
        let Err(error @ DialError::Tls { .. }) = outcome else { panic!("{host} was believed") };
        assert!(reason(&error).contains("certificate"), "{}", reason(&error));
    }
}

#[tokio::test]
async fn a_ca_file_that_holds_no_certificate_is_named() {
    let pki = Pki::new("named");
    let empty = pki.ca_file.with_file_name("empty.pem");
    std::fs::write(&empty, "not a certificate").unwrap();
    assert!(matches!(Trust::ca_file(&empty), Err(TrustError::EmptyCaFile { path }) if path == empty));
    let missing = pki.ca_file.with_file_name("missing.pem");
    assert!(matches!(Trust::ca_file(&missing), Err(TrustError::CaFile { path, .. }) if path == missing));
}
