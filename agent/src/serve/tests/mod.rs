//! The service over a simulated cluster, asked as a gateway asks it.

mod callers;
mod changes;
mod control;
mod explain;
mod fresh;
mod health;
mod lists;
mod live;
mod logs;
mod narrow;
mod objects;
mod places;
mod problems;
mod requests;
mod search;
mod sheets;
mod usage;
mod withdrawn;

use std::time::Duration;

use axum::body::{Body, to_bytes};
use http::{HeaderMap, Request, StatusCode};
use kubeplex_proto::call::{CallContext, Freshness, Identity};
use kubeplex_proto::get::{FoundObject, GetEnd, GetFrame, GetHead, GetRequest};
use kubeplex_proto::ids::CallId;
use kubeplex_proto::list::{ColumnChoice, ListEnd, ListFrame, ListHead, ListRequest, Row};
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::status::AgentError;
use kubeplex_proto::visibility::Visibility;
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use simcluster::{Policy, Rule, SimCluster, SimConfig, Subject, User};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::*;
use crate::Agent;
use crate::config::{AgentConfig, WatchMode};
use crate::workers::{WorkOn, Workers};

/// Longer than anything that is waited for, in paused time.
const HOUR: Duration = Duration::from_secs(3_600);

/// What the agent shows where the cluster asks for it.
const TOKEN: &str = "agent-token";

/// A server whose agent may read everything, and read in the names of ann and bob.
fn acting_for_ann_and_bob() -> Policy {
    let agent = || Subject::User("agent".into());
    Policy::enforced()
        .user(TOKEN, User::new("agent", &[]))
        .grant(agent(), Rule::new("get,list,watch", "*"))
        .grant(agent(), Rule::new("create", "subjectaccessreviews"))
        .grant(agent(), Rule::new("impersonate", "users").named("ann").named("bob"))
}

/// A simulated cluster, and the service of an agent that watches it.
pub(super) struct World {
    sim: SimCluster,
    pub(super) agent: Agent,
    router: Router,
    cancel: CancellationToken,
    /// What the agent asked its API server, in order.
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// One request of the agent to its API server.
#[derive(Debug, Clone)]
struct Asked {
    uri: String,
    headers: HeaderMap,
}

/// The whole answer to a list.
struct ListAnswer {
    head: ListHead,
    /// The rows of each frame.
    frames: Vec<Vec<Row>>,
    end: ListEnd,
}

/// The whole answer to a get.
struct GetAnswer {
    head: GetHead,
    objects: Vec<FoundObject>,
    end: GetEnd,
}

fn config() -> AgentConfig {
    AgentConfig::of_cluster(ClusterId::new("sim").unwrap()).with_watch(WatchMode::OnDemand)
}

fn small() -> SimConfig {
    SimConfig { pods: 150, nodes: 3, ..SimConfig::named("sim", 7) }
}

impl World {
    pub(super) fn start() -> Self {
        Self::of(small(), config())
    }

    fn of(sim: SimConfig, config: AgentConfig) -> Self {
        let sim = SimCluster::new(sim);
        let (cancel, tracker) = (CancellationToken::new(), TaskTracker::new());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        let with_token = move |mut request: Request<kube::client::Body>| {
            noted.lock().push(Asked { uri: request.uri().to_string(), headers: request.headers().clone() });
            let bearer = http::HeaderValue::from_str(&format!("Bearer {TOKEN}")).unwrap();
            request.headers_mut().insert(http::header::AUTHORIZATION, bearer);
            request
        };
        let service = tower::ServiceBuilder::new().map_request(with_token).service(sim.service());
        let (cluster, live_reads, deny) =
            (config.cluster().clone(), config.live_reads(), config.deny().clone());
        let client = kube::Client::new(service, "default");
        let agent = Agent::start(config, client, tracker.clone(), cancel.clone());
        let router = router(Parts {
            cluster,
            instance: agent.instance().clone(),
            kinds: agent.kinds().clone(),
            history: agent.history(),
            problems: agent.problems.clone(),
            api: agent.api().clone(),
            live_reads,
            deny,
            workers: Workers::new(WorkOn::default(), tracker),
        });
        Self { sim, agent, router, cancel, asked }
    }

    /// The requests so far whose path has this in it.
    fn asked(&self, part: &str) -> Vec<Asked> {
        self.asked.lock().iter().filter(|asked| asked.uri.contains(part)).cloned().collect()
    }

    async fn post(&self, path: &str, body: impl Into<Body>) -> (StatusCode, Vec<u8>) {
        let request =
            Request::post(path).header("content-type", "application/json").body(body.into()).unwrap();
        let response = timeout(HOUR, self.router.clone().oneshot(request)).await.unwrap().unwrap();
        let status = response.status();
        (status, to_bytes(response.into_body(), 1 << 26).await.unwrap().to_vec())
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        request: &impl Serialize,
    ) -> Result<Vec<T>, AgentError> {
        let (status, body) = self.post(path, serde_json::to_vec(request).unwrap()).await;
        if status != StatusCode::OK {
            return Err(serde_json::from_slice(&body).unwrap());
        }
        Ok(body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(parse).collect())
    }

    async fn list(&self, request: &ListRequest) -> Result<ListAnswer, AgentError> {
        let frames = self.ask::<ListFrame>(request.path(), request).await?;
        let (mut head, mut rows, mut end) = (None, Vec::new(), None);
        for frame in frames {
            assert!(end.is_none(), "{frame:?} after the end");
            match frame {
                ListFrame::Head(first) => assert!(head.replace(*first).is_none() && rows.is_empty()),
                ListFrame::Rows(more) => rows.push(more),
                ListFrame::Groups(_) => panic!("groups that nobody asked for"),
                ListFrame::End(last) => end = Some(last),
                ListFrame::Unchanged(_) => panic!("nothing was known"),
            }
        }
        Ok(ListAnswer { head: head.unwrap(), frames: rows, end: end.unwrap() })
    }

    async fn get(&self, request: &GetRequest) -> Result<GetAnswer, AgentError> {
        let (mut head, mut objects, mut end) = (None, Vec::new(), None);
        for frame in self.ask::<GetFrame>(paths::GET, request).await? {
            match frame {
                GetFrame::Head(first) => assert!(head.replace(*first).is_none() && objects.is_empty()),
                GetFrame::Object(object) => objects.push(*object),
                GetFrame::End(last) => end = Some(last),
            }
        }
        Ok(GetAnswer { head: head.unwrap(), objects, end: end.unwrap() })
    }

    /// At which a kind is that is watched.
    fn revision(&self, resource: &str) -> u64 {
        let reports = self.agent.kinds().snapshot();
        let report = reports.iter().find(|report| report.kind.resource == resource);
        report.map(|report| report.revision).unwrap()
    }

    /// Waits until `condition` holds.
    async fn until(&self, condition: impl Fn(&Self) -> bool) {
        let waiting = async {
            while !condition(self) {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(HOUR, waiting).await.unwrap();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl ListAnswer {
    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.frames.iter().flatten()
    }

    fn columns(&self) -> Vec<&str> {
        self.head.columns.iter().map(|column| column.name.as_str()).collect()
    }
}

fn parse<T: DeserializeOwned>(line: &[u8]) -> T {
    serde_json::from_slice(line)
        .unwrap_or_else(|error| panic!("{error} in {}", String::from_utf8_lossy(line)))
}

impl Asked {
    /// For whom, where it was not for the agent itself.
    fn caller(&self) -> Option<&str> {
        Some(self.headers.get("impersonate-user")?.to_str().unwrap())
    }
}

fn context() -> CallContext {
    CallContext {
        call_id: CallId("c".into()),
        deadline_ms: 10_000,
        caller: Identity { user: "ann".into(), groups: vec![] },
        visibility: Visibility::everything(),
        max_bytes: 1 << 20,
        freshness: Freshness::Cache,
    }
}

pub(super) fn list_of(kind: &str) -> ListRequest {
    ListRequest {
        context: context(),
        kind: kind.parse().unwrap(),
        version: None,
        namespaces: vec![],
        names: vec![],
        label_selector: "".parse().unwrap(),
        field_selector: "".parse().unwrap(),
        events: None,
        search: None,
        usage: false,
        group: None,
        columns: ColumnChoice::Usual,
        sort: vec![],
        after: None,
        limit: 1_000,
        known: None,
    }
}

fn get_of(kind: &str, namespace: &str, name: &str) -> GetRequest {
    let patterns = |text: &str| if text.is_empty() { vec![] } else { vec![Pattern::new(text)] };
    GetRequest {
        context: context(),
        kind: kind.parse().unwrap(),
        version: None,
        namespaces: patterns(namespace),
        names: patterns(name),
        label_selector: "".parse().unwrap(),
        fields: vec![],
        limit: 100,
    }
}
