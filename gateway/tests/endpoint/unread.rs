//! Requests that are refused before they are all there: their clients read why, and nobody is listened to for ever.

use kubeplex_gateway::limits::{Limits, UNREAD_BYTES};
use kubeplex_test_support::agent::Behaviour::Pods;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::NEWER;
use crate::world::{PATIENCE, World};

/// Twice what a request may have.
const TOO_MUCH: usize = 2 << 20;

/// What kernels take in advance, on both sides, and more.
const IN_FLIGHT: usize = 64 << 20;

fn head(length: &str) -> String {
    format!(
        "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         accept: application/json, text/event-stream\r\nmcp-protocol-version: {NEWER}\r\nmcp-method: tools/call\r\n\
         mcp-name: pods_list\r\n{length}\r\n\r\n"
    )
}

async fn world() -> World {
    World::with(&[("a", Pods(1))], Limits { request_bytes: 1 << 20, ..Limits::default() }).await
}

async fn connect(world: &World) -> TcpStream {
    TcpStream::connect(world.addresses().listen).await.unwrap()
}

/// What a client is told that writes all of `request` before it reads anything.
async fn told(world: &World, request: &[u8]) -> String {
    let mut stream = connect(world).await;
    let exchange = async {
        stream.write_all(request).await?;
        let mut first = [0; 12];
        stream.read_exact(&mut first).await?;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&first).into_owned())
    };
    let exchange = timeout(PATIENCE, exchange).await.expect("an answer or an end");
    exchange.unwrap_or_else(|error| format!("no answer: {error}"))
}

#[tokio::test]
async fn a_client_that_sends_too_much_in_one_go_reads_why_it_is_refused() {
    let world = world().await;
    let body = vec![b' '; TOO_MUCH];
    let mut whole = head(&format!("content-length: {TOO_MUCH}")).into_bytes();
    whole.extend_from_slice(&body);
    let mut chunked = head("transfer-encoding: chunked").into_bytes();
    chunked.extend_from_slice(format!("{TOO_MUCH:x}\r\n").as_bytes());
    chunked.extend_from_slice(&body);
    chunked.extend_from_slice(b"\r\n0\r\n\r\n");
    for request in [&whole, &chunked] {
        for time in 1..=30 {
            assert_eq!(told(&world, request).await, "HTTP/1.1 413", "the time: {time}");
        }
    }
    assert_eq!(world.client().pods(json!({})).await["total"], 1);
}

#[tokio::test]
async fn who_never_stops_sending_is_cut() {
    let world = world().await;
    let (mut read, mut write) = connect(&world).await.into_split();
    write.write_all(head("transfer-encoding: chunked").as_bytes()).await.unwrap();
    let mut chunk = b"10000\r\n".to_vec();
    chunk.extend_from_slice(&[b' '; 0x10000]);
    chunk.extend_from_slice(b"\r\n");
    let mut sent = 0;
    let sending = async {
        while write.write_all(&chunk).await.is_ok() {
            sent += chunk.len();
        }
    };
    timeout(PATIENCE, sending).await.expect("its connection ends");
    assert!(sent < UNREAD_BYTES + TOO_MUCH + IN_FLIGHT, "{sent} bytes were taken");
    let mut rest = Vec::new();
    // A reset at the latest, and perhaps the answer before.
    let _ = timeout(PATIENCE, read.read_to_end(&mut rest)).await.expect("it ends for the reader, too");
    assert_eq!(world.client().pods(json!({})).await["total"], 1, "others are served");
}

#[tokio::test]
async fn who_stops_in_the_middle_reads_why_all_the_same() {
    let world = world().await;
    let mut stream = connect(&world).await;
    let announced = 4 * TOO_MUCH;
    stream.write_all(head(&format!("content-length: {announced}")).as_bytes()).await.unwrap();
    stream.write_all(&vec![b' '; TOO_MUCH]).await.unwrap();
    let mut first = [0; 12];
    let read = timeout(PATIENCE, stream.read_exact(&mut first)).await.expect("an answer or an end");
    assert!(read.is_ok() && &first == b"HTTP/1.1 413", "{read:?} {}", String::from_utf8_lossy(&first));
}
