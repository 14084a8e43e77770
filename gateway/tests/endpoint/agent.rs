//! An agent in a few lines: it says hello, reports one kind, and then answers as told.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures::stream::{self, BoxStream, StreamExt};
use kubeplex_proto::column::{CellFormat, Column};
use kubeplex_proto::control::{AgentFrame, ClusterReport, Hello, KindReport, Report, SyncState};
use kubeplex_proto::get::{FoundObject, GetEnd, GetFrame, GetHead, GetRequest};
use kubeplex_proto::ids::{ClusterId, Epoch, InstanceId};
use kubeplex_proto::kind::{GroupResource, KindInfo, KindTable, Scope};
use kubeplex_proto::list::{ListEnd, ListFrame, ListHead, ListRequest, Row};
use kubeplex_proto::sort::{KeyValue, RowKey, SortBy};
use kubeplex_proto::status::{AgentError, AgentErrorCode, LegStatus, Source};
use kubeplex_proto::{PROTOCOL, ROWS_PER_FRAME, paths};
use serde::Serialize;
use serde_json::json;
use tokio::sync::watch;

use crate::world::eventually;

/// What an agent does when it is asked for a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Has so many pods, and answers properly.
    Pods(usize),
    /// The same, but no frame is ready at the moment when it is asked for.
    Stepwise(usize),
    /// Never answers.
    Hang,
    /// Sends the head and a first frame of rows, and then nothing more.
    Stall(usize),
    Refuse(AgentErrorCode),
    Panic,
    /// Answers with something else than frames.
    Garbage,
    /// Ends its answer before it is over.
    BreakOff,
    /// One line that never ends.
    EndlessLine,
}

/// What a test can see of an agent.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    asked: watch::Sender<usize>,
    /// Answers that hang or stall and were given up by the gateway.
    cancelled: watch::Sender<usize>,
}

impl Observed {
    pub(crate) fn asked(&self) -> usize {
        *self.asked.borrow()
    }

    pub(crate) fn cancelled(&self) -> usize {
        *self.cancelled.borrow()
    }

    /// Returns when the agent was asked for the first time.
    pub(crate) async fn until_asked(&self) {
        eventually("the agent is asked", &self.asked, |asked| *asked > 0).await;
    }

    /// Returns when an answer was given up.
    pub(crate) async fn until_cancelled(&self) {
        eventually("the agent's work is cancelled", &self.cancelled, |cancelled| *cancelled > 0).await;
    }
}

#[derive(Clone)]
struct Agent {
    cluster: ClusterId,
    behaviour: Behaviour,
    observed: Arc<Observed>,
}

/// The agent as a service.
pub(crate) fn agent(cluster: &ClusterId, behaviour: Behaviour) -> (Router, Arc<Observed>) {
    let observed = Arc::new(Observed::default());
    let agent = Agent { cluster: cluster.clone(), behaviour, observed: observed.clone() };
    let router = Router::new()
        .route(paths::CONTROL, post(control))
        .route(paths::LIST, post(list))
        .route(paths::GET, post(get))
        .with_state(agent);
    (router, observed)
}

async fn control(State(agent): State<Agent>) -> Response {
    let hello = Hello {
        protocol: PROTOCOL,
        features: Vec::new(),
        agent_version: "0.0.0-test".to_owned(),
        kubernetes_version: "v1.35.0".to_owned(),
        cluster: agent.cluster.clone(),
        instance: InstanceId(agent.cluster.to_string()),
        epoch: Epoch(1),
    };
    let frames = [AgentFrame::Hello(Box::new(hello)), AgentFrame::Report(Box::new(agent.report()))];
    reply(stream::iter(frames).chain(stream::pending()).boxed())
}

async fn list(State(agent): State<Agent>, body: Bytes) -> Response {
    agent.observed.asked.send_modify(|asked| *asked += 1);
    let request: ListRequest =
        serde_json::from_slice(&body).expect("the gateway writes requests that can be read");
    match agent.behaviour {
        Behaviour::Pods(pods) => reply(stream::iter(agent.frames(&request, pods)).boxed()),
        Behaviour::Stepwise(pods) => {
            let frames = stream::iter(agent.frames(&request, pods));
            reply(
                frames
                    .then(|frame| async {
                        tokio::task::yield_now().await;
                        frame
                    })
                    .boxed(),
            )
        }
        Behaviour::Hang => {
            let _guard = Cancelled(agent.observed.clone());
            std::future::pending().await
        }
        Behaviour::Stall(pods) => {
            let guard = Cancelled(agent.observed.clone());
            let frames = agent.frames(&request, pods).into_iter().take(2);
            reply(stream::iter(frames).chain(stream::once(hold(guard))).boxed())
        }
        Behaviour::Refuse(code) => {
            let refusal = AgentError::new(code, "the agent will not have it");
            (StatusCode::BAD_REQUEST, axum::Json(refusal)).into_response()
        }
        Behaviour::Panic => panic!("an agent with a defect"),
        Behaviour::Garbage => "<html>proxy login</html>\n".into_response(),
        Behaviour::BreakOff => {
            let frames = agent.frames(&request, 3).into_iter().take(2);
            reply(stream::iter(frames).boxed())
        }
        Behaviour::EndlessLine => {
            let line = stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 65_536])));
            Body::from_stream(line).into_response()
        }
    }
}

/// Every agent that answers has one ConfigMap-like object, the same in each; the others do as they do with lists.
async fn get(State(agent): State<Agent>, body: Bytes) -> Response {
    agent.observed.asked.send_modify(|asked| *asked += 1);
    let request: GetRequest =
        serde_json::from_slice(&body).expect("the gateway writes requests that can be read");
    let object = GetFrame::Object(Box::new(found(&request)));
    match agent.behaviour {
        Behaviour::Pods(_) => {
            let frames = [GetFrame::Head(Box::new(get_head())), object, GetFrame::End(GetEnd { cut: None })];
            reply(stream::iter(frames).boxed())
        }
        // An object without a head.
        Behaviour::Garbage => reply(stream::iter([object]).boxed()),
        Behaviour::Refuse(code) => {
            let refusal = AgentError::new(code, "the agent will not have it");
            (StatusCode::BAD_REQUEST, axum::Json(refusal)).into_response()
        }
        _ => {
            let _guard = Cancelled(agent.observed.clone());
            std::future::pending().await
        }
    }
}

fn get_head() -> GetHead {
    GetHead {
        status: LegStatus::Ok,
        message: None,
        source: Source::Cache,
        api_version: "v1".to_owned(),
        total: 1,
        age_ms: 20,
        revision: 1,
    }
}

fn found(request: &GetRequest) -> FoundObject {
    let name = request.names.first().map(|pattern| pattern.as_str().to_owned()).unwrap_or_default();
    let metadata = json!({"name": name, "namespace": "shop"});
    let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"nodeName": "n1"}});
    FoundObject { namespace: Some("shop".to_owned()), name, object }
}

/// Counts an answer that was given up.
struct Cancelled(Arc<Observed>);

impl Drop for Cancelled {
    fn drop(&mut self) {
        self.0.cancelled.send_modify(|cancelled| *cancelled += 1);
    }
}

async fn hold(guard: Cancelled) -> ListFrame {
    let _guard = guard;
    std::future::pending().await
}

impl Agent {
    fn report(&self) -> Report {
        let kind = GroupResource::new("", "pods");
        let pods = KindInfo {
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
        let objects = if let Behaviour::Pods(pods) = self.behaviour { pods as u64 } else { 10 };
        let cached = KindReport {
            kind,
            state: SyncState::Synced,
            revision: 1,
            objects,
            age_ms: Some(0),
            message: None,
        };
        Report {
            kinds: vec![cached],
            dropped: Vec::new(),
            discovery: Some(KindTable { kinds: vec![pods], failed_groups: Vec::new() }),
            cluster: Some(ClusterReport {
                nodes: 3,
                nodes_ready: 3,
                ready: true,
                ..ClusterReport::default()
            }),
        }
    }

    /// A page as a real agent would answer it: in order, after the cursor, cut at the limit.
    fn frames(&self, request: &ListRequest, pods: usize) -> Vec<ListFrame> {
        let directions: Vec<_> = request.sort.iter().map(|term| term.direction).collect();
        let mut rows: Vec<_> = (0..pods).map(|number| self.row(request, number)).collect();
        rows.sort_by(|a, b| a.key.compare(&b.key, &directions));
        if let Some(after) = &request.after {
            rows.retain(|row| row.key.compare(after, &directions).is_gt());
        }
        let more = rows.len() > request.limit as usize;
        rows.truncate(request.limit as usize);
        let mut frames = vec![ListFrame::Head(Box::new(self.head(pods)))];
        frames.extend(rows.chunks(ROWS_PER_FRAME).map(|chunk| ListFrame::Rows(chunk.to_vec())));
        frames.push(ListFrame::End(ListEnd { more, cut: None }));
        frames
    }

    fn row(&self, request: &ListRequest, number: usize) -> Row {
        let name = format!("{}-{number:05}", self.cluster);
        let value = |by: &SortBy| match by {
            SortBy::Constant(value) => value.clone(),
            SortBy::Field(field) if field == "name" => KeyValue::Text(name.clone()),
            SortBy::Field(_) => KeyValue::Missing,
        };
        let values = request.sort.iter().map(|term| value(&term.by)).collect();
        let key =
            RowKey { values, namespace: "shop".to_owned(), name: name.clone(), uid: format!("uid-{name}") };
        Row { key, cells: vec![json!(name), json!("Running")] }
    }

    fn head(&self, pods: usize) -> ListHead {
        let column = |name: &str| Column { name: name.to_owned(), format: CellFormat::Plain };
        ListHead {
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
        }
    }
}

fn reply<T: Serialize + 'static>(frames: BoxStream<'static, T>) -> Response {
    let lines = frames.map(|frame| {
        let mut line = serde_json::to_vec(&frame).expect("frames can be written");
        line.push(b'\n');
        Ok::<_, Infallible>(Bytes::from(line))
    });
    Body::from_stream(lines).into_response()
}
