//! The gateway's end of the WebSocket handshake, on top of whatever HTTP server received the request.

use std::future::Future;
use std::io;
use std::pin::Pin;

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade::downcast;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::activity::{Activity, Metered};
use crate::secure;
use crate::websocket::{self, ByteStream, LinkStream, WebSocketBytes};

/// Why a request can't become a link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{wanted} is wanted to open a link; dial it with a WebSocket client over HTTP/1.1")]
pub struct NotAWebSocket {
    wanted: &'static str,
}

/// A connection whose HTTP server has not let go of it yet: it does when the reply has been sent.
pub struct Upgrading(OnUpgrade);

/// Answers a WebSocket handshake. The reply must be sent before [`Upgrading::stream`] can resolve.
///
/// # Errors
/// [`NotAWebSocket`] when `request` is none.
pub fn accept<B>(request: &mut Request<B>) -> Result<(Response<()>, Upgrading), NotAWebSocket> {
    let key = handshake_key(request)?;
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()))
        .map_err(|_| NotAWebSocket { wanted: "a plain Sec-WebSocket-Key" })?;
    let mut reply = Response::new(());
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = reply.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    Ok((reply, Upgrading(hyper::upgrade::on(request))))
}

impl Upgrading {
    /// The link's byte stream, what it receives noted in `activity`.
    ///
    /// # Errors
    /// When the connection broke first.
    pub async fn stream(self, activity: Activity) -> io::Result<LinkStream> {
        let upgraded = self.0.await.map_err(io::Error::other)?;
        secure::gateway_side(open(upgraded, activity).await?).await
    }
}

/// Small frames must not wait for each other's acknowledgements (Nagle), so the socket is sought out where it can be found.
async fn open(upgraded: Upgraded, activity: Activity) -> io::Result<LinkStream> {
    match downcast::<TokioIo<TcpStream>>(upgraded) {
        Ok(parts) => {
            let socket = parts.io.into_inner();
            socket.set_nodelay(true)?;
            Ok(over(socket, parts.read_buf.to_vec(), activity).await)
        }
        Err(upgraded) => Ok(over(TokioIo::new(upgraded), Vec::new(), activity).await),
    }
}

/// `early` is what the agent sent right behind its handshake.
fn over<S: ByteStream + 'static>(
    stream: S,
    early: Vec<u8>,
    activity: Activity,
) -> Pin<Box<dyn Future<Output = LinkStream> + Send>> {
    Box::pin(async move {
        let stream = Metered::new(stream, activity);
        let config = Some(websocket::config());
        let socket = WebSocketStream::from_partially_read(stream, early, Role::Server, config).await;
        Box::new(WebSocketBytes::new(socket)) as LinkStream
    })
}

fn handshake_key<B>(request: &Request<B>) -> Result<HeaderValue, NotAWebSocket> {
    let headers = request.headers();
    let demands = [
        ("HTTP/1.1", request.version() == Version::HTTP_11),
        ("the method GET", request.method() == Method::GET),
        ("Connection: upgrade", names(headers, &header::CONNECTION, "upgrade")),
        ("Upgrade: websocket", names(headers, &header::UPGRADE, "websocket")),
        ("Sec-WebSocket-Version: 13", names(headers, &header::SEC_WEBSOCKET_VERSION, "13")),
    ];
    if let Some((wanted, _)) = demands.iter().find(|(_, met)| !met) {
        return Err(NotAWebSocket { wanted });
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).cloned();
    key.ok_or(NotAWebSocket { wanted: "Sec-WebSocket-Key" })
}

fn names(headers: &HeaderMap, name: &header::HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handshake() -> Request<()> {
        let request = Request::get("/agent/v1/link")
            .header("connection", "keep-alive, Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        request.body(()).unwrap()
    }

    #[test]
    fn a_handshake_is_answered_as_rfc_6455_says() {
        let Ok((reply, _)) = accept(&mut handshake()) else { panic!("refused") };
        assert_eq!(reply.status(), StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(reply.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn anything_else_is_told_what_is_missing() {
        for (name, wanted) in [
            ("connection", "Connection: upgrade"),
            ("upgrade", "Upgrade: websocket"),
            ("sec-websocket-version", "Sec-WebSocket-Version: 13"),
            ("sec-websocket-key", "Sec-WebSocket-Key"),
        ] {
            let mut request = handshake();
            request.headers_mut().remove(name);
            assert_eq!(accept(&mut request).err(), Some(NotAWebSocket { wanted }));
        }
        let mut request = handshake();
        *request.version_mut() = Version::HTTP_2;
        assert_eq!(accept(&mut request).err(), Some(NotAWebSocket { wanted: "HTTP/1.1" }));
    }
}
