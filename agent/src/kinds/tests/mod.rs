//! The kinds of a simulated cluster, under good and bad conditions. Time is paused, so minutes pass in milliseconds.

mod announcements;
mod cluster;
mod columns;
mod faults;
mod logs;
mod namespaces;
mod opening;
mod rights;
mod room;
mod secrets;

use std::collections::BTreeMap;
use std::time::Duration;

use kubeplex_proto::control::SyncState;
use kubeplex_proto::ids::ClusterId;
use simcluster::{Gvr, SimCluster, SimConfig};
use tokio::time::{sleep, timeout};

use super::*;
use crate::Agent;
use crate::config::WatchMode;

/// Longer than anything that is waited for, in paused time.
const HOUR: Duration = Duration::from_secs(3_600);

/// What the agent shows where the cluster asks for it.
const TOKEN: &str = "agent-token";

/// A simulated cluster and an agent that watches it.
struct World {
    sim: SimCluster,
    agent: Agent,
    cancel: CancellationToken,
    tracker: TaskTracker,
}

fn config() -> AgentConfig {
    AgentConfig::of_cluster(ClusterId::new("sim").unwrap())
}

fn on_demand() -> AgentConfig {
    config().with_watch(WatchMode::OnDemand)
}

fn small() -> SimConfig {
    SimConfig { pods: 60, nodes: 3, ..SimConfig::named("sim", 7) }
}

impl World {
    fn start(sim: SimConfig, config: AgentConfig) -> Self {
        Self::over(SimCluster::new(sim), config)
    }

    fn over(sim: SimCluster, config: AgentConfig) -> Self {
        Self::watched(sim, config, |_| {})
    }

    /// With somebody who sees every request to the cluster.
    fn watched(
        sim: SimCluster,
        config: AgentConfig,
        see: impl Fn(&http::Request<kube::client::Body>) + Clone + Send + 'static,
    ) -> Self {
        let (cancel, tracker) = (CancellationToken::new(), TaskTracker::new());
        let with_token = move |mut request: http::Request<kube::client::Body>| {
            see(&request);
            let bearer = http::HeaderValue::from_str(&format!("Bearer {TOKEN}")).unwrap();
            request.headers_mut().insert(http::header::AUTHORIZATION, bearer);
            request
        };
        let service = tower::ServiceBuilder::new().map_request(with_token).service(sim.service());
        let client = kube::Client::new(service, "default");
        let agent = Agent::start(config, client, tracker.clone(), cancel.clone());
        Self { sim, agent, cancel, tracker }
    }

    fn kinds(&self) -> &Kinds {
        self.agent.kinds()
    }

    /// Waits until `condition` holds.
    #[track_caller]
    fn until(&self, condition: impl Fn(&Self) -> bool) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            let mut changed = self.kinds().changed();
            let waiting = async {
                while !condition(self) {
                    let _ = timeout(Duration::from_secs(1), changed.changed()).await;
                }
            };
            if timeout(HOUR, waiting).await.is_err() {
                panic!(
                    "waited in vain at {place}: {:#?} {:?}",
                    self.kinds().snapshot(),
                    self.kinds().cluster()
                );
            }
        }
    }

    async fn ready(&self) {
        self.until(|world| world.kinds().cluster().ready).await;
    }

    async fn open(&self, id: &str) -> Arc<KindHandle> {
        match self.kinds().open(&id.parse().unwrap(), None).await {
            Opened::Handle(handle) => handle,
            other => panic!("{id}: {}", name_of(&other)),
        }
    }

    fn state(&self, id: &str) -> Option<SyncState> {
        let id: GroupResource = id.parse().unwrap();
        self.kinds().snapshot().into_iter().find(|report| report.kind == id).map(|report| report.state)
    }

    /// Whether a store holds exactly the objects that the cluster does, in their latest versions.
    fn agrees(&self, handle: &KindHandle) -> bool {
        stored(handle) == self.existing(&handle.info)
    }

    fn existing(&self, info: &KindInfo) -> BTreeMap<String, String> {
        let gvr = Gvr::new(&info.id.group, &info.version, &info.id.resource);
        let text =
            |object: &serde_json::Value, key: &str| object["metadata"][key].as_str().unwrap_or("").to_owned();
        let entry = |object: &serde_json::Value| {
            let name = format!("{}/{}", text(object, "namespace"), text(object, "name"));
            (name, text(object, "resourceVersion"))
        };
        self.sim.objects(&gvr).iter().map(entry).collect()
    }

    async fn all_agree(&self) {
        self.until(|world| world.kinds().shared.handles().iter().all(|handle| world.agrees(handle))).await;
    }
}

fn stored(handle: &KindHandle) -> BTreeMap<String, String> {
    let store = handle.store.read();
    let entry = |row: crate::cache::RowRef<'_>| {
        (format!("{}/{}", row.namespace().unwrap_or(""), row.name()), row.resource_version().into_owned())
    };
    store.rows().map(entry).collect()
}

fn name_of(opened: &Opened) -> &'static str {
    match opened {
        Opened::Handle(_) => "handle",
        Opened::Absent => "absent",
        Opened::Unwatchable(_) => "unwatchable",
        Opened::Denied(_) => "denied",
        Opened::Failed(_) => "failed",
    }
}

fn pod(name: &str) -> serde_json::Value {
    serde_json::json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": [{"name": "c", "image": "registry.example.com/c:1"}]}
    })
}

fn widgets(columns: &serde_json::Value) -> serde_json::Value {
    serde_json::json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
                "additionalPrinterColumns": columns
            }]
        }
    })
}

fn widget(name: &str) -> serde_json::Value {
    serde_json::json!({
        "apiVersion": "example.com/v1", "kind": "Widget",
        "metadata": {"name": name, "namespace": "default"}, "spec": {"size": 3}
    })
}
