//! A simulated cluster with whatever agents it has at the moment.

use std::sync::Arc;

use kubeplex_agent::Agent;
use kubeplex_agent::config::{AgentConfig, WatchMode};
use kubeplex_agent::link::{self, LinkConfig};
use kubeplex_agent::workers::WorkOn;
use kubeplex_link::timings::Timings;
use kubeplex_proto::ids::ClusterId;
use parking_lot::Mutex;
use serde_json::{Value, json};
use simcluster::{Gvr, SimCluster, SimConfig};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::dice::Dice;
use crate::line::Line;
use crate::schedule::AgentTrouble;
use crate::site::Front;
use crate::truth::{Pod, State, Truth};

/// The namespaces of the pods.
pub(crate) const NAMESPACES: [&str; 2] = ["payments", "shop"];

/// Names of pods in a namespace; not all of them exist.
const NAMES: usize = 14;

/// One cluster.
pub(crate) struct Cluster {
    pub(crate) name: &'static str,
    pub(crate) sim: SimCluster,
    pub(crate) truth: Truth,
    pub(crate) line: Line,
    front: Front,
    watch: WatchMode,
    agent: Mutex<Process>,
    /// Of every agent that there ever was.
    pub(crate) tracker: TaskTracker,
}

/// An agent's process.
struct Process {
    stop: CancellationToken,
    tracker: TaskTracker,
}

impl Cluster {
    pub(crate) fn new(name: &'static str, front: Front, dice: &mut Dice) -> Arc<Self> {
        let sim = SimCluster::new(SimConfig::empty(name));
        let mut state = State::new();
        for number in 0..NAMESPACES.len() * NAMES {
            let pod = pod(number);
            if !dice.one_in(3) {
                sim.apply(object(&pod, 0)).expect("pods are served");
                state.insert(pod, 0);
            }
        }
        let watch = if dice.one_in(4) { WatchMode::Builtin } else { WatchMode::OnDemand };
        let tracker = TaskTracker::new();
        let line = Line::new(dice.fork(), tracker.clone());
        let idle = Process { stop: CancellationToken::new(), tracker: TaskTracker::new() };
        let truth = Truth::new(state);
        let cluster = Self { name, sim, truth, line, front, watch, agent: Mutex::new(idle), tracker };
        let cluster = Arc::new(cluster);
        *cluster.agent.lock() = cluster.start_agent();
        cluster
    }

    /// One pod comes, changes or goes.
    pub(crate) fn change(&self, dice: &mut Dice) -> String {
        let pod = pod(dice.below(NAMESPACES.len() * NAMES));
        let mut state = (*self.truth.now()).clone();
        let what = if state.contains_key(&pod) && dice.one_in(3) {
            self.sim.delete(&Gvr::core("pods"), &pod.0, &pod.1).expect("the pod is there");
            state.remove(&pod);
            "goes".to_owned()
        } else {
            // Never the number of another change, of this pod or another.
            let change = i64::try_from(self.sim.revision()).unwrap_or_default();
            self.sim.apply(object(&pod, change)).expect("pods are served");
            state.insert(pod.clone(), change);
            format!("is {change}")
        };
        self.truth.becomes(state);
        format!("{}: {}/{} {what}", self.name, pod.0, pod.1)
    }

    /// Sees to it that something happens to the agent, for as long as that takes.
    pub(crate) async fn trouble_agent(&self, trouble: AgentTrouble) {
        match trouble {
            AgentTrouble::Restarted(pause) => {
                let before = self.agent.lock().stop.clone();
                before.cancel();
                sleep(pause).await;
                self.begin_another();
            }
            AgentTrouble::Killed => {
                self.line.cut();
                self.begin_another();
            }
            AgentTrouble::Rolled(side_by_side) => {
                let after = self.start_agent();
                sleep(side_by_side).await;
                std::mem::replace(&mut *self.agent.lock(), after).stop.cancel();
            }
            AgentTrouble::Doubled(side_by_side) => {
                let rival = self.start_agent();
                sleep(side_by_side).await;
                rival.stop.cancel();
            }
        }
    }

    fn begin_another(&self) {
        let after = self.start_agent();
        std::mem::replace(&mut *self.agent.lock(), after).stop.cancel();
    }

    fn start_agent(&self) -> Process {
        let process = Process { stop: CancellationToken::new(), tracker: TaskTracker::new() };
        let (tracker, stop) = (process.tracker.clone(), process.stop.clone());
        let id = ClusterId::new(self.name).expect("a cluster's name");
        let link =
            LinkConfig::new("ws://127.0.0.1:1", &token(self.name), None, id.clone(), Timings::default());
        let link = link.expect("a link");
        let client = kube::Client::new(self.sim.service(), "default");
        let config = AgentConfig::of_cluster(id).with_watch(self.watch).with_work_on(WorkOn::Runtime);
        let agent = Agent::start(config, client, tracker.clone(), stop.clone());
        let (front, line) = (self.front.clone(), self.line.clone());
        let connect = move || std::future::ready(front.connect(&line));
        let linked = link::run_over(link, agent.router(), tracker.clone(), stop.clone(), connect);
        drop(tracker.spawn(linked));
        drop(self.tracker.spawn(async move {
            stop.cancelled().await;
            tracker.close();
            tracker.wait().await;
        }));
        process
    }

    /// Ends the agents and says how many tasks do not end.
    pub(crate) async fn stop(&self) -> usize {
        self.agent.lock().stop.cancel();
        self.line.cut();
        self.tracker.close();
        let ended = timeout(crate::world::ENDING, self.tracker.wait()).await;
        ended.map_or(self.tracker.len(), |()| 0)
    }
}

/// What the agent of a cluster shows.
pub(crate) fn token(cluster: &str) -> String {
    format!("the-token-of-the-agent-of-{cluster}")
}

fn pod(number: usize) -> Pod {
    let (namespace, name) = (NAMESPACES[number / NAMES], number % NAMES);
    (namespace.to_owned(), format!("pod-{name:02}"))
}

/// The number of its last change is how often it was restarted, which a listing shows.
fn object((namespace, name): &Pod, change: i64) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": namespace, "name": name, "labels": {"app": "sim"}},
        "spec": {"containers": [{"name": "main", "image": "sim:1"}]},
        "status": {"phase": "Running", "containerStatuses": [
            {"name": "main", "ready": true, "restartCount": change, "state": {"running": {}}}
        ]},
    })
}
