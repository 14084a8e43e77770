//! HTTP/2 on a link's byte stream: the client for the gateway, the server for the agent, and the settings of both.

use std::error::Error as _;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use http::uri::{Authority, Scheme};
use http::{HeaderValue, Request, Response, Uri, header};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http2::SendRequest;
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use tokio_util::sync::CancellationToken;

use crate::credential::Token;
use crate::frames::{BoxError, RequestBody};
use crate::limits;
use crate::tasks::LinkTasks;
use crate::url::AgentUrl;
use crate::websocket::LinkStream;

/// The gateway's end of a link. Clones share the connection, which ends when the last of them and of the replies is dropped.
#[derive(Clone)]
pub struct Client {
    sender: SendRequest<RequestBody>,
    origin: Option<Arc<Origin>>,
}

/// What the requests to an agent that was dialled carry: where they go, and the credential.
#[derive(Clone)]
pub struct Origin {
    scheme: Scheme,
    authority: Authority,
    prefix: String,
    credential: HeaderValue,
}

impl Origin {
    pub(crate) fn of(url: &AgentUrl, token: &Token) -> Option<Self> {
        let (scheme, authority, prefix) = url.origin()?;
        Some(Self { scheme, authority, prefix: prefix.to_owned(), credential: token.header() })
    }

    fn put_on<B>(&self, request: &mut Request<B>) -> Result<(), http::Error> {
        let path = format!("{}{}", self.prefix, request.uri().path());
        let (scheme, authority) = (self.scheme.clone(), self.authority.clone());
        *request.uri_mut() =
            Uri::builder().scheme(scheme).authority(authority).path_and_query(path).build()?;
        request.headers_mut().insert(header::AUTHORIZATION, self.credential.clone());
        Ok(())
    }
}

impl Client {
    /// The same connection, its requests with what an agent that was dialled wants to see.
    pub fn to(self, origin: Origin) -> Self {
        Self { origin: Some(Arc::new(origin)), ..self }
    }

    /// Sends a request and waits for the head of its reply. Dropping this future, or the reply's body, resets the stream.
    ///
    /// # Errors
    /// When the connection broke or the agent reset the stream.
    pub async fn send(&self, mut request: Request<RequestBody>) -> Result<Response<Incoming>, hyper::Error> {
        if let Some(Err(error)) = self.origin.as_ref().map(|origin| origin.put_on(&mut request)) {
            // Paths are constants of the protocol, and a prefix was a URL's.
            tracing::error!(%error, "a request can't be addressed");
        }
        self.sender.clone().send_request(request).await
    }
}

/// Whether a request that failed so was never worked on: the connection was being drained, or over, before it was sent, or
/// the other end said that it would not look at it.
pub fn is_unsent(error: &hyper::Error) -> bool {
    let refused = |error: &h2::Error| {
        let left = error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
        error.is_remote() && (left || error.reason() == Some(h2::Reason::REFUSED_STREAM))
    };
    error.is_canceled() || error.source().and_then(|cause| cause.downcast_ref()).is_some_and(refused)
}

/// Starts HTTP/2 as the client. The second value drives the connection, and resolves when it has ended.
///
/// # Errors
/// When the connection breaks before HTTP/2 has begun.
pub async fn connect(
    stream: LinkStream,
    tasks: LinkTasks,
) -> Result<(Client, impl Future<Output = Result<(), hyper::Error>> + Send), hyper::Error> {
    let (sender, connection) = hyper::client::conn::http2::Builder::new(tasks)
        .initial_stream_window_size(limits::STREAM_WINDOW)
        .initial_connection_window_size(limits::CONNECTION_WINDOW)
        .initial_max_send_streams(limits::STREAMS as usize)
        .max_concurrent_reset_streams(limits::REMEMBERED_RESETS)
        .max_header_list_size(limits::HEADERS)
        .max_send_buf_size(limits::SEND_BUFFER)
        .handshake(TokioIo::new(stream))
        .await?;
    Ok((Client { sender, origin: None }, connection))
}

/// Serves HTTP/2 until the other end closes the connection. When `drain` is cancelled no new request is taken, and it
/// resolves with the last reply; cutting `tasks` ends it at once.
///
/// # Errors
/// When the connection broke, or the other end did not speak HTTP/2.
pub async fn serve<S, B>(
    stream: LinkStream,
    service: S,
    tasks: LinkTasks,
    drain: CancellationToken,
) -> Result<(), hyper::Error>
where
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let connection = hyper::server::conn::http2::Builder::new(tasks.clone())
        .initial_stream_window_size(limits::STREAM_WINDOW)
        .initial_connection_window_size(limits::CONNECTION_WINDOW)
        .max_concurrent_streams(limits::STREAMS)
        .max_pending_accept_reset_streams(limits::PENDING_ACCEPT_RESETS)
        .max_header_list_size(limits::HEADERS)
        .max_send_buf_size(limits::SEND_BUFFER)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        result = connection.as_mut() => return result,
        () = tasks.until_cut() => return Ok(()),
        () = drain.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        result = connection => result,
        () = tasks.until_cut() => Ok(()),
    }
}
