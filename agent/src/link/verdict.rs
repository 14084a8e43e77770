//! What the gateway thinks of a link: its words on the control stream, overheard as they pass to the service.
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
use http::Method;
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
    /// It ended the conversation.
    Left,
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
    // A gateway that asks whether the agent is there asks here, too, and that is no conversation.
    if request.uri().path() != paths::CONTROL || request.method() != Method::POST {
        return next.run(request).await;
    }
    let mut ear = Ear { verdict: observer.verdict, heard: Heard::Part(BytesMut::new()) };
    let request = request.map(|body| {
        // Dropped, with its ear, as soon as nobody listens to the gateway any more.
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

/// Listens to one conversation.
struct Ear {
    verdict: watch::Sender<Verdict>,
    heard: Heard,
}

enum Heard {
    /// The beginning of a line.
    Part(BytesMut),
    /// A line too long for a word on the link.
    TooMuch,
}

impl Ear {
    fn hear(&mut self, data: &[u8]) {
        let Heard::Part(heard) = &mut self.heard else { return };
        heard.extend_from_slice(data);
        while let Some(end) = heard.iter().position(|byte| *byte == b'\n') {
            let verdict = match serde_json::from_slice(&heard.split_to(end + 1)) {
                Ok(GatewayFrame::Welcome(terms)) => Verdict::Welcome(terms),
                Ok(GatewayFrame::Refused(refusal)) => Verdict::Refused(refusal),
                // Not for the link to judge: the service will.
                Ok(GatewayFrame::Heartbeat) | Err(_) => continue,
            };
            self.verdict.send_replace(verdict);
        }
        if heard.len() > FIRST_WORD_BYTES {
            self.heard = Heard::TooMuch;
        }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.verdict.send_if_modified(|verdict| {
            let open = !matches!(verdict, Verdict::Refused(_));
            if open {
                *verdict = Verdict::Left;
            }
            open
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kubeplex_link::timings::Timings;

    fn ear() -> (Ear, watch::Receiver<Verdict>) {
        let (verdict, receiver) = watch::channel(Verdict::Pending);
        (Ear { verdict, heard: Heard::Part(BytesMut::new()) }, receiver)
    }

    #[test]
    fn a_line_counts_however_it_comes() {
        let refusal = Refusal { message: "no".to_owned(), retry_after_ms: Some(7) };
        let terms = Timings::default().welcome(1);
        let frames = [
            (GatewayFrame::Welcome(terms), Verdict::Welcome(terms)),
            (GatewayFrame::Refused(refusal.clone()), Verdict::Refused(refusal)),
        ];
        for (frame, expected) in frames {
            let (mut ear, receiver) = ear();
            for byte in kubeplex_link::frames::encode(&frame).unwrap() {
                assert_eq!(*receiver.borrow(), Verdict::Pending);
                ear.hear(&[byte]);
            }
            assert_eq!(*receiver.borrow(), expected);
        }
    }

    #[test]
    fn an_agent_that_stood_by_hears_when_it_serves_and_when_it_is_left() {
        let (mut ear, receiver) = ear();
        let serving = Timings::default().welcome(1);
        for terms in [Welcome { standby: true, ..serving }, serving] {
            ear.hear(b"\"heartbeat\"\n");
            ear.hear(&kubeplex_link::frames::encode(&GatewayFrame::Welcome(terms)).unwrap());
            assert_eq!(*receiver.borrow(), Verdict::Welcome(terms));
        }
        drop(ear);
        assert_eq!(*receiver.borrow(), Verdict::Left);
    }

    #[tokio::test]
    async fn a_probe_ends_no_conversation() {
        let router = Router::new().route(paths::CONTROL, axum::routing::post(|| async {}));
        let (router, receiver) = observe(&router, CancellationToken::new());
        for (method, heard) in [(Method::OPTIONS, Verdict::Pending), (Method::POST, Verdict::Left)] {
            let request = Request::builder().method(method).uri(paths::CONTROL).body(Body::empty()).unwrap();
            drop(tower::ServiceExt::oneshot(router.clone(), request).await.unwrap());
            assert_eq!(*receiver.borrow(), heard);
        }
    }

    #[test]
    fn a_line_without_end_is_not_kept() {
        let (mut ear, _receiver) = ear();
        ear.hear(&vec![b'x'; FIRST_WORD_BYTES + 1]);
        assert!(matches!(ear.heard, Heard::TooMuch));
    }
}
