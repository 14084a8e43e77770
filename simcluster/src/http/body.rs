//! The body of an answer: whole or streamed, cut short where a fault says so, and counted to its end.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::Stream;
use futures::stream::BoxStream;
use http_body::{Frame, SizeHint};

use super::ConnectionReset;
use crate::faults::StreamEnd;
use crate::stats::CallGuard;

/// Where the bytes come from.
pub(crate) enum Source {
    Whole(Option<Bytes>),
    Stream(BoxStream<'static, Bytes>),
}

/// Cuts a body after so many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) remaining: usize,
    pub(crate) end: StreamEnd,
}

pub(crate) struct SimBody {
    source: Source,
    cut: Option<Cut>,
    guard: CallGuard,
}

impl SimBody {
    pub(crate) fn new(source: Source, cut: Option<Cut>, mut guard: CallGuard) -> Self {
        if matches!(&source, Source::Whole(None)) {
            guard.finish();
        }
        Self { source, cut, guard }
    }

    fn poll_source(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        match &mut self.source {
            Source::Whole(bytes) => Poll::Ready(bytes.take()),
            Source::Stream(stream) => Pin::new(stream).poll_next(context),
        }
    }

    /// The part of `bytes` that the cut lets through.
    fn shorten(&mut self, mut bytes: Bytes) -> Bytes {
        if let Some(cut) = &mut self.cut {
            bytes.truncate(cut.remaining);
            cut.remaining -= bytes.len();
        }
        bytes
    }
}

impl http_body::Body for SimBody {
    type Data = Bytes;
    type Error = ConnectionReset;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ConnectionReset>>> {
        if let Some(Cut { remaining: 0, end }) = self.cut {
            self.guard.finish();
            return Poll::Ready(match end {
                StreamEnd::Clean => None,
                StreamEnd::Reset => Some(Err(ConnectionReset)),
            });
        }
        let Poll::Ready(next) = self.poll_source(context) else { return Poll::Pending };
        let Some(bytes) = next else {
            self.guard.finish();
            return Poll::Ready(None);
        };
        let bytes = self.shorten(bytes);
        self.guard.sent(bytes.len());
        if matches!(self.source, Source::Whole(None)) && self.cut.is_none() {
            self.guard.finish();
        }
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.source, Source::Whole(None)) && self.cut.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.source, self.cut) {
            (Source::Whole(bytes), None | Some(Cut { end: StreamEnd::Reset, .. })) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            _ => SizeHint::default(),
        }
    }
}
