//! The frames of an answer that is read while it is sent.

use axum::response::Response;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream;
use kubeplex_proto::ROWS_PER_FRAME;
use kubeplex_proto::gather::{GatherEnd, GatherFrame, GatherHead};
use kubeplex_proto::log::{LogItem, LogLine};
use kubeplex_proto::status::LegStatus;
use tokio::sync::mpsc;

use crate::limits::FRAME_BYTES;
use crate::serve::Service;
use crate::serve::body::{line, lines};
use crate::serve::opening::{Nothing, Readable};

pub(super) const END: GatherEnd = GatherEnd { cut: None };

/// Frames on their way that nobody has taken yet: the link's own windows come behind.
const FRAMES_WAITING: usize = 4;

/// Where items are sent.
#[derive(Clone)]
pub(super) struct Out(mpsc::Sender<Bytes>);

impl Out {
    /// Returns when there is room for it. Where nobody reads any more, it is dropped.
    pub(super) async fn item(&self, item: LogItem) {
        if let Some(frame) = line(&GatherFrame::Items(vec![item])) {
            let _ = self.0.send(frame).await;
        }
    }

    /// Lines, in as many frames as they need.
    pub(super) async fn lines(&self, lines: Vec<LogLine>) {
        let (mut frame, mut bytes) = (Vec::new(), 0);
        for line in lines {
            bytes += line.weight();
            frame.push(line);
            if frame.len() == ROWS_PER_FRAME || bytes >= FRAME_BYTES {
                self.item(LogItem::Lines(std::mem::take(&mut frame))).await;
                bytes = 0;
            }
        }
        if !frame.is_empty() {
            self.item(LogItem::Lines(frame)).await;
        }
    }
}

/// A head, then what `work` sends, then the end. The work is done while the reply is read, and dropped with it.
pub(super) fn stream<W: Future<Output = ()> + Send + 'static>(
    head: GatherHead,
    work: impl FnOnce(Out) -> W,
) -> Response {
    let (send, mut receive) = mpsc::channel(FRAMES_WAITING);
    let work = stream::once(work(Out(send))).filter_map(|()| std::future::ready(None));
    let sent = stream::poll_fn(move |context| receive.poll_recv(context));
    let head = line(&GatherFrame::<LogItem>::Head(Box::new(head)));
    let end = line(&GatherFrame::<LogItem>::End(END));
    lines(stream::iter(head).chain(stream::select(work, sent)).chain(stream::iter(end)))
}

pub(super) fn head(service: &Service, readable: Readable, total: u64) -> GatherHead {
    let clock = service.0.api.clock();
    GatherHead {
        status: readable.status,
        message: readable.message,
        source: readable.source,
        api_version: String::new(),
        total,
        age_ms: readable.age_ms,
        cluster_now_ms: clock.cluster_now_ms(),
        clock_offset_ms: clock.offset_ms(),
    }
}

pub(super) fn head_of_nothing(service: &Service, nothing: Nothing) -> GatherHead {
    let clock = service.0.api.clock();
    let Nothing { status, message, source, .. } = nothing;
    // What is not there may be so by the word of a kind that is not asked about.
    let message = message.or_else(|| (status == LegStatus::Absent).then(|| "no such kind".to_owned()));
    GatherHead {
        status,
        message,
        source,
        api_version: String::new(),
        total: 0,
        age_ms: 0,
        cluster_now_ms: clock.cluster_now_ms(),
        clock_offset_ms: clock.offset_ms(),
    }
}
