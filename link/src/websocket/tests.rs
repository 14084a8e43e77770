use futures::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio_tungstenite::tungstenite::protocol::Role;

use super::*;

/// Both ends of a WebSocket over a pipe with room for `capacity` bytes.
async fn pair(capacity: usize) -> (WebSocketBytes<DuplexStream>, WebSocketStream<DuplexStream>) {
    let (a, b) = tokio::io::duplex(capacity);
    let agent = WebSocketStream::from_raw_socket(a, Role::Client, Some(config())).await;
    let gateway = WebSocketStream::from_raw_socket(b, Role::Server, Some(config())).await;
    (WebSocketBytes::new(agent), gateway)
}

#[tokio::test]
async fn bytes_arrive_in_order_both_ways_through_a_narrow_pipe() {
    let (mut agent, gateway) = pair(1000).await;
    let mut gateway = WebSocketBytes::new(gateway);
    let sent: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
    let (there, back) = (sent.clone(), sent.clone());
    let writing = async {
        agent.write_all(&there).await.unwrap();
        agent.flush().await.unwrap();
        let mut echo = vec![0; there.len()];
        agent.read_exact(&mut echo).await.unwrap();
        agent.shutdown().await.unwrap();
        echo
    };
    let echoing = async {
        let mut received = vec![0; back.len()];
        gateway.read_exact(&mut received).await.unwrap();
        gateway.write_all(&received).await.unwrap();
        gateway.flush().await.unwrap();
        assert_eq!(gateway.read(&mut [0; 8]).await.unwrap(), 0, "a close is the end of the stream");
    };
    let (echo, ()) = tokio::join!(writing, echoing);
    assert!(echo == sent);
}

#[tokio::test]
async fn slices_written_together_are_one_message() {
    let (mut agent, mut gateway) = pair(4096).await;
    let slices = [IoSlice::new(b"head"), IoSlice::new(b""), IoSlice::new(b"payload")];
    assert_eq!(agent.write_vectored(&slices).await.unwrap(), 11);
    agent.flush().await.unwrap();
    let message = gateway.next().await.unwrap().unwrap();
    assert_eq!(message, Message::Binary(Bytes::from_static(b"headpayload")));
}

#[tokio::test]
async fn a_writer_waits_for_a_reader() {
    let (mut agent, _gateway) = pair(1000).await;
    let chunk = vec![0; MESSAGE];
    let mut accepted = 0;
    loop {
        let writing = std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut agent).poll_write(cx, &chunk)));
        match writing.await {
            Poll::Ready(written) => accepted += written.unwrap(),
            Poll::Pending => break,
        }
        assert!(accepted <= 4 * MESSAGE, "{accepted} bytes are buffered");
    }
}

#[tokio::test]
async fn text_is_not_taken_for_bytes() {
    let (mut agent, mut gateway) = pair(4096).await;
    gateway.send(Message::text("hello")).await.unwrap();
    let error = agent.read(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[tokio::test]
async fn an_oversized_message_ends_the_stream_before_it_is_buffered() {
    let (mut agent, gateway) = pair(4096).await;
    let mut raw = gateway.into_inner();
    // FIN + binary, a length of 2^40 bytes.
    raw.write_all(&[0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0]).await.unwrap();
    let error = agent.read(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[tokio::test]
async fn garbage_under_the_websocket_is_an_error() {
    let (mut agent, gateway) = pair(4096).await;
    let mut raw = gateway.into_inner();
    raw.write_all(&[0xff; 64]).await.unwrap();
    assert!(agent.read(&mut [0; 8]).await.is_err());
}
