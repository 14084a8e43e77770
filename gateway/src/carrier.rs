//! How a request reaches an agent: over its link, or by calling its router in this process.
//!
//! Both speak HTTP with the same paths, bodies and replies, so everything above this file is the same for either, the
//! control stream included.

use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures::StreamExt as _;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, Full, Limited};
use kubeplex_link::frames::{BoxError, FrameError, FrameReader, RequestBody};
use kubeplex_link::http2::{self, Client};
use kubeplex_link::limits;
use kubeplex_proto::paths;
use kubeplex_proto::status::AgentError;
use serde::de::DeserializeOwned;
use tokio::task::JoinSet;
use tower::ServiceExt as _;
use tracing::Instrument as _;

/// The way to one agent. Clones share it.
#[derive(Clone)]
pub enum Carrier {
    /// The agent lives in this process.
    InProcess(Router),
    /// The agent serves HTTP/2 on a connection that it dialled.
    Http2(Client),
}

/// Why an agent gave no answer, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum CarrierError {
    /// The agent understood, and refuses or failed.
    #[error("the agent refused: {0}")]
    Refused(AgentError),
    /// The request was not worked on, because either end was just leaving the link.
    #[error("the link to the agent was being left")]
    Unsent(#[source] BoxError),
    /// No answer: the link is gone, or the agent gave the request up.
    #[error("the link to the agent broke before it answered")]
    Broken(#[source] BoxError),
    /// Something answered that is not an agent of this version.
    #[error("the agent answered with HTTP status {status} and a body that explains nothing: \"{excerpt}\"")]
    Unexplained { status: StatusCode, excerpt: String },
    /// The answer began, and could not be read to its end.
    #[error("the agent's answer can't be read")]
    Frame(#[from] FrameError),
    /// A bug in an agent of this process, contained.
    #[error("the agent panicked over the request")]
    Panicked,
}

/// The frames of one answer. Dropping it cancels the work in the agent.
pub struct Frames(FrameReader);

impl Frames {
    /// The next frame; `None` after the last, and after an error. May be dropped and called again without losing anything.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Option<Result<T, CarrierError>> {
        Some(self.0.next().await?.map_err(CarrierError::from))
    }

    /// Bytes of the answer so far.
    pub fn received(&self) -> u64 {
        self.0.received()
    }
}

impl Carrier {
    /// Posts a JSON body and returns the frames of the answer as soon as its head is there. Dropping the future cancels
    /// the request.
    ///
    /// # Errors
    /// [`CarrierError`] when the agent refuses, or no answer comes.
    pub async fn call(&self, path: &'static str, body: Bytes) -> Result<Frames, CarrierError> {
        self.open(path, Full::new(body).boxed_unsync(), limits::REPLY_FRAME).await
    }

    /// As [`call`](Self::call), with a body that is still being written, and frames of at most `frame_limit` bytes.
    pub(crate) async fn open(
        &self,
        path: &'static str,
        body: RequestBody,
        frame_limit: usize,
    ) -> Result<Frames, CarrierError> {
        let reply = self.send(request(Method::POST, path, body)).await?;
        let (head, body) = reply.into_parts();
        if head.status == StatusCode::OK {
            return Ok(Frames(FrameReader::new(body, frame_limit)));
        }
        let body = Limited::new(body, limits::ERROR_BODY).collect().await;
        Err(refusal(head.status, &body.map_err(CarrierError::Broken)?.to_bytes()))
    }

    /// Asks for any sign of life: every answer is one.
    ///
    /// # Errors
    /// [`CarrierError`] when no answer comes.
    pub(crate) async fn probe(&self) -> Result<(), CarrierError> {
        let body = Empty::new().boxed_unsync();
        self.send(request(Method::OPTIONS, paths::CONTROL, body)).await.map(drop)
    }

    async fn send(&self, request: Request<RequestBody>) -> Result<Response<Body>, CarrierError> {
        match self {
            Self::InProcess(router) => {
                // In a task of its own, which ends with this future: what an agent does goes deep, and on top of all that
                // a call goes through it would need more stack than a thread has.
                let mut answering = JoinSet::new();
                answering.spawn(router.clone().oneshot(request.map(Body::new)).in_current_span());
                match answering.join_next().await {
                    Some(Ok(answer)) => {
                        answer.map(|reply| reply.map(contained)).map_err(|never| match never {})
                    }
                    Some(Err(_)) | None => Err(CarrierError::Panicked),
                }
            }
            Self::Http2(client) => {
                let answer = client.send(request).await;
                answer.map(|reply| reply.map(Body::new)).map_err(unanswered)
            }
        }
    }
}

fn unanswered(error: hyper::Error) -> CarrierError {
    if http2::is_unsent(&error) {
        CarrierError::Unsent(error.into())
    } else {
        CarrierError::Broken(error.into())
    }
}

/// The body of an agent in this process, which is written as it is read, in the task of the call that reads it. A bug there
/// ends the body with an error, as it would end a stream of a link.
fn contained(body: Body) -> Body {
    let written = AssertUnwindSafe(body.into_data_stream()).catch_unwind();
    Body::from_stream(written.map(|piece| match piece {
        Ok(piece) => piece.map_err(BoxError::from),
        Err(_) => Err(BoxError::from("the agent panicked over its answer")),
    }))
}

fn request(method: Method, path: &'static str, body: RequestBody) -> Request<RequestBody> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = http::Uri::from_static(path);
    let json = http::HeaderValue::from_static("application/json");
    request.headers_mut().insert(header::CONTENT_TYPE, json);
    request
}

fn refusal(status: StatusCode, body: &[u8]) -> CarrierError {
    match serde_json::from_slice(body) {
        Ok(refusal) => CarrierError::Refused(refusal),
        Err(_) => {
            let excerpt = String::from_utf8_lossy(&body[..body.len().min(120)]);
            let excerpt = excerpt.chars().filter(|c| !c.is_control()).collect();
            CarrierError::Unexplained { status, excerpt }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::post;
    use futures::stream;
    use serde_json::Value;

    use super::*;

    fn agent(status: StatusCode, lines: usize) -> Carrier {
        let lines =
            move |at| if at < lines { Ok::<_, BoxError>(Bytes::from("1\n")) } else { panic!("a bug") };
        let body = move || async move { (status, Body::from_stream(stream::iter(0..).map(lines))) };
        Carrier::InProcess(Router::new().route(paths::LIST, post(body)))
    }

    #[tokio::test]
    async fn a_bug_while_an_agent_of_this_process_writes_its_answer_ends_the_answer_alone() {
        let mut frames = agent(StatusCode::OK, 2).call(paths::LIST, Bytes::new()).await.unwrap();
        for _ in 0..2 {
            assert_eq!(frames.next::<Value>().await.unwrap().unwrap(), 1);
        }
        assert!(matches!(
            frames.next::<Value>().await,
            Some(Err(CarrierError::Frame(FrameError::Broken(_))))
        ));
        assert!(frames.next::<Value>().await.is_none());
        let refused = agent(StatusCode::INTERNAL_SERVER_ERROR, 0).call(paths::LIST, Bytes::new()).await;
        assert!(matches!(refused, Err(CarrierError::Broken(_))));
    }
}
