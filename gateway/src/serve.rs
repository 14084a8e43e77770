//! Serving HTTP on a listener, with an end in two steps: first nothing new, then nothing at all.
//!
//! A loop of our own instead of `axum::serve`, because every connection has to be owned, counted, watched, and cut when its
//! time is over. Who does not ask, or does not take what was asked for, loses the connection: see [`pace`].

mod body;
mod metrics;
mod pace;
mod places;
mod socket;
mod unread;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tracing::Instrument as _;

use self::body::PacedBody;
use self::metrics::ConnectionMetrics;
use self::pace::{Overdue, Pace, Patience};
pub(crate) use self::places::{Network, Peer};
use self::places::{Place, Places};
use self::socket::Socket;
use crate::limits::{ANSWER_BYTES_UNSENT, HEADER_BYTES, LAST_WORDS, Limits, RESETS_PENDING, STREAMS};
use crate::telemetry::Telemetry;
use crate::tls::Tls;

/// After a failed `accept` (no file descriptors left, most likely) the loop waits this long instead of spinning.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What the listeners of a gateway have in common.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    /// No new connections and no new requests; what runs may finish.
    pub(crate) stop: CancellationToken,
    /// Nothing goes on.
    pub(crate) cut: CancellationToken,
    /// Owns every connection.
    pub(crate) tracker: TaskTracker,
}

/// What is served on one listener, and how patiently.
pub(crate) struct Server {
    name: &'static str,
    tls: Option<Tls>,
    app: Router,
    places: Places,
    patience: Patience,
    metrics: ConnectionMetrics,
    connections: Connections,
}

impl Server {
    pub(crate) fn new(
        name: &'static str,
        tls: Option<Tls>,
        app: Router,
        limits: &Limits,
        telemetry: &Telemetry,
        connections: Connections,
    ) -> Self {
        Self {
            name,
            tls,
            app,
            places: Places::new(limits.connections, limits.connections_per_address),
            patience: Patience::of(limits),
            metrics: ConnectionMetrics::new(telemetry, name),
            connections,
        }
    }

    /// Accepts connections until the server is told to stop.
    pub(crate) async fn run(self, listener: TcpListener) {
        let server = Arc::new(self);
        while let Some((stream, peer, place)) = server.next_connection(&listener).await {
            let connection = Arc::clone(&server).serve(stream, peer, place);
            let span = tracing::debug_span!("connection", listener = server.name, peer = %peer.0);
            server.connections.tracker.spawn(connection.instrument(span));
        }
        tracing::debug!(listener = server.name, "stopped accepting connections");
    }

    async fn next_connection(&self, listener: &TcpListener) -> Option<(TcpStream, Peer, Place)> {
        loop {
            let accepted = async { Some((self.places.free().await?, listener.accept().await)) };
            let (place, accepted) = tokio::select! {
                () = self.connections.stop.cancelled() => return None,
                accepted = accepted => accepted?,
            };
            let (stream, peer) = match accepted {
                Ok((stream, address)) => (stream, Peer(address)),
                Err(error) => {
                    tracing::warn!(%error, "accepting a connection failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            match self.places.take(place, peer) {
                Some(place) => return Some((stream, peer, place)),
                None => {
                    self.metrics.refused.increment(1);
                    tracing::debug!(peer = %peer.0, "refused: its address has as many connections as it may");
                }
            }
        }
    }

    async fn serve(self: Arc<Self>, stream: TcpStream, peer: Peer, place: Place) {
        // Small answers would otherwise wait for acknowledgements of earlier ones, up to 40 ms each; under TLS, too.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        self.metrics.open.increment(1);
        let pace = Pace::new(self.patience);
        let socket = Socket::new(stream, pace.clone());
        match &self.tls {
            None => self.converse(socket, peer, pace).await,
            Some(tls) => match self.secured(tls, socket).await {
                Ok(stream) => self.converse(stream, peer, pace).await,
                Err(error) => tracing::debug!(%error, "a TLS handshake failed"),
            },
        }
        self.metrics.open.decrement(1);
        drop(place);
    }

    async fn secured<S>(&self, tls: &Tls, socket: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        tokio::select! {
            secured = tls.accept(socket) => secured,
            () = self.connections.stop.cancelled() => Err(io::Error::other("the gateway is stopping")),
        }
    }

    async fn converse<S>(&self, stream: S, peer: Peer, pace: Pace)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = service_fn(|request| answer(self.app.clone(), request, peer, &pace));
        let builder = builder(self.patience);
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let overdue = tokio::select! {
            result = connection.as_mut() => return over(result),
            () = self.connections.stop.cancelled() => None,
            overdue = overdue(&pace) => Some(overdue),
        };
        connection.as_mut().graceful_shutdown();
        match overdue {
            None => tokio::select! {
                result = connection => over(result),
                () = self.connections.cut.cancelled() => {}
            },
            Some(overdue) => {
                tracing::debug!(reason = overdue.as_str(), "the connection is given up");
                self.metrics.given_up(overdue);
                // Nobody is owed anything but, over HTTP/2, the word that this is the end.
                if overdue != Overdue::SlowReader {
                    drop(timeout(LAST_WORDS, connection).await);
                }
            }
        }
    }
}

fn builder(patience: Patience) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    let mut http1 = builder.http1();
    http1.timer(TokioTimer::new()).header_read_timeout(patience.idle).max_buf_size(HEADER_BYTES);
    let mut http2 = builder.http2();
    http2.timer(TokioTimer::new()).max_concurrent_streams(STREAMS).max_header_list_size(HEADER_BYTES as u32);
    http2.max_send_buf_size(ANSWER_BYTES_UNSENT).max_pending_accept_reset_streams(RESETS_PENDING);
    builder
}

fn answer(
    app: Router,
    request: Request<Incoming>,
    peer: Peer,
    pace: &Pace,
) -> impl Future<Output = Result<Response<PacedBody>, Infallible>> + use<> {
    let exchange = pace.exchange();
    let (request, unread) = unread::watch(request);
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(peer);
    async move {
        let answer = app.oneshot(request).await?;
        if let Some(unread) = unread {
            unread.discard().await;
        }
        Ok(answer.map(|body| PacedBody::new(body, exchange)))
    }
}

/// Resolves when the connection is to be given up.
async fn overdue(pace: &Pace) -> Overdue {
    loop {
        match pace.judge(Instant::now()) {
            Ok(next) => sleep_until(next).await,
            Err(overdue) => return overdue,
        }
    }
}

fn over(result: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended with an error");
    }
}
