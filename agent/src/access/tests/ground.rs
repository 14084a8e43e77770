//! A simulated API server that remembers who asked it, over TLS or without, and a proxy that can be told to pass it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{Request, StatusCode};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use kube::client::Body;
use kube::config::Kubeconfig;
use kubeplex_link::reason;
use parking_lot::Mutex;
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use serde_json::{Value, json};
use simcluster::{SimCluster, SimConfig};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::access::credentials::{CredentialTimings, Credentials};
use crate::access::{Context, ContextError, kubeconfig};
use crate::api::ApiError;

/// The name in the server's certificate, which no resolver knows.
pub(super) const NAME: &str = "kubernetes.example.internal";

/// One folder, one server, one user, whatever the test makes of them.
pub(super) struct Ground {
    pub(super) folder: PathBuf,
    pub(super) address: SocketAddr,
    pub(super) visitors: Visitors,
    tracker: TaskTracker,
    stop: CancellationToken,
    _tasks: JoinSet<()>,
}

/// Whom the server has seen, and whom it lets in.
#[derive(Clone, Default)]
pub(super) struct Visitors {
    seen: Arc<Mutex<Vec<String>>>,
    /// Everybody where it is empty.
    welcome: Arc<Mutex<Vec<String>>>,
}

impl Visitors {
    /// What requests said in `Authorization`, one after another.
    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().clone()
    }

    /// Others are answered 401 from now on.
    pub(super) fn admit_only(&self, authorization: &str) {
        *self.welcome.lock() = vec![authorization.to_owned()];
    }

    fn admit(&self, request: &Request<Incoming>) -> bool {
        let value = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let value = value.unwrap_or("nobody").to_owned();
        let welcome = self.welcome.lock();
        let admitted = welcome.is_empty() || welcome.contains(&value);
        self.seen.lock().push(value);
        admitted
    }
}

/// An authority, and what it has signed for the server and for one client.
pub(super) struct Certificates {
    pub(super) authority: String,
    pub(super) client: (String, String),
    server: (Vec<rustls::pki_types::CertificateDer<'static>>, PrivateKeyDer<'static>),
    roots: rustls::RootCertStore,
}

impl Certificates {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let sign = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            (params.signed_by(&key, &authority).unwrap(), key)
        };
        let (server, server_key) = sign(NAME);
        let (client, client_key) = sign("me.example.internal");
        let mut roots = rustls::RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        Self {
            authority: authority.pem(),
            client: (client.pem(), client_key.serialize_pem()),
            server: (
                vec![server.der().clone()],
                PrivateKeyDer::try_from(server_key.serialize_der()).unwrap(),
            ),
            roots,
        }
    }

    fn acceptor(&self, clients: Clients) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = Arc::new(self.roots.clone());
        let config =
            ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
        let config = match clients {
            Clients::Anybody => config.unwrap().with_no_client_auth(),
            Clients::WithCertificate => {
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build().unwrap();
                config.unwrap().with_client_cert_verifier(verifier)
            }
        };
        let (chain, key) = (self.server.0.clone(), self.server.1.clone_key());
        TlsAcceptor::from(Arc::new(config.with_single_cert(chain, key).unwrap()))
    }
}

/// Who may connect over TLS.
#[derive(Clone, Copy)]
pub(super) enum Clients {
    Anybody,
    WithCertificate,
}

impl Ground {
    /// A server without TLS.
    pub(super) async fn plain() -> Self {
        Self::serve(None).await
    }

    pub(super) async fn tls(certificates: &Certificates, clients: Clients) -> Self {
        Self::serve(Some(certificates.acceptor(clients))).await
    }

    async fn serve(acceptor: Option<TlsAcceptor>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("kubeplex-access-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, visitors) = (listener.local_addr().unwrap(), Visitors::default());
        let sim = SimCluster::new(SimConfig { pods: 20, nodes: 1, ..SimConfig::named("sim", 1) });
        let (mut tasks, admitting) = (JoinSet::new(), visitors.clone());
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (sim, visitors, acceptor) = (sim.clone(), admitting.clone(), acceptor.clone());
                connections.spawn(async move {
                    match acceptor {
                        None => answer(stream, sim, visitors).await,
                        // A client that does not trust the certificate is gone before there is a stream.
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                answer(stream, sim, visitors).await;
                            }
                        }
                    }
                });
            }
        });
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        Self { folder, address, visitors, tracker, stop, _tasks: tasks }
    }

    /// Writes a file into the folder, and returns its path.
    pub(super) fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The client of a kubeconfig file's only context, with these fields of its cluster and user.
    pub(super) async fn client(
        &self,
        cluster: Value,
        user: Value,
        timings: CredentialTimings,
    ) -> Result<(kube::Client, Option<Credentials>), ContextError> {
        let context = Context::of(&self.kubeconfig(cluster, user), None, timings).await?;
        context.client(&self.tracker, &self.stop)
    }

    fn kubeconfig(&self, cluster: Value, user: Value) -> Kubeconfig {
        let text = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "clusters": [{"name": "it", "cluster": cluster}],
            "users": [{"name": "me", "user": user}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "me"}}],
        });
        let file = self.write("config", &text.to_string());
        kubeconfig::read(&[Path::new(&file).to_owned()]).unwrap()
    }

    pub(super) async fn shut_down(self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

/// What asking the server came to: its status, or why there is none.
pub(super) async fn ask(client: &kube::Client) -> Result<StatusCode, String> {
    let request = Request::get("/version").body(Body::empty()).unwrap();
    let sent = tokio::time::timeout(Duration::from_secs(20), client.send(request)).await;
    let sent = sent.expect("an answer of some kind in time");
    sent.map(|response| response.status()).map_err(|error| reason(&ApiError::unreachable(error)))
}

async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    sim: SimCluster,
    visitors: Visitors,
) {
    let service = tower::service_fn(move |request: Request<Incoming>| {
        let (admitted, service) = (visitors.admit(&request), sim.service());
        async move {
            let response = service.oneshot(request).await?;
            Ok::<_, simcluster::ConnectionReset>(if admitted { response } else { refused(response) })
        }
    });
    // A client that goes away in the middle is none of the test's business.
    let _ = Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .await;
}

fn refused<B>(mut response: http::Response<B>) -> http::Response<B> {
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response
}

/// An HTTP proxy that passes every CONNECT on to one address, whatever it asks for.
pub(super) struct ConnectProxy {
    pub(super) address: SocketAddr,
    tunnels: Arc<AtomicUsize>,
    logins: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl ConnectProxy {
    pub(super) async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tunnels, logins) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (count, seen, mut tasks) = (tunnels.clone(), logins.clone(), JoinSet::new());
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (count, seen) = (count.clone(), seen.clone());
                connections.spawn(async move { tunnel(stream, target, &count, &seen).await });
            }
        });
        Self { address, tunnels, logins, _tasks: tasks }
    }

    pub(super) fn tunnels(&self) -> usize {
        self.tunnels.load(Ordering::Relaxed)
    }

    /// What clients said in `Proxy-Authorization`.
    pub(super) fn logins(&self) -> Vec<String> {
        self.logins.lock().clone()
    }
}

async fn tunnel(mut near: TcpStream, target: SocketAddr, count: &AtomicUsize, logins: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = near.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("CONNECT "), "{head}");
    let headers = head.lines().filter_map(|line| line.split_once(": "));
    let login = headers.filter(|(name, _)| name.eq_ignore_ascii_case("proxy-authorization"));
    let login = login.map(|(_, value)| value.to_owned());
    logins.lock().extend(login);
    count.fetch_add(1, Ordering::Relaxed);
    let mut far = TcpStream::connect(target).await.unwrap();
    near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    // It ends with either end.
    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
}
