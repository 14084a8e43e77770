//! The main listener with a certificate.

use std::sync::Arc;

use kubeplex_gateway::config::{GatewayConfig, TokenHash};
use kubeplex_test_support::agent::Behaviour::Pods;
use kubeplex_test_support::pki::{Authority, TlsFolder};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::world::{PATIENCE, World};

struct Secured {
    world: World,
    authority: Authority,
    folder: TlsFolder,
    connector: TlsConnector,
}

impl Secured {
    async fn new() -> Self {
        let (authority, folder) = (Authority::new(), TlsFolder::new());
        folder.put(&authority.issue("localhost"));
        let hash = TokenHash::of("anna");
        let text = format!(
            "[gateway]\nlisten = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n[gateway.tls]\ncert_file = {:?}\nkey_file = {:?}\n\
             check_every_ms = 20\n[[caller]]\nuser = \"anna\"\ntoken_sha256 = \"{hash}\"\nclusters = [\"*\"]\n\
             namespaces = [\"*\"]\nkinds = [\"*\"]\n",
            folder.cert_file(),
            folder.key_file(),
        );
        let world = World::of_config(GatewayConfig::from_toml(&text).unwrap(), &[("a", Pods(2))]).await;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.unwrap().with_root_certificates(roots).with_no_client_auth();
        Self { world, authority, folder, connector: TlsConnector::from(Arc::new(config)) }
    }

    async fn connect(&self) -> TlsStream<TcpStream> {
        let socket = TcpStream::connect(self.world.addresses().listen).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        timeout(PATIENCE, self.connector.connect(name, socket)).await.unwrap().unwrap()
    }

    /// The certificate that a new connection is shown.
    async fn shown(&self) -> Vec<u8> {
        let stream = self.connect().await;
        stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
    }

    async fn until_metric(&self, line: &str) {
        let seen = async { while !self.world.client().admin("/metrics").await.1.contains(line) {} };
        assert!(timeout(PATIENCE, seen).await.is_ok(), "never: {line}");
    }
}

/// Whether an answer is here as long as its head says that it is.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    let length = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let (_, length) = length.unwrap_or_else(|| panic!("an answer is sent with its length: {head}"));
    body.len() >= length.parse().unwrap()
}

/// Asks for pods over a connection that is already there, and returns the whole HTTP answer.
async fn ask(stream: &mut TlsStream<TcpStream>) -> String {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": crate::client::NEWER,
        "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "pods_list", "arguments": {}, "_meta": meta}})
    .to_string();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: gateway.example.com\r\nauthorization: Bearer anna\r\ncontent-type: application/json\r\n\
         mcp-protocol-version: {}\r\nmcp-method: tools/call\r\nmcp-name: pods_list\r\ncontent-length: {}\r\n\r\n",
        crate::client::NEWER,
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !is_whole(&answer) {
        let mut part = [0; 4_096];
        let read = timeout(PATIENCE, stream.read(&mut part)).await.unwrap().unwrap();
        assert!(read > 0, "cut after {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&part[..read]);
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_new_certificate_is_shown_to_new_connections_and_cuts_none() {
    let secured = Secured::new().await;
    let mut kept = secured.connect().await;
    assert!(ask(&mut kept).await.contains("\"total\":2"));
    let next = secured.authority.issue("localhost");
    secured.folder.put(&next);
    let shown = async { while secured.shown().await != next.der() {} };
    assert!(timeout(PATIENCE, shown).await.is_ok(), "never: the new certificate is shown");
    assert!(ask(&mut kept).await.contains("\"total\":2"), "a connection from before goes on");
    secured.until_metric("kubeplex_gateway_certificate_changes_total{result=\"taken_over\"} 1").await;
    // What is no pair is not taken over, and counted once, however often it is looked at.
    let other = secured.authority.issue("localhost");
    secured.folder.write(next.cert_pem(), other.key_pem());
    secured.until_metric("kubeplex_gateway_certificate_changes_total{result=\"refused\"} 1").await;
    assert_eq!(secured.shown().await, next.der());
    secured.folder.put(&other);
    let shown = async { while secured.shown().await != other.der() {} };
    assert!(timeout(PATIENCE, shown).await.is_ok(), "never: a good pair after a bad one");
}

#[tokio::test]
async fn plain_http_gets_no_answer() {
    let secured = Secured::new().await;
    let mut socket = TcpStream::connect(secured.world.addresses().listen).await.unwrap();
    socket
        .write_all(b"POST /mcp HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer anna\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    // An alert of TLS at most, or a reset.
    let _ = timeout(PATIENCE, socket.read_to_end(&mut answer)).await.expect("it is cut");
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP"), "{answer:?}");
    assert!(ask(&mut secured.connect().await).await.starts_with("HTTP/1.1 200"), "others are served");
}
