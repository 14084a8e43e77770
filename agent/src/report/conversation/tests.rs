use std::sync::Arc;

use futures::StreamExt;
use futures::stream::BoxStream;
use kubeplex_link::frames::{self, FrameWriter};
use kubeplex_link::timings::Timings;
use kubeplex_proto::control::{KindReport, ProtocolRange, Refusal, SyncState};
use kubeplex_proto::ids::{ClusterId, Epoch, InstanceId};
use kubeplex_proto::kind::GroupResource;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::super::Snapshot;
use super::*;

/// By the gateway's default terms.
const HEARTBEAT_MS: u64 = 4_000;

/// A cluster whose kinds a test sets, a gateway that it speaks for, and the agent's lines.
struct Scene {
    kinds: Arc<Mutex<Vec<KindReport>>>,
    ticks: watch::Sender<u64>,
    gateway: Option<FrameWriter>,
    lines: BoxStream<'static, Bytes>,
}

impl Scene {
    fn new() -> Self {
        let kinds: Arc<Mutex<Vec<KindReport>>> = Arc::default();
        let ticks = watch::Sender::default();
        let source = {
            let kinds = Arc::clone(&kinds);
            let snapshot = move || Snapshot { kinds: kinds.lock().clone(), ..Snapshot::default() };
            ReportSource::new(snapshot, ticks.subscribe())
        };
        let hello = Hello {
            protocol: ProtocolRange { min: 1, max: 1 },
            features: vec![],
            agent_version: "0.1.0".into(),
            kubernetes_version: String::new(),
            cluster: ClusterId::new("prod").unwrap(),
            instance: InstanceId("i".into()),
            epoch: Epoch(1),
        };
        let (gateway, body) = frames::channel(16);
        let parts = Conversation { hello, source, timings: ReportTimings::default(), jitter: || 0.5 };
        let lines = conversation(parts, FrameReader::new(body, 1 << 16)).boxed();
        Self { kinds, ticks, gateway: Some(gateway), lines }
    }

    /// A scene whose hello, welcome and first report are over.
    async fn reporting() -> Self {
        let mut scene = Self::new();
        scene.frame().await;
        scene.say(&GatewayFrame::Welcome(Timings::default().welcome(1)));
        scene.report().await;
        scene
    }

    fn say(&mut self, frame: &GatewayFrame) {
        assert!(self.gateway.as_mut().unwrap().offer(frame));
    }

    async fn frame(&mut self) -> AgentFrame {
        serde_json::from_slice(&self.lines.next().await.unwrap()).unwrap()
    }

    async fn report(&mut self) -> Report {
        match self.frame().await {
            AgentFrame::Report(report) => *report,
            AgentFrame::Hello(_) => panic!("a second hello"),
        }
    }

    fn set_pods(&self, revision: u64) {
        *self.kinds.lock() = vec![pods(revision)];
        self.ticks.send_modify(|ticks| *ticks += 1);
    }
}

fn pods(revision: u64) -> KindReport {
    KindReport {
        kind: GroupResource::new("", "pods"),
        state: SyncState::Synced,
        revision,
        objects: 1,
        age_ms: None,
        message: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_hello_waits_for_its_welcome_and_a_complete_report_follows() {
    let mut scene = Scene::new();
    scene.set_pods(7);
    assert!(matches!(scene.frame().await, AgentFrame::Hello(hello) if hello.epoch == Epoch(1)));
    tokio::select! {
        line = scene.lines.next() => panic!("{line:?} before the welcome"),
        () = tokio::time::sleep(Duration::from_secs(9)) => {}
    }
    scene.say(&GatewayFrame::Welcome(Timings::default().welcome(1)));
    let report = scene.report().await;
    assert_eq!(report.kinds[0].revision, 7);
    assert!(report.discovery.is_some() && report.cluster.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_change_is_reported_at_once_and_those_after_it_together_within_twenty_milliseconds() {
    let mut scene = Scene::reporting().await;
    let started = Instant::now();
    for (revisions, reported_ms) in [(1..=2, 0), (3..=5, 20), (6..=6, 40)] {
        let latest = *revisions.end();
        revisions.for_each(|revision| scene.set_pods(revision));
        let report = scene.report().await;
        assert_eq!((report.kinds.len(), report.kinds[0].revision), (1, latest));
        assert_eq!(started.elapsed().as_millis(), reported_ms);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    scene.set_pods(7);
    scene.report().await;
    assert_eq!(started.elapsed().as_millis(), 1_040, "it was quiet for long enough");
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_finds_the_latest_state_once() {
    let mut scene = Scene::reporting().await;
    let started = Instant::now();
    for revision in 1..=1_000 {
        scene.set_pods(revision);
    }
    assert_eq!(scene.report().await.kinds[0].revision, 1_000);
    assert_eq!(scene.report().await, Report::default(), "nothing is left but the heartbeat");
    assert_eq!(started.elapsed().as_millis(), u128::from(HEARTBEAT_MS));
}

#[tokio::test(start_paused = true)]
async fn silence_is_broken_by_heartbeats() {
    let mut scene = Scene::reporting().await;
    let started = Instant::now();
    for _ in 0..3 {
        assert_eq!(scene.report().await, Report::default());
    }
    assert_eq!(started.elapsed().as_millis(), u128::from(3 * HEARTBEAT_MS));
}

#[tokio::test(start_paused = true)]
async fn ages_are_told_in_time_however_much_changes() {
    let mut scene = Scene::reporting().await;
    let quiet = KindReport { kind: GroupResource::new("", "nodes"), age_ms: Some(0), ..pods(1) };
    let started = Instant::now();
    let mut told_at = Vec::new();
    for revision in 1..=100 {
        *scene.kinds.lock() = vec![pods(revision), quiet.clone()];
        scene.ticks.send_modify(|ticks| *ticks += 1);
        if scene.report().await.kinds.iter().any(|report| report.kind == quiet.kind) {
            told_at.push(started.elapsed().as_secs());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(told_at, [0, 4, 8]);
}

#[tokio::test(start_paused = true)]
async fn ticks_that_change_nothing_are_not_reported() {
    let mut scene = Scene::reporting().await;
    let started = Instant::now();
    scene.ticks.send_modify(|ticks| *ticks += 1);
    assert_eq!(scene.report().await, Report::default());
    assert_eq!(started.elapsed().as_millis(), u128::from(HEARTBEAT_MS), "only the heartbeat came");
}

#[tokio::test(start_paused = true)]
async fn the_conversation_ends_when_the_gateway_leaves_refuses_or_stays_silent() {
    let refusal = Refusal { message: "another agent is linked".into(), retry_after_ms: Some(1_000) };
    for refuses in [true, false] {
        let mut scene = Scene::new();
        scene.frame().await;
        if refuses {
            scene.say(&GatewayFrame::Refused(refusal.clone()));
        } else {
            scene.gateway = None;
        }
        assert_eq!(scene.lines.next().await, None);
    }
    let mut linked = Scene::reporting().await;
    linked.gateway = None;
    assert_eq!(linked.lines.next().await, None);

    let mut silent = Scene::new();
    silent.frame().await;
    let started = Instant::now();
    assert_eq!(silent.lines.next().await, None);
    assert_eq!(started.elapsed(), ReportTimings::default().welcome);
}
