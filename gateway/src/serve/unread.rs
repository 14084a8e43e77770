//! What nobody read of a request by the time its answer is there.
//!
//! A connection of HTTP/1.1 that is closed while its client still sends is reset, and the answer, why the request was
//! refused, is lost with it as often as not. So what still comes is read and dropped first, within limits. (RFC 9112,
//! 9.6, asks for it.) A client that asked whether to send its body at all (`Expect: 100-continue`) reads first.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Version, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use tokio::time::timeout;

use crate::limits::{UNREAD_BYTES, UNREAD_WAIT};

/// The body of a request, which leaves what was not read of it to its [`Unread`].
pub(super) struct Watched<B> {
    /// There until this is dropped.
    body: Option<B>,
    left_to: Option<Unread<B>>,
}

/// Where the rest of a body is found.
pub(super) struct Unread<B>(Arc<Mutex<Option<B>>>);

impl<B> Clone for Unread<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// The request, and where to look for the rest of its body when it was answered; `None` where that is nobody's trouble.
pub(super) fn watch<B: Body>(request: Request<B>) -> (Request<Watched<B>>, Option<Unread<B>>) {
    let whole = request.body().is_end_stream();
    let asks_first = request.headers().contains_key(header::EXPECT);
    let matters = request.version() <= Version::HTTP_11 && !whole && !asks_first;
    let unread = matters.then(|| Unread(Arc::default()));
    let left_to = unread.clone();
    (request.map(|body| Watched { body: Some(body), left_to }), unread)
}

impl<B: Body<Data = Bytes> + Unpin> Unread<B> {
    /// Reads the rest, and drops it.
    pub(super) async fn discard(self) {
        let Some(mut body) = self.0.lock().take() else { return };
        let reading = async {
            let mut room = UNREAD_BYTES;
            while let Some(Ok(frame)) = body.frame().await {
                let length = frame.data_ref().map_or(0, Bytes::len);
                room = match room.checked_sub(length) {
                    Some(room) => room,
                    None => return,
                };
            }
        };
        // Who sends more, or longer, loses the answer with the connection.
        drop(timeout(UNREAD_WAIT, reading).await);
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Watched<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl<B> Drop for Watched<B> {
    fn drop(&mut self) {
        if let Some(unread) = self.left_to.take() {
            *unread.0.lock() = self.body.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::StreamExt as _;
    use http_body_util::StreamBody;

    use super::*;

    const PIECE: usize = 64 << 10;

    /// A request whose body comes in pieces, and how many of them were asked for.
    fn sent(
        pieces: usize,
    ) -> (Request<impl Body<Data = Bytes, Error = Infallible> + Unpin>, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let pieces = futures::stream::iter(0..pieces).map(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            Ok(Frame::data(Bytes::from_static(&[b' '; PIECE])))
        });
        (Request::new(StreamBody::new(pieces)), asked)
    }

    #[tokio::test]
    async fn what_was_not_read_is_read_up_to_a_limit() {
        let most = UNREAD_BYTES / PIECE;
        for (pieces, expected) in [(1, 1), (most, most), (10 * most, most + 1)] {
            let (request, asked) = sent(pieces);
            let (request, unread) = watch(request);
            drop(request);
            assert_eq!(asked.load(Ordering::Relaxed), 0);
            unread.unwrap().discard().await;
            assert_eq!(asked.load(Ordering::Relaxed), expected, "of {pieces}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_waited_for_who_sends_no_more() {
        let body = StreamBody::new(futures::stream::pending::<Result<Frame<Bytes>, Infallible>>());
        let (request, unread) = watch(Request::new(body));
        drop(request);
        let began = tokio::time::Instant::now();
        unread.unwrap().discard().await;
        assert_eq!(began.elapsed(), UNREAD_WAIT);
    }

    #[tokio::test]
    async fn a_body_is_the_same_and_leaves_nothing_once_read() {
        let (request, _) = sent(3);
        let (request, unread) = watch(request);
        let read = request.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(read.len(), 3 * PIECE);
        unread.unwrap().discard().await;
    }

    #[test]
    fn http_2_and_clients_that_ask_first_are_left_alone() {
        let (mut second, _) = sent(1);
        *second.version_mut() = Version::HTTP_2;
        assert!(watch(second).1.is_none());
        let (mut asking, _) = sent(1);
        asking.headers_mut().insert(header::EXPECT, "100-continue".parse().unwrap());
        assert!(watch(asking).1.is_none());
        assert!(watch(Request::new(http_body_util::Empty::<Bytes>::new())).1.is_none());
    }
}
