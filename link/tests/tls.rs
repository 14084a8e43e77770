//! Dialling through TLS: whom an agent believes, and what it says when it does not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::service::TowerToHyperService;
use kubeplex_link::activity::Activity;
use kubeplex_link::credential::Token;
use kubeplex_link::dial::{DialError, Route, dial};
use kubeplex_link::proxy::Proxies;
use kubeplex_link::tasks::LinkTasks;
use kubeplex_link::trust::{Trust, TrustError};
use kubeplex_link::url::GatewayUrl;
use kubeplex_link::websocket::LinkStream;
use kubeplex_link::{accept, http2, reason};
use kubeplex_test_support::ingress;
use kubeplex_test_support::pki::{Authority, Issued, TlsFolder};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// An ingress with a gateway behind it, that greets each agent with one request and passes on what it answered.
async fn gateway(shown: &Issued) -> (SocketAddr, Answers, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (answers, receiver) = tokio::sync::mpsc::unbounded_channel();
    let app = Router::new().route("/agent/v1/link", get(move |request| greet(request, answers.clone())));
    (address, receiver, ingress::serve(listener, shown, app))
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
    let credential = Token::new("t").unwrap().into();
    let route = Route { url, credential, trust: trust.clone(), proxies: Proxies::default() };
    dial(&route, Activity::start(), Duration::from_secs(30)).await
}

#[tokio::test]
async fn a_gateway_signed_by_the_named_authority_is_served() {
    let (authority, folder) = (Authority::new(), TlsFolder::new());
    folder.trust(&authority);
    let (address, mut answers, _tasks) = gateway(&authority.issue("localhost")).await;
    let stream = dial_with(address, "localhost", &Trust::ca_file(&folder.ca_file()).unwrap()).await.unwrap();
    let agent = Router::new().route("/hello", post(|| async { "hello from inside" }));
    let link = LinkTasks::new(TaskTracker::new(), CancellationToken::new());
    let served = http2::serve(stream, TowerToHyperService::new(agent), link, CancellationToken::new());
    served.await.unwrap();
    assert_eq!(answers.recv().await.unwrap(), "hello from inside");
}

#[tokio::test]
async fn another_authority_and_another_name_are_not_believed() {
    let (authority, folder, elsewhere) = (Authority::new(), TlsFolder::new(), TlsFolder::new());
    folder.trust(&authority);
    elsewhere.trust(&Authority::new());
    let (address, _answers, _tasks) = gateway(&authority.issue("localhost")).await;
    for (host, trusted) in [("localhost", &elsewhere), ("127.0.0.1", &folder)] {
        let outcome = dial_with(address, host, &Trust::ca_file(&trusted.ca_file()).unwrap()).await;
        let Err(error @ DialError::Tls { .. }) = outcome else { panic!("{host} was believed") };
        assert!(reason(&error).contains("certificate"), "{}", reason(&error));
    }
}

#[tokio::test]
async fn a_ca_file_that_holds_no_certificate_is_named() {
    let folder = TlsFolder::new();
    let missing = folder.ca_file();
    let empty = missing.with_file_name("empty.pem");
    std::fs::write(&empty, "not a certificate").unwrap();
    assert!(matches!(Trust::ca_file(&empty), Err(TrustError::EmptyCaFile { path }) if path == empty));
    assert!(matches!(Trust::ca_file(&missing), Err(TrustError::CaFile { path, .. }) if path == missing));
}
