//! Connections that cost more than they are worth: who asks too slowly, who does not take what was asked for, and too many.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kubeplex_gateway::config::{GatewayConfig, TokenHash};
use kubeplex_gateway::limits::Limits;
use kubeplex_test_support::agent::Behaviour::{Pods, Wide};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

use crate::client::NEWER;
use crate::world::World;

/// Longer than anything here takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A call whose answer is about 4 MiB.
fn large_call() -> String {
    let arguments = json!({"limit": 1_000, "maxBytes": 4 << 20});
    let params = json!({"name": "pods_list", "arguments": arguments, "_meta": {
        "io.modelcontextprotocol/protocolVersion": NEWER,
        "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }});
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string()
}

fn head(length: usize) -> String {
    format!(
        "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         accept: application/json, text/event-stream\r\nmcp-protocol-version: {NEWER}\r\nmcp-method: tools/call\r\n\
         mcp-name: pods_list\r\ncontent-length: {length}\r\n\r\n"
    )
}

/// A connection whose kernel takes little in advance.
async fn narrow(world: &World) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 << 10).unwrap();
    socket.connect(world.addresses().listen).await.unwrap()
}

async fn connect(world: &World) -> TcpStream {
    TcpStream::connect(world.addresses().listen).await.unwrap()
}

/// What comes until the gateway closes the connection, which it must do.
async fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut read = Vec::new();
    // A reset is an end, too.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut read)).await.expect("the gateway closes it");
    read
}

/// Waits until the gateway has given up so many connections for this reason.
async fn until_given_up(world: &World, reason: &str) {
    let line = format!(
        "kubeplex_gateway_connections_given_up_total{{listener=\"main listener\",reason=\"{reason}\"}} 1"
    );
    let client = world.client();
    let mut rhythm = interval(Duration::from_millis(20));
    let given_up = async {
        while !client.admin("/metrics").await.1.contains(&line) {
            rhythm.tick().await;
        }
    };
    assert!(timeout(PATIENCE, given_up).await.is_ok(), "never: {line}");
}

/// With one place for calls, so that one that is still taken is noticed.
async fn with_wide_pods() -> World {
    let limits = Limits { calls_in_flight: 1, slow_reader: Duration::from_millis(500), ..Limits::default() };
    World::with(&[("a", Wide(1_000))], limits).await
}

#[tokio::test]
async fn a_slow_reader_over_http_1_is_cut_and_others_are_served() {
    let world = with_wide_pods().await;
    let mut slow = narrow(&world).await;
    let call = large_call();
    slow.write_all((head(call.len()) + &call).as_bytes()).await.unwrap();
    let mut first = [0; 12];
    slow.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    // While its answer waits, its call is over and its place free.
    assert_eq!(world.client().pods(json!({"limit": 1})).await["total"], 1_000);
    until_given_up(&world, "slow_reader").await;
    assert!(until_closed(&mut slow).await.len() < 4 << 20, "what was not taken is gone");
}

#[tokio::test]
async fn a_reader_who_takes_its_time_gets_everything() {
    let world = with_wide_pods().await;
    let mut slow = narrow(&world).await;
    let call = large_call();
    slow.write_all((head(call.len()) + &call).as_bytes()).await.unwrap();
    let mut taken = 0;
    let mut piece = vec![0; 256 << 10];
    // Well above the least that is asked for, and four times as long as somebody may take nothing.
    let mut rhythm = interval(Duration::from_millis(125));
    while taken < 4_000_000 {
        rhythm.tick().await;
        taken += slow.read_exact(&mut piece).await.unwrap();
    }
}

#[tokio::test]
async fn a_slow_reader_over_http_2_is_cut_and_others_are_served() {
    let world = with_wide_pods().await;
    let builder = {
        let mut builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
        builder.initial_stream_window_size(64 << 10).initial_connection_window_size(1 << 20);
        builder
    };
    let socket = TokioIo::new(connect(&world).await);
    let (mut sender, connection) = builder.handshake::<_, Full<Bytes>>(socket).await.unwrap();
    let mut connections = JoinSet::new();
    connections.spawn(connection);
    let request = http::Request::post("http://localhost/mcp")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", NEWER)
        .header("mcp-method", "tools/call")
        .header("mcp-name", "pods_list")
        .body(Full::new(Bytes::from(large_call())))
        .unwrap();
    let answer = timeout(PATIENCE, sender.send_request(request)).await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(world.client().pods(json!({"limit": 1})).await["total"], 1_000);
    until_given_up(&world, "slow_reader").await;
    assert!(answer.into_body().collect().await.is_err(), "what was not taken is gone");
    assert!(timeout(PATIENCE, connections.join_next()).await.is_ok(), "the connection ends");
}

#[tokio::test]
async fn who_does_not_get_to_the_point_loses_the_connection() {
    let limits = Limits { request_head: Duration::from_millis(300), ..Limits::default() };
    let world = World::with(&[("a", Pods(1))], limits).await;
    for beginning in ["", "POST /mcp HTTP/1.1\r\nhost: loc", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let mut stream = connect(&world).await;
        stream.write_all(beginning.as_bytes()).await.unwrap();
        let told = until_closed(&mut stream).await;
        assert!(!told.starts_with(b"HTTP/1.1 200"), "{beginning:?}");
    }
    // A header line every now and then is no progress.
    let (mut read, mut write) = connect(&world).await.into_split();
    write.write_all(b"POST /mcp HTTP/1.1\r\n").await.unwrap();
    let mut rhythm = interval(Duration::from_millis(50));
    let drip = async {
        while write.write_all(b"x-more: 1\r\n").await.is_ok() {
            rhythm.tick().await;
        }
    };
    let mut rest = Vec::new();
    let closed = timeout(PATIENCE, read.read_to_end(&mut rest));
    tokio::select! {
        closed = closed => drop(closed.expect("the gateway closes it")),
        () = drip => {}
    }
    assert_eq!(world.client().pods(json!({})).await["total"], 1);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let limits = Limits { request_body: Duration::from_millis(300), ..Limits::default() };
    let world = World::with(&[("a", Pods(1))], limits).await;
    let mut stream = connect(&world).await;
    stream.write_all((head(1_000) + "{\"jsonrpc\"").as_bytes()).await.unwrap();
    let told = until_closed(&mut stream).await;
    assert!(told.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&told));
    assert_eq!(world.client().pods(json!({})).await["total"], 1);
}

#[tokio::test]
async fn a_connection_that_is_not_used_is_closed_and_a_stream_of_events_is_used() {
    let limits = Limits {
        connection_idle: Duration::from_millis(500),
        slow_reader: Duration::from_millis(500),
        ..Limits::default()
    };
    let world = World::with(&[("a", Pods(1))], limits).await;
    let client = world.client();
    let session = client.initialize().await;
    let mut events = connect(&world).await;
    let get = format!(
        "GET /mcp HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\nmcp-session-id: {}\r\n\r\n",
        session.id
    );
    events.write_all(get.as_bytes()).await.unwrap();
    let mut idle = connect(&world).await;
    idle.write_all(b"GET /nowhere HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let told = until_closed(&mut idle).await;
    assert!(told.starts_with(b"HTTP/1.1 404"), "{}", String::from_utf8_lossy(&told));
    // As long again: nothing is said on the stream, and nobody takes that amiss.
    let mut said = vec![0; 1 << 10];
    let silence = async { while events.read(&mut said).await.unwrap() > 0 {} };
    assert!(timeout(Duration::from_millis(1_500), silence).await.is_err(), "the stream was closed");
}

#[tokio::test]
async fn connections_beyond_the_most_wait_for_a_place() {
    let limits = Limits { connections: 2, ..Limits::default() };
    let world = World::with(&[("a", Pods(1))], limits).await;
    let holders = [connect(&world).await, connect(&world).await];
    let client = world.client();
    let waiting = client.pods(json!({}));
    tokio::pin!(waiting);
    assert!(timeout(Duration::from_millis(300), waiting.as_mut()).await.is_err(), "a third one is served");
    drop(holders);
    assert_eq!(timeout(PATIENCE, waiting).await.expect("a place came free")["total"], 1);
}

/// Of two callers who may see everything, whose tokens are their names.
fn with_anna_and_ben(listen: &str, more: &str) -> GatewayConfig {
    let caller = |name: &str| {
        let reach = "clusters = [\"*\"]\nnamespaces = [\"*\"]\nkinds = [\"*\"]";
        format!("[[caller]]\nuser = \"{name}\"\ntoken_sha256 = \"{}\"\n{reach}\n", TokenHash::of(name))
    };
    let listeners = format!("[gateway]\nlisten = \"{listen}\"\nadmin = \"127.0.0.1:0\"\n");
    let text = format!("{listeners}{more}\n{}{}", caller("anna"), caller("ben"));
    GatewayConfig::from_toml(&text).unwrap()
}

#[tokio::test]
async fn answers_that_are_not_taken_are_counted_against_their_caller() {
    let config = with_anna_and_ben("127.0.0.1:0", "[limits]\nrequests_per_caller = 2");
    let world = World::of_config(config, &[("a", Wide(1_000))]).await;
    let call = large_call();
    let as_anna = head(call.len()).replace("\r\n\r\n", "\r\nauthorization: Bearer anna\r\n\r\n");
    let mut slow = Vec::new();
    for _ in 0..2 {
        let mut stream = narrow(&world).await;
        stream.write_all((as_anna.clone() + &call).as_bytes()).await.unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        slow.push(stream);
    }
    let client = world.client();
    let status = async |name: &str| {
        client.request("tools/list", json!({})).bearer_auth(name).send().await.unwrap().status().as_u16()
    };
    assert_eq!((status("anna").await, status("ben").await), (429, 200));
    drop(slow.pop());
    let mut rhythm = interval(Duration::from_millis(20));
    let served_again = async {
        while status("anna").await != 200 {
            rhythm.tick().await;
        }
    };
    assert!(timeout(PATIENCE, served_again).await.is_ok(), "what was left gives its place back");
}

/// An address of this machine under which it is no longer taken for itself, where it has one. Nothing is sent to find it.
async fn address_on_a_network() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").await.ok()?;
    // An address of nobody, kept for documentation: only the way there is looked up.
    socket.connect("192.0.2.1:9").await.ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

/// A connection on which something is answered; `None` where it is closed instead.
async fn served(address: SocketAddr) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    stream.write_all(b"GET /nowhere HTTP/1.1\r\nhost: localhost\r\n\r\n").await.ok()?;
    let mut first = [0; 9];
    let read = timeout(PATIENCE, stream.read_exact(&mut first)).await.expect("an answer or an end");
    read.ok().map(|_| stream)
}

#[tokio::test]
async fn one_address_has_its_share_of_connections_and_others_have_theirs() {
    let Some(network) = address_on_a_network().await else {
        return eprintln!("not run: this machine has no address but loopback, which has no such limit");
    };
    let more = "behind_tls_proxy = true\n[limits]\nconnections_per_address = 3";
    let world = World::empty(with_anna_and_ben("0.0.0.0:0", more)).await;
    let at = |ip: IpAddr| SocketAddr::new(ip, world.addresses().listen.port());
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(served(at(network)).await.expect("it has three"));
    }
    assert!(served(at(network)).await.is_none(), "a fourth one is served");
    let mut here = Vec::new();
    for _ in 0..5 {
        here.push(served(at(Ipv4Addr::LOCALHOST.into())).await.expect("this machine has no limit"));
    }
    drop(held.pop());
    let mut rhythm = interval(Duration::from_millis(20));
    let served_again = async {
        while served(at(network)).await.is_none() {
            rhythm.tick().await;
        }
    };
    assert!(timeout(PATIENCE, served_again).await.is_ok(), "a place that came free is taken");
}

/// Frames of HTTP/2 by hand: a request that is cancelled before anybody looked at it, again and again.
#[tokio::test]
async fn a_flood_of_cancelled_requests_ends_its_connection() {
    let world = World::of(&[("a", Pods(1))]).await;
    let (mut read, mut write) = connect(&world).await.into_split();
    let flood = async {
        let mut frames = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        frames.extend(frame(SETTINGS, 0, 0, &[]));
        // :method GET, :scheme http, :path /, :authority "a", as HPACK's static table has them.
        let request = [0x82, 0x86, 0x84, 0x41, 0x01, b'a'];
        for stream in (1..4_001).step_by(2) {
            frames.extend(frame(HEADERS, END_HEADERS | END_STREAM, stream, &request));
            frames.extend(frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]));
        }
        // It may end before everything is written.
        let _ = write.write_all(&frames).await;
        std::future::pending::<()>().await;
    };
    let mut told = Vec::new();
    tokio::select! {
        closed = timeout(PATIENCE, read.read_to_end(&mut told)) => drop(closed.expect("the connection ends")),
        () = flood => unreachable!("it never ends by itself"),
    }
    let most = Bytes::from_static(&[0, 3, 0, 0, 0, 128]);
    let first = &told[..told.len().min(200)];
    assert!(first.windows(most.len()).any(|setting| setting == most), "no limit of streams: {first:?}");
    assert_eq!(world.client().pods(json!({})).await["total"], 1);
}

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}
