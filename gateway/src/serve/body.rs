//! The body of an answer, handed out in pieces, each of which its reader has to take.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::pace::Exchange;
use crate::limits::ANSWER_PIECE;

/// A body that tells the pace of its connection when a piece of it is handed out and when that was taken.
///
/// Pieces, because what HTTP/2 has been handed it keeps, however large, and says no more about it.
pub(super) struct PacedBody {
    body: Body,
    rest: Bytes,
    exchange: Exchange,
}

impl PacedBody {
    pub(super) fn new(body: Body, exchange: Exchange) -> Self {
        Self { body, rest: Bytes::new(), exchange }
    }
}

impl http_body::Body for PacedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.exchange.taken();
        if self.rest.is_empty() {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                over => return Poll::Ready(over),
            };
            match frame.into_data() {
                Ok(data) => self.rest = data,
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            }
        }
        let length = self.rest.len().min(ANSWER_PIECE);
        let piece = self.rest.split_to(length);
        self.exchange.handed();
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, body) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + rest);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http_body::Body as _;
    use http_body_util::BodyExt as _;

    use super::super::pace::{Pace, Patience};
    use super::*;

    const LONG: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_body_comes_in_pieces_and_is_the_same() {
        let pace = Pace::new(Patience { head: LONG, idle: LONG, reader: LONG });
        let whole: Vec<u8> = (0..3 * ANSWER_PIECE + 7).map(|at| at as u8).collect();
        let mut body = PacedBody::new(Body::from(whole.clone()), pace.exchange());
        let mut left = whole.len();
        let mut read = Vec::new();
        while !body.is_end_stream() {
            assert_eq!(body.size_hint().exact(), Some(left as u64));
            let piece = body.frame().await.unwrap().unwrap().into_data().unwrap();
            assert!(piece.len() <= ANSWER_PIECE);
            left -= piece.len();
            read.extend_from_slice(&piece);
            let now = tokio::time::Instant::now();
            assert!(pace.judge(now + LONG).is_err(), "the last piece, too, has to be taken");
        }
        assert!(read == whole);
        drop(body);
        assert!(pace.judge(tokio::time::Instant::now()).is_ok());
    }
}
