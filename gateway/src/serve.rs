//! Serving HTTP on a listener, with an end in two steps: first nothing new, then nothing at all.
//!
//! A loop of our own instead of `axum::serve`, because every connection has to be owned, counted, and cut when its time is
//! over.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::limits::{CONNECTIONS, HEADER_TIMEOUT};

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

/// Accepts connections until `connections.stop`.
pub(crate) async fn serve(name: &'static str, listener: TcpListener, app: Router, connections: Connections) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    while let Some((stream, place)) = next_connection(&listener, &places, &connections.stop).await {
        let connection = serve_connection(stream, app.clone(), connections.clone(), place);
        connections.tracker.spawn(connection.instrument(tracing::debug_span!("connection", listener = name)));
    }
    tracing::debug!(listener = name, "stopped accepting connections");
}

async fn next_connection(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    loop {
        let accepted = async {
            // Without a free place the kernel's backlog holds newcomers.
            let place = places.clone().acquire_owned().await.ok()?;
            Some((listener.accept().await, place))
        };
        let (result, place) = tokio::select! {
            () = stop.cancelled() => return None,
            accepted = accepted => accepted?,
        };
        match result {
            Ok((stream, _)) => return Some((stream, place)),
            Err(error) => {
                tracing::warn!(%error, "accepting a connection failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve_connection(
    stream: TcpStream,
    app: Router,
    connections: Connections,
    place: OwnedSemaphorePermit,
) {
    // Small answers would otherwise wait for acknowledgements of earlier ones, up to 40 ms each.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    builder.http2().timer(TokioTimer::new());
    let connection =
        builder.serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(app));
    tokio::pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = connections.stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                result = connection.as_mut() => result,
                () = connections.cut.cancelled() => Ok(()),
            }
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended with an error");
    }
    drop(place);
}
