//! A pipeline over agents made by hand, which change and tell of it when a test wants it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use kubeplex_link::activity::Activity;
use kubeplex_link::frames::encode;
use kubeplex_proto::control::{Hello, KindReport, Report, SyncState};
use kubeplex_proto::ids::{CallId, ClusterId, Epoch, InstanceId};
use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::list::{Known, ListEnd, ListFrame, ListHead, ListRequest, Row, Unchanged};
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::sort::{RowKey, SortBy};
use kubeplex_proto::status::LegStatus;
use kubeplex_proto::visibility::{Reach, Visibility, VisibilityRule};
use kubeplex_proto::{PROTOCOL, paths};
use kubeplex_test_support::list as answer;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::carrier::Carrier;
use crate::config::GatewayConfig;
use crate::identify::somebody_called;
use crate::limits::{Limits, Rate, Rates};
use crate::pipeline::{Pipeline, Question};
use crate::registry::{Candidate, Claim, LinkId, Registry, Standing};
use crate::render::Rendered;
use crate::telemetry::Telemetry;
use crate::trace::{KeptFrom, LegTrace, Trace};

pub(super) struct World {
    pipeline: Pipeline,
    registry: Registry,
    telemetry: Telemetry,
    clusters: BTreeMap<String, Arc<Cluster>>,
}

/// A cluster, its agent, and what passed between them and the gateway.
struct Cluster {
    id: ClusterId,
    link: Mutex<Option<LinkId>>,
    agent: Mutex<Agent>,
    hangs: watch::Sender<bool>,
}

#[derive(Default)]
struct Agent {
    instance: u64,
    epoch: u64,
    revision: u64,
    pushed: u64,
    stale: bool,
    asked: usize,
    scanned: usize,
}

/// What an answer tells of a cluster: whose it is, what it shows, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) instance: u64,
    pub(super) revision: u64,
    pub(super) team: String,
}

/// What a caller got.
pub(super) struct Got {
    rendered: Rendered,
    told: BTreeMap<String, Told>,
    legs: Vec<LegTrace>,
}

impl World {
    pub(super) fn of(clusters: &[&str]) -> Self {
        Self::keeping(Limits::default().result_cache_bytes, clusters)
    }

    pub(super) fn keeping(result_cache_bytes: u64, clusters: &[&str]) -> Self {
        let (registry, telemetry) = (Registry::new(), Telemetry::new());
        let plenty = Rate::new(u32::MAX, u32::MAX);
        let rates = Rates { cached: plenty, live: plenty, fleet: plenty, ..Rates::default() };
        let limits = Limits { result_cache_bytes, rates, ..Limits::default() };
        let config = GatewayConfig::default().with_limits(limits);
        let pipeline = Pipeline::new(&config, registry.clone(), &telemetry);
        let mut world = Self { pipeline, registry, telemetry, clusters: BTreeMap::new() };
        for name in clusters {
            let id = ClusterId::new(name).unwrap();
            world.registry.expect(id.clone(), BTreeMap::new());
            let (link, agent, hangs) = (Mutex::default(), Mutex::default(), watch::Sender::new(false));
            world.clusters.insert((*name).to_owned(), Arc::new(Cluster { id, link, agent, hangs }));
            world.reconnect(name);
            world.push(name);
        }
        world
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Another process speaks for the cluster, and has said nothing yet. Its revisions begin where those of all others do.
    pub(super) fn reconnect(&self, name: &str) {
        let cluster = &self.clusters[name];
        {
            let mut agent = cluster.agent.lock();
            (agent.instance, agent.revision, agent.pushed) = (agent.instance + 1, 5, 0);
        }
        let before = cluster.link.lock().take();
        before.into_iter().for_each(|link| self.registry.detach(&cluster.id, link));
        self.relink(name);
    }

    /// The agent dials anew, and has said nothing yet on this link.
    pub(super) fn relink(&self, name: &str) {
        let cluster = &self.clusters[name];
        let (instance, epoch) = {
            let mut agent = cluster.agent.lock();
            agent.epoch += 1;
            (agent.instance, agent.epoch)
        };
        let candidate = Candidate {
            hello: Hello {
                protocol: PROTOCOL,
                features: Vec::new(),
                agent_version: "0.1.0".to_owned(),
                kubernetes_version: String::new(),
                cluster: cluster.id.clone(),
                instance: InstanceId(instance.to_string()),
                epoch: Epoch(epoch),
            },
            carrier: Carrier::InProcess(cluster.router()),
            activity: Activity::start(),
            standing: watch::Sender::new(Standing::Standby),
        };
        *cluster.link.lock() = self.registry.attach(&cluster.id, candidate, Claim::Vacant).ok();
    }

    pub(super) fn change(&self, name: &str) {
        self.clusters[name].agent.lock().revision += 1;
    }

    /// The agent can't vouch for its rows, or can again, and says so at once.
    pub(super) fn turn_stale(&self, name: &str, stale: bool) {
        self.clusters[name].agent.lock().stale = stale;
        self.push(name);
    }

    /// The agent tells what has changed.
    pub(super) fn push(&self, name: &str) {
        let cluster = &self.clusters[name];
        let report = {
            let mut agent = cluster.agent.lock();
            agent.pushed = agent.revision;
            KindReport {
                kind: GroupResource::new("", "pods"),
                state: if agent.stale { SyncState::Stale } else { SyncState::Synced },
                revision: agent.revision,
                objects: 1,
                age_ms: Some(0),
                message: None,
            }
        };
        self.report(cluster, Report { kinds: vec![report], ..Report::default() });
    }

    /// The agent says that nothing has changed.
    pub(super) fn heartbeat(&self, name: &str) {
        self.report(&self.clusters[name], Report::default());
    }

    fn report(&self, cluster: &Cluster, report: Report) {
        let link = cluster.link.lock().unwrap();
        self.registry.report(&cluster.id, link, report);
    }

    pub(super) fn hang(&self, name: &str) {
        self.clusters[name].hangs.send_replace(true);
    }

    pub(super) fn wake(&self, name: &str) {
        self.clusters[name].hangs.send_replace(false);
    }

    /// What the cluster would answer now.
    pub(super) fn now(&self, name: &str, team: &str) -> Told {
        let agent = self.clusters[name].agent.lock();
        Told { instance: agent.instance, revision: agent.revision, team: team.to_owned() }
    }

    pub(super) fn pushed(&self, name: &str) -> u64 {
        self.clusters[name].agent.lock().pushed
    }

    pub(super) fn is_stale(&self, name: &str) -> bool {
        self.clusters[name].agent.lock().stale
    }

    /// Requests to each cluster.
    pub(super) fn asked(&self) -> Vec<usize> {
        self.clusters.values().map(|cluster| cluster.agent.lock().asked).collect()
    }

    /// Those that it had to look for rows for.
    pub(super) fn scanned(&self) -> Vec<usize> {
        self.clusters.values().map(|cluster| cluster.agent.lock().scanned).collect()
    }

    pub(super) fn metrics(&self) -> String {
        self.telemetry.render()
    }

    pub(super) async fn call(&self, team: &str) -> Got {
        self.call_as("somebody", team).await
    }

    pub(super) async fn call_as(&self, user: &str, team: &str) -> Got {
        self.ask(user, team, &json!({})).await
    }

    /// Somebody who may see the namespace of a team lists pods.
    pub(super) async fn ask(&self, user: &str, team: &str, arguments: &Value) -> Got {
        let rule = VisibilityRule::of(Reach::All, Reach::Only(vec![Pattern::new(team)]));
        let caller = somebody_called(user, Visibility::of(vec![rule]));
        let tool = self.pipeline.tool(&caller, "pods_list").unwrap();
        let trace = Trace::begin(CallId("c".to_owned()));
        let question = Question { caller, tool, arguments: arguments.as_object().unwrap() };
        let rendered = self.pipeline.call(question, &trace).await.unwrap().into_rendered();
        Got { told: told(&rendered.structured), rendered, legs: trace.report().legs }
    }
}

impl Got {
    pub(super) fn structured(&self) -> &Value {
        &self.rendered.structured
    }

    pub(super) fn text(&self) -> &str {
        &self.rendered.text
    }

    pub(super) fn told(&self, cluster: &str) -> &Told {
        &self.told[cluster]
    }

    /// Where each cluster's rows came from, in the order of their names; `-` is the cluster itself.
    pub(super) fn kept(&self) -> Vec<&str> {
        let word = |leg: &LegTrace| match leg.kept {
            None => "-",
            Some(KeptFrom::Page) => "page",
            Some(KeptFrom::Answer) => "answer",
            Some(KeptFrom::Unchanged) => "unchanged",
        };
        self.legs.iter().map(word).collect()
    }
}

/// The one row of each cluster says it all.
fn told(structured: &Value) -> BTreeMap<String, Told> {
    let of_group = |group: &Value| {
        let row = group["rows"][0][0].as_str().unwrap();
        let [instance, revision, team] = row.split('/').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let (instance, revision) = (instance.parse().unwrap(), revision.parse().unwrap());
        let told = Told { instance, revision, team: team.to_owned() };
        (group["cluster"].as_str().unwrap().to_owned(), told)
    };
    structured["groups"].as_array().unwrap().iter().map(of_group).collect()
}

impl Cluster {
    fn router(self: &Arc<Self>) -> Router {
        Router::new().route(paths::LIST, post(list)).with_state(Arc::clone(self))
    }
}

async fn list(State(cluster): State<Arc<Cluster>>, body: Bytes) -> Response {
    let request: ListRequest = serde_json::from_slice(&body).unwrap();
    cluster.agent.lock().asked += 1;
    let _ = cluster.hangs.subscribe().wait_for(|hangs| !hangs).await;
    let frames = {
        let mut agent = cluster.agent.lock();
        let is_known = |known: &Known| {
            known.instance.0 == agent.instance.to_string() && known.revision == agent.revision
        };
        if !agent.stale && request.known.as_ref().is_some_and(is_known) {
            vec![ListFrame::Unchanged(Unchanged { age_ms: 0, cluster_now_ms: 0, clock_offset_ms: 0 })]
        } else {
            agent.scanned += 1;
            rows(&agent, &request)
        }
    };
    // The answer is under way for a while.
    tokio::task::yield_now().await;
    let lines: Vec<_> = frames.iter().map(|frame| encode(frame).unwrap()).collect();
    Body::from(lines.concat()).into_response()
}

fn rows(agent: &Agent, request: &ListRequest) -> Vec<ListFrame> {
    let [rule] = request.context.visibility.rules() else { panic!("one rule") };
    let Reach::Only(namespaces) = &rule.namespaces else { panic!("of one team") };
    let name = format!("{}/{}/{}", agent.instance, agent.revision, namespaces[0].as_str());
    let values = request.sort.iter().map(|term| match &term.by {
        SortBy::Constant(value) => value.clone(),
        SortBy::Field(field) => panic!("in the usual order rows are not sorted by {field}"),
    });
    let key = RowKey {
        values: values.collect(),
        namespace: namespaces[0].as_str().to_owned(),
        name: name.clone(),
        uid: "u".to_owned(),
    };
    let head = ListHead {
        status: if agent.stale { LegStatus::Stale } else { LegStatus::Ok },
        revision: agent.revision,
        ..answer::head(answer::columns(&["name"]), 1)
    };
    vec![
        ListFrame::Head(Box::new(head)),
        ListFrame::Rows(vec![Row { key, cells: vec![json!(name)] }]),
        ListFrame::End(ListEnd { more: false, cut: None }),
    ]
}
