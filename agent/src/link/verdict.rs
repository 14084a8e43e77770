//! What the gateway thinks of a link: its first word on the control stream, overheard as it passes to the service.
//!
//! The service answers the control stream; whether the link was accepted, and when to come back if not, is the link's to
//! know. On the way out, the reply of the control stream ends when the link is drained: that is how the gateway learns
//! that it should send nothing more.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use bytes::BytesMut;
use futures::StreamExt as _;
use http_body_util::BodyExt as _;
use kubeplex_proto::control::{GatewayFrame, Refusal, Welcome};
use kubeplex_proto::paths;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::limits::FIRST_WORD_BYTES;

/// The gateway's word on a link.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Verdict {
    #[default]
    Pending,
    Welcome(Welcome),
    Refused(Refusal),
}

#[derive(Clone)]
struct Observer {
    verdict: watch::Sender<Verdict>,
    drain: CancellationToken,
}

/// `router`, its control stream listened to, and ended by `drain`.
pub(super) fn observe(router: &Router, drain: CancellationToken) -> (Router, watch::Receiver<Verdict>) {
    let (verdict, receiver) = watch::channel(Verdict::Pending);
    let observer = Observer { verdict, drain };
    (router.clone().layer(middleware::from_fn_with_state(observer, pass)), receiver)
}

async fn pass(State(observer): State<Observer>, request: Request, next: Next) -> Response {
    if request.uri().path() != paths::CONTROL {
        return next.run(request).await;
    }
    let mut ear = Ear { verdict: observer.verdict, heard: BytesMut::new() };
    let request = request.map(|body| {
        Body::new(body.map_frame(move |frame| {
            if let Some(data) = frame.data_ref() {
                ear.hear(data);
            }
            frame
        }))
    });
    let drained = observer.drain.cancelled_owned();
    next.run(request).await.map(|body| Body::from_stream(body.into_data_stream().take_until(drained)))
}

/// Listens until the first line is complete.
struct Ear {
    verdict: watch::Sender<Verdict>,
    heard: BytesMut,
}

impl Ear {
    fn hear(&mut self, data: &[u8]) {
        if *self.verdict.borrow() != Verdict::Pending || self.heard.len() > FIRST_WORD_BYTES {
            return;
        }
        self.heard.extend_from_slice(data);
        let Some(end) = self.heard.iter().position(|byte| *byte == b'\n') else { return };
        let verdict = match serde_json::from_slice(&self.heard[..end]) {
            Ok(GatewayFrame::Welcome(terms)) => Verdict::Welcome(terms),
            Ok(GatewayFrame::Refused(refusal)) => Verdict::Refused(refusal),
            // Not for the link to judge: the service will.
            Ok(GatewayFrame::Heartbeat) | Err(_) => return,
        };
        self.verdict.send_replace(verdict);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kubeplex_link::timings::Timings;

    #[test]
    fn the_first_line_counts_however_it_comes() {
        let refusal = Refusal { message: "no".to_owned(), retry_after_ms: Some(7) };
        let terms = Timings::default().welcome(1);
        let frames = [
            (GatewayFrame::Welcome(terms), Verdict::Welcome(terms)),
            (GatewayFrame::Refused(refusal.clone()), Verdict::Refused(refusal)),
        ];
        for (frame, expected) in frames {
            let (verdict, receiver) = watch::channel(Verdict::Pending);
            let mut ear = Ear { verdict, heard: BytesMut::new() };
            for byte in kubeplex_link::frames::encode(&frame).unwrap() {
                assert_eq!(*receiver.borrow(), Verdict::Pending);
                ear.hear(&[byte]);
            }
            assert_eq!(*receiver.borrow(), expected);
        }
    }
}
