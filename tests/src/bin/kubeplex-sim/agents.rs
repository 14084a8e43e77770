//! The agents of a cluster: one, mostly, and whatever happens to its process.

use std::sync::Arc;

use http::{HeaderValue, Request, header};
use kubeplex_agent::Agent;
use kubeplex_agent::config::{AgentConfig, WatchMode};
use kubeplex_agent::link::{self, LinkConfig};
use kubeplex_agent::workers::WorkOn;
use kubeplex_link::timings::Timings;
use kubeplex_proto::ids::ClusterId;
use parking_lot::Mutex;
use simcluster::SimCluster;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceBuilder;

use crate::deeds::Deeds;
use crate::dice::Dice;
use crate::line::Line;
use crate::schedule::AgentTrouble;
use crate::site::Front;

/// What agents show their API server.
pub(crate) const AGENT_TOKEN: &str = "the-token-of-the-service-account";

/// The agents of one cluster.
pub(crate) struct Agents {
    cluster: &'static str,
    sim: SimCluster,
    front: Front,
    line: Line,
    deeds: Arc<Deeds>,
    watch: WatchMode,
    /// The one that is meant to be there.
    agent: Mutex<CancellationToken>,
    /// Every one that there ever was.
    all: Mutex<Vec<CancellationToken>>,
    /// Of every agent that there ever was.
    tracker: TaskTracker,
}

impl Agents {
    /// Begins with one.
    pub(crate) fn new(
        cluster: &'static str,
        sim: &SimCluster,
        front: Front,
        deeds: Arc<Deeds>,
        dice: &mut Dice,
    ) -> Self {
        let watch = if dice.one_in(4) { WatchMode::Builtin } else { WatchMode::OnDemand };
        let tracker = TaskTracker::new();
        let line = Line::new(dice.fork(), tracker.clone());
        let (agent, all) = (Mutex::default(), Mutex::default());
        let agents = Self { cluster, sim: sim.clone(), front, line, deeds, watch, agent, all, tracker };
        *agents.agent.lock() = agents.start();
        agents
    }

    pub(crate) fn line(&self) -> &Line {
        &self.line
    }

    /// Sees to it that something happens to the agent, for as long as that takes.
    pub(crate) async fn trouble(&self, trouble: AgentTrouble) {
        self.deeds.link();
        match trouble {
            AgentTrouble::Restarted(pause) => {
                let before = self.agent.lock().clone();
                self.end(&before);
                sleep(pause).await;
                self.begin_another();
            }
            AgentTrouble::Killed => {
                self.line.cut();
                self.begin_another();
            }
            AgentTrouble::Rolled(side_by_side) => {
                let after = self.start();
                sleep(side_by_side).await;
                let before = std::mem::replace(&mut *self.agent.lock(), after);
                self.end(&before);
            }
            AgentTrouble::Doubled(side_by_side) => {
                let rival = self.start();
                sleep(side_by_side).await;
                self.end(&rival);
            }
        }
        self.deeds.link();
    }

    /// Ends the agents and says how many tasks do not end.
    pub(crate) async fn stop(&self) -> usize {
        self.agent.lock().cancel();
        self.line.cut();
        self.tracker.close();
        let ended = timeout(crate::world::ENDING, self.tracker.wait()).await;
        ended.map_or(self.tracker.len(), |()| 0)
    }

    fn begin_another(&self) {
        let after = self.start();
        let before = std::mem::replace(&mut *self.agent.lock(), after);
        self.end(&before);
    }

    fn end(&self, agent: &CancellationToken) {
        agent.cancel();
        if self.all.lock().iter().all(CancellationToken::is_cancelled) {
            self.deeds.agentless();
        }
    }

    fn start(&self) -> CancellationToken {
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        self.all.lock().push(stop.clone());
        self.deeds.agent();
        let id = ClusterId::new(self.cluster).expect("a cluster's name");
        let (link_token, timings) = (token(self.cluster), Timings::default());
        let link =
            LinkConfig::new("ws://127.0.0.1:1", &link_token, None, id.clone(), timings).expect("a link");
        let config = AgentConfig::of_cluster(id).with_watch(self.watch).with_work_on(WorkOn::Runtime);
        let agent = Agent::start(config, self.client(), tracker.clone(), stop.clone());
        let (front, line) = (self.front.clone(), self.line.clone());
        let connect = move || std::future::ready(front.connect(&line));
        let linked = link::run_over(link, agent.router(), tracker.clone(), stop.clone(), connect);
        drop(tracker.spawn(linked));
        let stopped = stop.clone();
        drop(self.tracker.spawn(async move {
            stopped.cancelled().await;
            tracker.close();
            tracker.wait().await;
        }));
        stop
    }

    /// With the rights of the agent.
    fn client(&self) -> kube::Client {
        let with_token = |mut request: Request<kube::client::Body>| {
            let bearer = HeaderValue::try_from(format!("Bearer {AGENT_TOKEN}")).expect("a token in ASCII");
            request.headers_mut().insert(header::AUTHORIZATION, bearer);
            request
        };
        let service = ServiceBuilder::new().map_request(with_token).service(self.sim.service());
        kube::Client::new(service, "default")
    }
}

/// What the agent of a cluster shows the gateway.
pub(crate) fn token(cluster: &str) -> String {
    format!("the-token-of-the-agent-of-{cluster}")
}
