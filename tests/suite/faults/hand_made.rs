//! An agent written by hand, that answers for one kind, well or badly, as told from call to call.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures::stream::{self, BoxStream, StreamExt as _};
use kubeplex_proto::column::{CellFormat, Column};
use kubeplex_proto::control::{AgentFrame, ClusterReport, Hello, KindReport, Report, SyncState};
use kubeplex_proto::ids::{ClusterId, Epoch, InstanceId};
use kubeplex_proto::kind::{GroupResource, KindInfo, KindTable, Scope};
use kubeplex_proto::list::{ListEnd, ListFrame, ListHead, ListRequest, Row};
use kubeplex_proto::sort::{KeyValue, RowKey, SortBy};
use kubeplex_proto::status::{AgentError, AgentErrorCode, LegStatus, Source};
use kubeplex_proto::{PROTOCOL, ROWS_PER_FRAME, paths};
use serde::Serialize;
use serde_json::json;
use tokio::sync::watch;

/// How often it says that it is alive: sooner than any gateway of these tests doubts it.
const HEARTBEAT: Duration = Duration::from_millis(200);

/// Of one line in [`Behaviour::LongLine`].
pub(crate) const LONG_LINE: usize = 10 << 20;

/// What it does when it is asked for pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Has so many pods, and answers properly.
    Pods(usize),
    /// Never answers.
    Hang,
    /// Sends the head and the first rows of so many pods, and then nothing more.
    Stall(usize),
    /// Sends rows in the wrong order.
    Disorder,
    /// Sends rows that have other cells than the columns that it announced.
    Misfit,
    /// Sends more rows than it was asked for.
    Flood,
    /// Sends rows without a head.
    Headless,
    /// Ends its answer before it is over.
    BreakOff,
    /// Answers with something else than frames.
    Garbage,
    /// Bytes that are no text.
    Noise,
    /// One row of ten megabytes.
    LongLine,
    /// A line that never ends.
    EndlessLine,
    /// A status and a body that explain nothing.
    ProxyError,
    Refuse(AgentErrorCode),
    Panic,
}

/// A handle of the agent; clones are the same one.
#[derive(Clone)]
pub(crate) struct HandMade {
    /// What it says that its cluster is.
    cluster: ClusterId,
    behaviour: Arc<watch::Sender<Behaviour>>,
    asked: Arc<AtomicUsize>,
    /// Lists that it is at work on.
    at_work: Arc<watch::Sender<usize>>,
    epoch: Arc<AtomicUsize>,
}

impl HandMade {
    pub(crate) fn of(cluster: &str, behaviour: Behaviour) -> Self {
        Self {
            cluster: ClusterId::new(cluster).expect("a cluster id"),
            behaviour: Arc::new(watch::Sender::new(behaviour)),
            asked: Arc::default(),
            at_work: Arc::default(),
            epoch: Arc::default(),
        }
    }

    pub(crate) fn behave(&self, behaviour: Behaviour) {
        self.behaviour.send_replace(behaviour);
    }

    /// Lists that it was asked for so far.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Waits until it is at work on so many lists.
    pub(crate) async fn at_work(&self, count: usize) {
        let mut at_work = self.at_work.subscribe();
        at_work.wait_for(|now| *now == count).await.expect("the agent is there");
    }

    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route(paths::CONTROL, post(control))
            .route(paths::LIST, post(list))
            .with_state(self.clone())
    }

    fn hello(&self) -> Hello {
        Hello {
            protocol: PROTOCOL,
            features: Vec::new(),
            agent_version: "0.0.0-hand-made".to_owned(),
            kubernetes_version: "v1.35.0".to_owned(),
            cluster: self.cluster.clone(),
            instance: InstanceId(format!("hand-made {}", self.cluster)),
            epoch: Epoch(self.epoch.fetch_add(1, Ordering::SeqCst) as u64),
        }
    }

    fn row(&self, request: &ListRequest, number: usize) -> Row {
        let name = format!("{}-{number:05}", self.cluster);
        let value = |by: &SortBy| match by {
            SortBy::Constant(value) => value.clone(),
            SortBy::Field(field) if field == "name" => KeyValue::Text(name.clone()),
            SortBy::Field(_) => KeyValue::Missing,
        };
        let values = request.sort.iter().map(|term| value(&term.by)).collect();
        let (namespace, uid) = ("shop".to_owned(), format!("uid-{name}"));
        Row {
            key: RowKey { values, namespace, name: name.clone(), uid },
            cells: vec![json!(name), json!("Running")],
        }
    }

    fn rows(&self, request: &ListRequest, pods: usize) -> Vec<Row> {
        let directions: Vec<_> = request.sort.iter().map(|term| term.direction).collect();
        let mut rows: Vec<_> = (0..pods).map(|number| self.row(request, number)).collect();
        rows.sort_by(|a, b| a.key.compare(&b.key, &directions));
        if let Some(after) = &request.after {
            rows.retain(|row| row.key.compare(after, &directions).is_gt());
        }
        rows
    }

    /// A page as a real agent answers it: in order, after the cursor, cut at the limit.
    fn frames(&self, request: &ListRequest, pods: usize) -> Vec<ListFrame> {
        let mut rows = self.rows(request, pods);
        let more = rows.len() > request.limit as usize;
        rows.truncate(request.limit as usize);
        let mut frames = vec![head(pods)];
        frames.extend(rows.chunks(ROWS_PER_FRAME).map(|chunk| ListFrame::Rows(chunk.to_vec())));
        frames.push(ListFrame::End(ListEnd { more, cut: None }));
        frames
    }

    /// Frames that break a promise of the protocol.
    fn wrong_frames(&self, request: &ListRequest, behaviour: Behaviour) -> Vec<ListFrame> {
        let mut rows = self.rows(request, 3);
        match behaviour {
            Behaviour::Disorder => rows.reverse(),
            Behaviour::Misfit => rows.iter_mut().for_each(|row| row.cells.push(json!("one too many"))),
            Behaviour::Flood => rows = self.rows(request, request.limit as usize + 10),
            Behaviour::LongLine => rows[1].cells[1] = json!("x".repeat(LONG_LINE)),
            _ => {}
        }
        let mut frames = vec![head(rows.len()), ListFrame::Rows(rows)];
        match behaviour {
            Behaviour::Headless => drop(frames.remove(0)),
            Behaviour::BreakOff => {}
            _ => frames.push(ListFrame::End(ListEnd { more: false, cut: None })),
        }
        frames
    }
}

/// Counts a list for as long as it is worked on.
struct AtWork(HandMade);

impl AtWork {
    fn begin(agent: &HandMade) -> Self {
        agent.asked.fetch_add(1, Ordering::SeqCst);
        agent.at_work.send_modify(|count| *count += 1);
        Self(agent.clone())
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.at_work.send_modify(|count| *count -= 1);
    }
}

async fn control(State(agent): State<HandMade>) -> Response {
    let opening = [AgentFrame::Hello(Box::new(agent.hello())), AgentFrame::Report(Box::new(report()))];
    let beats = stream::unfold(tokio::time::interval(HEARTBEAT), async |mut interval| {
        interval.tick().await;
        Some((AgentFrame::Report(Box::default()), interval))
    });
    reply(stream::iter(opening).chain(beats).boxed())
}

async fn list(State(agent): State<HandMade>, body: Bytes) -> Response {
    let work = AtWork::begin(&agent);
    let request: ListRequest = serde_json::from_slice(&body).expect("a request that can be read");
    let behaviour = *agent.behaviour.borrow();
    match behaviour {
        Behaviour::Pods(pods) => reply(stream::iter(agent.frames(&request, pods)).boxed()),
        Behaviour::Hang => {
            let _work = work;
            std::future::pending().await
        }
        Behaviour::Stall(pods) => {
            let frames = agent.frames(&request, pods).into_iter().take(2);
            let hanging = stream::once(async move {
                let _work = work;
                std::future::pending().await
            });
            reply(stream::iter(frames).chain(hanging).boxed())
        }
        Behaviour::Garbage => "<html>please log in</html>\n".into_response(),
        Behaviour::Noise => [0xff, 0xfe, 0x00, b'\n', 0x80].as_slice().into_response(),
        Behaviour::EndlessLine => {
            let piece = || Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 64 * 1024]));
            Body::from_stream(stream::repeat_with(piece)).into_response()
        }
        Behaviour::ProxyError => (StatusCode::BAD_GATEWAY, "<html>\u{1b}[31mbad</html>").into_response(),
        Behaviour::Refuse(code) => {
            (StatusCode::BAD_REQUEST, axum::Json(AgentError::new(code, "it will not have it")))
                .into_response()
        }
        Behaviour::Panic => panic!("an agent with a defect"),
        wrong => reply(stream::iter(agent.wrong_frames(&request, wrong)).boxed()),
    }
}

fn reply<T: Serialize + 'static>(frames: BoxStream<'static, T>) -> Response {
    let lines = frames.map(|frame| kubeplex_link::frames::encode(&frame));
    Body::from_stream(lines).into_response()
}

/// Pods, which it says that it watches.
fn report() -> Report {
    let kind = GroupResource::new("", "pods");
    let info = KindInfo {
        id: kind.clone(),
        version: "v1".to_owned(),
        versions: vec!["v1".to_owned()],
        kind: "Pod".to_owned(),
        singular: "pod".to_owned(),
        short_names: vec!["po".to_owned()],
        categories: Vec::new(),
        scope: Scope::Namespaced,
        verbs: ["get", "list", "watch"].map(str::to_owned).into(),
    };
    let state = SyncState::Synced;
    let cached = KindReport { kind, state, revision: 1, objects: 3, age_ms: Some(0), message: None };
    let cluster = ClusterReport {
        kubernetes_version: "v1.35.0".to_owned(),
        nodes: 3,
        nodes_ready: 3,
        ready: true,
        ..ClusterReport::default()
    };
    Report {
        kinds: vec![cached],
        dropped: Vec::new(),
        discovery: Some(KindTable { kinds: vec![info], failed_groups: Vec::new() }),
        cluster: Some(cluster),
    }
}

fn head(pods: usize) -> ListFrame {
    let column = |name: &str| Column { name: name.to_owned(), format: CellFormat::Plain };
    ListFrame::Head(Box::new(ListHead {
        status: LegStatus::Ok,
        message: None,
        source: Source::Cache,
        api_version: "v1".to_owned(),
        scope: Some(Scope::Namespaced),
        columns: vec![column("name"), column("status")],
        total: pods as u64,
        status_counts: [("Running".to_owned(), pods as u64)].into(),
        age_ms: 20,
        cluster_now_ms: 1_790_000_000_000,
        clock_offset_ms: 0,
        revision: 1,
    }))
}
