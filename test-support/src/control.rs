//! An agent's side of the control stream, for agents made by hand: it says hello, beats as often as the gateway asks, and
//! reports what a test has to tell.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream, StreamExt as _};
use kubeplex_link::frames::{FrameReader, encode};
use kubeplex_link::limits::CONTROL_FRAME;
use kubeplex_proto::PROTOCOL;
use kubeplex_proto::control::{AgentFrame, GatewayFrame, Hello, ProtocolRange, Report, Welcome};
use kubeplex_proto::ids::{ClusterId, Epoch, InstanceId};
use tokio::sync::{mpsc, watch};

use crate::counter::Counter;

/// What every agent made by hand says that it is.
pub const AGENT_VERSION: &str = "0.0.0-hand-made";

/// The version of every cluster whose agent is made by hand.
pub const KUBERNETES: &str = "v1.35.0";

/// Frames that wait for the gateway; none is lost, the next are made later.
const OUTBOX: usize = 16;

/// Speaks for one agent; clones are the same one, but for what they claim.
#[derive(Clone)]
pub struct Speaker {
    /// What it says that its cluster is.
    pub cluster: ClusterId,
    /// Which process of that cluster it says that it is.
    pub instance: InstanceId,
    pub protocol: ProtocolRange,
    epoch: Arc<AtomicU64>,
    beats: Counter,
    first_word: Arc<watch::Sender<Option<GatewayFrame>>>,
    reports: Arc<watch::Sender<Report>>,
}

impl Speaker {
    /// # Panics
    /// When `cluster` can't name one.
    pub fn of(cluster: &str, instance: &str) -> Self {
        Self {
            cluster: ClusterId::new(cluster).expect("a cluster id"),
            instance: InstanceId(instance.to_owned()),
            protocol: PROTOCOL,
            epoch: Arc::default(),
            beats: Counter::default(),
            first_word: Arc::default(),
            reports: Arc::default(),
        }
    }

    /// Tells the gateway, now or as soon as it listens. Of several reports that wait, the last is told.
    pub fn report(&self, report: Report) {
        self.reports.send_replace(report);
    }

    /// Heartbeats heard from the gateway.
    pub fn beats(&self) -> &Counter {
        &self.beats
    }

    /// The gateway's word on the latest link; waits for that on the first.
    pub async fn first_word(&self) -> GatewayFrame {
        let mut words = self.first_word.subscribe();
        loop {
            if let Some(word) = words.borrow_and_update().clone() {
                return word;
            }
            words.changed().await.expect("the sender is this speaker's");
        }
    }

    /// The terms of the latest link, once the gateway has accepted one.
    pub async fn welcome(&self) -> Welcome {
        self.until_welcome(|_| true).await
    }

    /// Waits for a welcome that is as wanted: an agent that stood by is welcomed again when it serves.
    pub async fn until_welcome(&self, wanted: impl Fn(&Welcome) -> bool) -> Welcome {
        let mut words = self.first_word.subscribe();
        loop {
            match &*words.borrow_and_update() {
                Some(GatewayFrame::Welcome(welcome)) if wanted(welcome) => return *welcome,
                _ => {}
            }
            words.changed().await.expect("the sender is this speaker's");
        }
    }

    /// Answers the request that opened a control stream; `from_gateway` is its body.
    pub fn converse(self, from_gateway: Body) -> Response {
        let (outbox, frames) = mpsc::channel(OUTBOX);
        let conversation = self.speak(FrameReader::new(from_gateway, CONTROL_FRAME), outbox);
        Body::from_stream(alongside(conversation, frames)).into_response()
    }

    /// Until either side has had enough.
    async fn speak(self, mut gateway: FrameReader, outbox: mpsc::Sender<AgentFrame>) {
        if outbox.send(AgentFrame::Hello(Box::new(self.hello()))).await.is_err() {
            return;
        }
        let Some(Ok(first)) = gateway.next::<GatewayFrame>().await else { return };
        self.first_word.send_replace(Some(first.clone()));
        let GatewayFrame::Welcome(terms) = first else { return };
        let mut rhythm = tokio::time::interval(Duration::from_millis(terms.heartbeat_ms));
        let mut reports = self.reports.subscribe();
        // What was reported before there was a link is news to this gateway.
        reports.mark_changed();
        loop {
            let report = tokio::select! {
                frame = gateway.next::<GatewayFrame>() => match frame {
                    Some(Ok(GatewayFrame::Heartbeat)) => { self.beats.add_one(); continue }
                    Some(Ok(again @ GatewayFrame::Welcome(_))) => {
                        self.first_word.send_replace(Some(again));
                        continue;
                    }
                    _ => return,
                },
                _ = rhythm.tick() => Report::default(),
                Ok(()) = reports.changed() => reports.borrow_and_update().clone(),
            };
            if outbox.send(AgentFrame::Report(Box::new(report))).await.is_err() {
                return;
            }
        }
    }

    fn hello(&self) -> Hello {
        Hello {
            protocol: self.protocol,
            features: Vec::new(),
            agent_version: AGENT_VERSION.to_owned(),
            kubernetes_version: KUBERNETES.to_owned(),
            cluster: self.cluster.clone(),
            instance: self.instance.clone(),
            epoch: Epoch(self.epoch.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

/// The lines of `frames`, while `work` runs; it is dropped with them.
fn alongside(
    work: impl Future<Output = ()> + Send + 'static,
    frames: mpsc::Receiver<AgentFrame>,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let lines = stream::unfold(frames, async |mut frames| {
        let frame = frames.recv().await?;
        Some((Some(encode(&frame).expect("a frame that can be written")), frames))
    });
    let work = stream::once(work).map(|()| None);
    stream::select(lines, work).filter_map(async |line| line.map(Ok))
}
