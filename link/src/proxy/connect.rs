//! `CONNECT host:port`, and what a proxy answers.

use std::io;
use std::net::IpAddr;
use std::pin::pin;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};

use super::ProxyUrl;
use crate::dial::explanation;
use crate::limits::ERROR_BODY;

/// Why a proxy opened no way.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    #[error("looking it up")]
    Lookup(#[source] io::Error),
    #[error("it has no address that may be dialled for this")]
    NoAddress,
    #[error("connecting to it")]
    Connect(#[source] io::Error),
    #[error("it answered with HTTP status {status}: {message}")]
    Refused { status: StatusCode, message: String },
    #[error("the proxy does not open the way")]
    Silent(#[source] io::Error),
    #[error("it is no HTTP proxy, or broke off")]
    Broken(#[source] hyper::Error),
    #[error("it sent something before the gateway was spoken to")]
    Forward,
    #[error("\"{0}\" can't be named to it")]
    Target(String),
}

/// A connection to `host` and `port` through a proxy, if the proxy's own address is one that `admits` lets through.
pub(crate) async fn connect(
    proxy: &ProxyUrl,
    (host, port): (&str, u16),
    admits: impl Fn(IpAddr) -> bool,
) -> Result<TcpStream, ProxyError> {
    let socket = reach(proxy, admits).await?;
    let brackets = if host.contains(':') { ("[", "]") } else { ("", "") };
    let target = format!("{}{host}{}:{port}", brackets.0, brackets.1);
    let uri: Uri = target.parse().map_err(|_| ProxyError::Target(target.clone()))?;
    let mut request = Request::builder().method(Method::CONNECT).uri(uri).header(header::HOST, &target);
    if let Some(credentials) = proxy.credentials() {
        request = request.header(header::PROXY_AUTHORIZATION, credentials);
    }
    let request = request.body(Empty::<Bytes>::new()).map_err(|_| ProxyError::Target(target))?;

    let shaken = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await;
    let (mut sender, connection) = shaken.map_err(ProxyError::Broken)?;
    let mut asking = pin!(async {
        let reply = sender.send_request(request).await.map_err(ProxyError::Broken)?;
        if !reply.status().is_success() {
            return Err(refused(reply).await);
        }
        hyper::upgrade::on(reply).await.map_err(ProxyError::Broken)
    });
    let upgraded = tokio::select! {
        answer = &mut asking => answer?,
        // It has let go of the socket, or failed: either way the request has its answer.
        _ = connection.with_upgrades() => asking.await?,
    };
    match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) if parts.read_buf.is_empty() => Ok(parts.io.into_inner()),
        _ => Err(ProxyError::Forward),
    }
}

async fn reach(proxy: &ProxyUrl, admits: impl Fn(IpAddr) -> bool) -> Result<TcpStream, ProxyError> {
    let found = lookup_host((proxy.host(), proxy.port())).await.map_err(ProxyError::Lookup)?;
    let mut outcome = Err(ProxyError::NoAddress);
    for address in found.filter(|address| admits(address.ip())) {
        match TcpStream::connect(address).await.and_then(|socket| socket.set_nodelay(true).map(|()| socket)) {
            Ok(socket) => return Ok(socket),
            Err(source) => outcome = Err(ProxyError::Connect(source)),
        }
    }
    outcome
}

async fn refused(reply: Response<Incoming>) -> ProxyError {
    let status = reply.status();
    let body = Limited::new(reply.into_body(), ERROR_BODY).collect().await;
    let body = body.map(|body| body.to_bytes()).unwrap_or_default();
    ProxyError::Refused { status, message: explanation(&body) }
}
