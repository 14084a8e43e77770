//! What an answer holds until all of it is out: a caller's share, a place among those that are being worked on.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::response::Response;
use http_body::{Frame, SizeHint};

/// Keeps `held` for as long as there is something left to send of the response.
pub(crate) fn until_sent(response: Response, held: impl Send + Unpin + 'static) -> Response {
    response.map(|body| Body::new(HeldBody { body, _held: held }))
}

/// A body that is as long as the one in it, so that an answer still says how long it is.
struct HeldBody<H> {
    body: Body,
    _held: H,
}

impl<H: Unpin> http_body::Body for HeldBody<H> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http_body::Body as _;
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn an_answer_says_how_long_it_is_and_holds_what_it_holds_to_its_end() {
        let held = Arc::new(());
        let mut response = until_sent(Response::new(Body::from("three rows")), Arc::clone(&held));
        assert_eq!(response.body().size_hint().exact(), Some(10));
        let data = response.body_mut().frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!((&data[..], Arc::strong_count(&held)), (&b"three rows"[..], 2));
        drop(response);
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
