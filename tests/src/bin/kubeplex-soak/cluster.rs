//! A simulated cluster, the way to it, and its agent.

use std::net::SocketAddr;
use std::time::Duration;

use kubeplex_agent::Agent;
use kubeplex_agent::config::{AgentConfig, WatchMode};
use kubeplex_agent::link::{self, LinkConfig};
use kubeplex_proto::ids::ClusterId;
use kubeplex_test_support::proxy::Proxy;
use kubeplex_tests::quick::{alert, brisk};
use parking_lot::Mutex;
use serde_json::{Value, json};
use simcluster::{Gvr, SimCluster, SimConfig};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::truth::{Pod, Truth};

/// The namespaces of the pods.
pub(crate) const NAMESPACES: [&str; 2] = ["payments", "shop"];

/// Names of pods in a namespace; not all of them exist at any time.
const NAMES: usize = 40;

/// One cluster.
pub(crate) struct Cluster {
    pub(crate) name: &'static str,
    pub(crate) sim: SimCluster,
    pub(crate) truth: Truth,
    pub(crate) proxy: Proxy,
    agent: Mutex<Process>,
}

/// What is an agent's process elsewhere.
struct Process {
    stop: CancellationToken,
    tracker: TaskTracker,
}

impl Cluster {
    pub(crate) async fn start(name: &'static str, gateway: SocketAddr) -> Self {
        let bookmark_period = Duration::from_millis(300);
        let sim = SimCluster::new(SimConfig { bookmark_period, history: 50, ..SimConfig::empty(name) });
        let proxy = Proxy::to(gateway).await;
        let agent = Mutex::new(start_agent(name, &sim, &proxy));
        let cluster = Self { name, sim, truth: Truth::default(), proxy, agent };
        (0..NAMESPACES.len() * NAMES)
            .filter(|number| number % 4 > 0)
            .for_each(|number| cluster.change(number));
        cluster
    }

    /// One pod comes, changes, or goes.
    pub(crate) fn change(&self, number: usize) {
        let pod = pod(number);
        if self.truth.has(&pod) && number.is_multiple_of(3) {
            let delete = || self.sim.delete(&Gvr::core("pods"), &pod.0, &pod.1).expect("the pod is there");
            self.truth.change(&pod, None, delete);
        } else {
            // Never the number of another change.
            let state = i64::try_from(self.sim.revision()).unwrap_or_default();
            let apply = || _ = self.sim.apply(object(&pod, state)).expect("pods are served");
            self.truth.change(&pod, Some(state), apply);
        }
    }

    /// Another agent begins, and so much later the one before it ends.
    pub(crate) async fn roll_agent(&self, side_by_side: Duration) {
        let after = start_agent(self.name, &self.sim, &self.proxy);
        kubeplex_tests::wait::pass(side_by_side).await;
        let before = std::mem::replace(&mut *self.agent.lock(), after);
        before.end().await;
    }

    /// The agent ends, and so much later another begins.
    pub(crate) async fn restart_agent(&self, pause: Duration) {
        let (stop, tracker) = {
            let agent = self.agent.lock();
            (agent.stop.clone(), agent.tracker.clone())
        };
        Process { stop, tracker }.end().await;
        kubeplex_tests::wait::pass(pause).await;
        *self.agent.lock() = start_agent(self.name, &self.sim, &self.proxy);
    }

    pub(crate) async fn end(self) {
        self.agent.into_inner().end().await;
    }
}

impl Process {
    async fn end(self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

fn start_agent(name: &str, sim: &SimCluster, proxy: &Proxy) -> Process {
    let process = Process { stop: CancellationToken::new(), tracker: TaskTracker::new() };
    let (tracker, stop) = (process.tracker.clone(), process.stop.clone());
    let id = ClusterId::new(name).expect("a cluster's name");
    let url = format!("ws://{}", proxy.address);
    let link = LinkConfig::new(&url, &token(name), None, id.clone(), brisk()).expect("a link");
    let config = AgentConfig::of_cluster(id).with_watch(WatchMode::OnDemand).with_timings(alert());
    let client = kube::Client::new(sim.service(), "default");
    let agent = Agent::start(config, client, tracker.clone(), stop.clone());
    drop(process.tracker.spawn(link::run(link, agent.router(), tracker, stop)));
    process
}

/// What the agent of a cluster shows.
pub(crate) fn token(cluster: &str) -> String {
    format!("the-token-of-the-agent-of-{cluster}")
}

fn pod(number: usize) -> Pod {
    let number = number % (NAMESPACES.len() * NAMES);
    (NAMESPACES[number / NAMES].to_owned(), format!("pod-{:02}", number % NAMES))
}

/// The number of its last change is how often it was restarted, which a listing shows.
fn object((namespace, name): &Pod, state: i64) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": namespace, "name": name, "labels": {"app": "soak"}},
        "spec": {"containers": [{"name": "main", "image": "soak:1"}]},
        "status": {"phase": "Running", "containerStatuses": [
            {"name": "main", "ready": true, "restartCount": state, "state": {"running": {}}}
        ]},
    })
}
