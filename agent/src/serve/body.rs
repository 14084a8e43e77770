//! Requests in, frames and errors out.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;

use axum::body::Body;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode, Uri};
use kubeplex_link::frames::encode;
use kubeplex_proto::FRAMES;
use kubeplex_proto::group::Group;
use kubeplex_proto::list::{ListFrame, Row};
use kubeplex_proto::status::{AgentError, AgentErrorCode};
use kubeplex_proto::{ROWS_PER_FRAME, paths};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::bug::bug;
use crate::limits;

/// The JSON body of a request.
pub(super) struct Ask<T>(pub(super) T);

/// A request that is not answered with frames.
#[derive(Debug)]
pub(super) struct Failure(AgentError);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Ask<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let body = Bytes::from_request(request, state).await.map_err(|rejection| unread(&rejection))?;
        serde_json::from_slice(&body).map(Self).map_err(|error| malformed(&error))
    }
}

fn unread(rejection: &BytesRejection) -> Failure {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let message = format!("the request is longer than {} bytes", limits::REQUEST_BYTES);
        return AgentError::new(AgentErrorCode::TooLarge, message).into();
    }
    AgentError::new(AgentErrorCode::InvalidArgument, "the request broke off before its end").into()
}

fn malformed(error: &serde_json::Error) -> Failure {
    let message = format!("the request can't be read: {error}");
    AgentError::new(AgentErrorCode::InvalidArgument, message).into()
}

pub(super) async fn unknown_path(uri: Uri) -> Failure {
    let message = format!("there is nothing at {:?}", uri.path());
    let known = [
        paths::LIST,
        paths::SEARCH,
        paths::GET,
        paths::DIGESTS,
        paths::INTENTS,
        paths::CHANGES,
        paths::HEALTH,
        paths::SHEET,
        paths::PROBLEMS,
        paths::CONTROL,
    ];
    let hint = format!("the agent answers at {}", known.join(", "));
    AgentError::new(AgentErrorCode::InvalidArgument, message).with_hint(hint).into()
}

pub(super) async fn wrong_method(method: Method, uri: Uri) -> Failure {
    let message = format!("{} wants POST, not {method}", uri.path());
    AgentError::new(AgentErrorCode::InvalidArgument, message).into()
}

impl From<AgentError> for Failure {
    fn from(error: AgentError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = match self.0.code {
            AgentErrorCode::InvalidArgument => StatusCode::BAD_REQUEST,
            AgentErrorCode::Forbidden => StatusCode::FORBIDDEN,
            AgentErrorCode::Timeout => StatusCode::GATEWAY_TIMEOUT,
            AgentErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            AgentErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            AgentErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, axum::Json(self.0)).into_response()
    }
}

/// A reply of lines that are written as they are asked for. It ends early where writing one meets a bug.
pub(super) fn lines(lines: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    let written = AssertUnwindSafe(lines).catch_unwind().scan((), |(), line| {
        let line = line.inspect_err(|panic| drop(bug("reply", &**panic)));
        std::future::ready(line.ok())
    });
    let mut response = Response::new(Body::from_stream(written.map(Ok::<_, Infallible>)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(FRAMES));
    response
}

/// One frame as a line. A frame that has no JSON form ends the reply early, which the reader notices.
pub(super) fn line<T: Serialize>(frame: &T) -> Option<Bytes> {
    encode(frame)
        .inspect_err(|error| {
            tracing::error!(error = error as &dyn std::error::Error, "a frame can't be written as JSON");
        })
        .ok()
}

/// Takes as many rows as make one frame.
pub(super) fn next_rows(rows: &mut std::vec::IntoIter<Row>) -> Option<Bytes> {
    let frame = next_frame(rows, |row| &row.cells);
    if frame.is_empty() { None } else { line(&ListFrame::Rows(frame)) }
}

/// The same of groups.
pub(super) fn next_groups(groups: &mut std::vec::IntoIter<Group>) -> Option<Bytes> {
    let frame = next_frame(groups, |group| &group.keys);
    if frame.is_empty() { None } else { line(&ListFrame::Groups(frame)) }
}

fn next_frame<T>(items: &mut std::vec::IntoIter<T>, cells: impl Fn(&T) -> &[serde_json::Value]) -> Vec<T> {
    let mut frame = Vec::new();
    let mut bytes = 0;
    while frame.len() < ROWS_PER_FRAME && bytes < limits::FRAME_BYTES {
        let Some(item) = items.next() else { break };
        bytes += cells(&item).iter().map(weight).sum::<usize>();
        frame.push(item);
    }
    frame
}

/// About how many bytes a cell takes as JSON: what is small by nature is not measured.
fn weight(cell: &serde_json::Value) -> usize {
    match cell {
        serde_json::Value::String(text) => text.len(),
        serde_json::Value::Array(_) | serde_json::Value::Object(_) => cell.to_string().len(),
        _ => 8,
    }
}

#[cfg(test)]
mod tests {
    use kubeplex_proto::sort::RowKey;
    use serde_json::json;

    use super::*;

    fn frames(rows: Vec<Row>) -> Vec<usize> {
        let mut rows = rows.into_iter();
        let next = || next_rows(&mut rows);
        let sizes = std::iter::from_fn(next).map(|line| match serde_json::from_slice(&line).unwrap() {
            ListFrame::Rows(rows) => rows.len(),
            other => panic!("{other:?}"),
        });
        sizes.collect()
    }

    fn row(cell: serde_json::Value) -> Row {
        let key = RowKey { values: vec![], namespace: String::new(), name: "x".into(), uid: "u".into() };
        Row { key, cells: vec![cell] }
    }

    #[tokio::test]
    async fn a_bug_while_a_line_is_written_ends_the_reply_and_nothing_else() {
        let stream = futures::stream::iter([1, 2, 3])
            .map(|at| if at < 3 { Bytes::from("x\n") } else { panic!("a bug") });
        let body = axum::body::to_bytes(lines(stream).into_body(), 100).await.unwrap();
        assert_eq!(body, "x\nx\n");
    }

    #[test]
    fn frames_have_64_rows_at_most_and_fewer_where_rows_are_large() {
        assert_eq!(frames(vec![]), [0_usize; 0]);
        assert_eq!(frames((0..130).map(|i| row(json!(i))).collect()), [64, 64, 2]);
        let large = || row(json!({"data": "x".repeat(200 * 1024)}));
        assert_eq!(frames((0..7).map(|_| large()).collect()), [3, 3, 1]);
        assert_eq!(frames(vec![row(json!("x".repeat(1 << 21))), row(json!(1))]), [1, 1]);
    }
}
