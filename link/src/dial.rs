//! The agent's way to the gateway: TCP or a proxy's tunnel, TLS where the URL says so, and the WebSocket handshake with the
//! token.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Response, StatusCode, header};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, handshake::client::Request};

use crate::activity::{Activity, Metered};
use crate::credential::{Credential, Token, TokenFileError};
use crate::proxy::{self, Proxies, ProxyError, ProxyUrl};
use crate::secure;
use crate::trust::Trust;
use crate::url::{GatewayUrl, Place, Transport};
use crate::websocket::{self, ByteStream, LinkStream, WebSocketBytes};

/// Why no link came about.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    #[error("reading the token")]
    Token(#[from] TokenFileError),
    #[error("looking up {host}")]
    Lookup { host: String, source: io::Error },
    #[error("{host} has no address, or one that is not loopback and is not dialled in plain")]
    NoAddress { host: String },
    #[error("connecting to {url}")]
    Connect { url: String, source: io::Error },
    #[error("reaching {url} through the proxy {proxy}")]
    Proxy { proxy: String, url: String, source: ProxyError },
    #[error("TLS with {url}")]
    Tls { url: String, source: io::Error },
    /// A gateway, or something before it, answered and said no.
    #[error("{url} answered with HTTP status {status}: {message}")]
    Refused { url: String, status: StatusCode, message: String, retry_after: Option<Duration> },
    #[error("the WebSocket handshake with {url}")]
    Handshake { url: String, source: tungstenite::Error },
    #[error("securing the link to {url}")]
    Secure { url: String, source: io::Error },
}

impl DialError {
    /// Whether the other end's certificate is the reason: it is not believed, or made for another name.
    pub fn distrusts_certificate(&self) -> bool {
        let Self::Tls { source, .. } = self else { return false };
        let cause = source.get_ref().and_then(|cause| cause.downcast_ref());
        matches!(cause, Some(rustls::Error::InvalidCertificate(_)))
    }
}

/// Where a gateway is, and how it is reached and persuaded.
#[derive(Clone)]
pub struct Route {
    pub url: GatewayUrl,
    pub credential: Credential,
    pub trust: Trust,
    pub proxies: Proxies,
}

impl Route {
    /// The proxy that it leads through, if it is not direct.
    pub fn proxy(&self) -> Option<&ProxyUrl> {
        let Place { host, port, .. } = self.url.place();
        self.proxies.of(host, *port)
    }
}

/// How long dialling may take in all. Whichever step it is over in says that it was too slow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    whole: Duration,
    until: Instant,
}

impl Patience {
    pub(crate) fn new(whole: Duration) -> Self {
        Self { whole, until: Instant::now() + whole }
    }

    async fn bound<T, E>(
        self,
        step: impl Future<Output = Result<T, E>>,
        too_slow: impl FnOnce(io::Error) -> E,
    ) -> Result<T, E> {
        let silent = || {
            let waited = format!("no answer within {:?}", self.whole);
            Err(too_slow(io::Error::new(io::ErrorKind::TimedOut, waited)))
        };
        timeout_at(self.until, step).await.unwrap_or_else(|_| silent())
    }
}

/// Dials the gateway and returns the link's byte stream, what it receives noted in `activity`. Gives up when `patience` is
/// over.
///
/// # Errors
/// [`DialError`]; dropping the future gives up.
pub async fn dial(route: &Route, activity: Activity, patience: Duration) -> Result<LinkStream, DialError> {
    let Route { url, credential, trust, proxies } = route;
    let (token, patience) = (credential.token()?, Patience::new(patience));
    let socket = reach(url.place(), proxies, &url.to_string(), patience).await?;
    let socket = Metered::new(socket, activity);
    let stream = match url.transport() {
        Transport::Plain => handshake(url, &token, socket, patience).await?,
        Transport::Tls => {
            let tls = trust.client().clone();
            let socket = secured(url.place(), tls, socket, &url.to_string(), patience).await?;
            handshake(url, &token, socket, patience).await?
        }
    };
    secure::agent_side(stream).await.map_err(|source| DialError::Secure { url: url.to_string(), source })
}

/// As [`dial`], over a connection made by `connecting` that leads to the gateway. It is not secured further.
///
/// # Errors
/// [`DialError`]; dropping the future gives up.
pub async fn dial_over<S>(
    route: &Route,
    connecting: impl Future<Output = io::Result<S>>,
    activity: Activity,
    patience: Duration,
) -> Result<LinkStream, DialError>
where
    S: ByteStream + 'static,
{
    let Route { url, credential, .. } = route;
    let (token, patience) = (credential.token()?, Patience::new(patience));
    let failed = |source| DialError::Connect { url: url.to_string(), source };
    let stream = patience.bound(async { connecting.await.map_err(failed) }, failed).await?;
    let stream = handshake(url, &token, Metered::new(stream, activity), patience).await?;
    secure::agent_side(stream).await.map_err(|source| DialError::Secure { url: url.to_string(), source })
}

/// A connection to `place`, which is called `url` in messages.
pub(crate) async fn reach(
    place: &Place,
    proxies: &Proxies,
    url: &str,
    patience: Patience,
) -> Result<TcpStream, DialError> {
    let Some(proxy) = proxies.of(&place.host, place.port) else {
        let failed = |source| DialError::Connect { url: url.to_owned(), source };
        return patience.bound(connect(place, url), failed).await;
    };
    let target = (place.host.as_str(), place.port);
    let tunnel = proxy::connect(proxy, target, |address| place.admits(address));
    let tunnel = patience.bound(tunnel, ProxyError::Silent).await;
    tunnel.map_err(|source| DialError::Proxy { proxy: proxy.to_string(), url: url.to_owned(), source })
}

async fn connect(place: &Place, url: &str) -> Result<TcpStream, DialError> {
    let host = place.host.clone();
    let found = lookup_host((place.host.as_str(), place.port)).await;
    let found = found.map_err(|source| DialError::Lookup { host: host.clone(), source })?;
    let mut outcome = Err(DialError::NoAddress { host });
    for address in found.filter(|address| place.admits(address.ip())) {
        match TcpStream::connect(address).await.and_then(|socket| socket.set_nodelay(true).map(|()| socket)) {
            Ok(socket) => return Ok(socket),
            Err(source) => outcome = Err(DialError::Connect { url: url.to_owned(), source }),
        }
    }
    outcome
}

/// TLS with `place` on a connection that leads there.
pub(crate) async fn secured<S: ByteStream>(
    place: &Place,
    config: Arc<ClientConfig>,
    socket: S,
    url: &str,
    patience: Patience,
) -> Result<TlsStream<S>, DialError> {
    let failed = |source| DialError::Tls { url: url.to_owned(), source };
    let name = ServerName::try_from(place.host.clone());
    let name = name.map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
    let shaken = TlsConnector::from(config).connect(name, socket);
    patience.bound(shaken, |slow| slow).await.map_err(failed)
}

async fn handshake<S>(
    url: &GatewayUrl,
    token: &Token,
    stream: S,
    patience: Patience,
) -> Result<LinkStream, DialError>
where
    S: ByteStream + 'static,
{
    let failed = |source| DialError::Handshake { url: url.to_string(), source };
    let mut request: Request = url.to_string().into_client_request().map_err(failed)?;
    request.headers_mut().insert(header::AUTHORIZATION, token.header());
    let shaken = client_async_with_config(request, stream, Some(websocket::config()));
    match patience.bound(shaken, tungstenite::Error::Io).await {
        Ok((socket, _)) => Ok(Box::new(WebSocketBytes::new(socket))),
        Err(tungstenite::Error::Http(reply)) => Err(refused(url, &reply)),
        Err(source) => Err(failed(source)),
    }
}

fn refused(url: &GatewayUrl, reply: &Response<Option<Vec<u8>>>) -> DialError {
    let body = reply.body().as_deref().unwrap_or_default();
    DialError::Refused {
        url: url.to_string(),
        status: reply.status(),
        message: explanation(body),
        retry_after: retry_after(reply.headers()),
    }
}

/// The `message` of a gateway's refusal, else the beginning of whatever a proxy said.
pub(crate) fn explanation(body: &[u8]) -> String {
    let message = serde_json::from_slice::<serde_json::Value>(body).ok();
    let message = message.as_ref().and_then(|refusal| refusal["message"].as_str()).map(str::to_owned);
    let text = message.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
    let text: String = text.chars().filter(|c| !c.is_control()).take(300).collect();
    if text.trim().is_empty() { "no explanation".to_owned() } else { text }
}

/// Seconds; a date, the header's other form, is not worth believing another machine's clock for.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_why_and_when_to_come_back() {
        let url: GatewayUrl = "wss://gw.example.com".parse().unwrap();
        let body = Some(br#"{"code":"rate_limited","message":"too many at once"}"#.to_vec());
        let reply = Response::builder().status(429).header("retry-after", "7").body(body).unwrap();
        let DialError::Refused { message, retry_after, .. } = refused(&url, &reply) else { unreachable!() };
        assert_eq!((message.as_str(), retry_after), ("too many at once", Some(Duration::from_secs(7))));
        assert_eq!(explanation(b"<html>\r\nbad gateway</html>"), "<html>bad gateway</html>");
        assert_eq!(explanation(b""), "no explanation");
    }
}
