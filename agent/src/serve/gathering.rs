//! Replies that are read whole: a head, items, an end.

use axum::response::Response;
use kubeplex_proto::gather::{GatherEnd, GatherFrame, GatherHead};
use serde::Serialize;

use super::body::{line, lines};
use kubeplex_proto::ROWS_PER_FRAME;

/// The frames of an answer whose items are there.
pub(super) fn reply<T>(head: GatherHead, items: Vec<T>, end: GatherEnd) -> Response
where
    T: Serialize + Send + 'static,
{
    let mut items = items.into_iter();
    let rows = std::iter::from_fn(move || {
        let frame: Vec<T> = items.by_ref().take(ROWS_PER_FRAME).collect();
        (!frame.is_empty()).then(|| line(&GatherFrame::Items(frame)))?
    });
    let head = line(&GatherFrame::<T>::Head(Box::new(head)));
    let end = line(&GatherFrame::<T>::End(end));
    lines(futures::stream::iter(head.into_iter().chain(rows).chain(end)))
}
