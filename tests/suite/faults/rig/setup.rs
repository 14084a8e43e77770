//! What a rig is made of, and how it is started.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use kubeplex_agent::config::{AgentConfig, LiveReads, WatchMode};
use kubeplex_agent::watch::WatchTimings;
use kubeplex_cli::client::Client;
use kubeplex_cli::hints;
use kubeplex_gateway::config::{ExpectedCluster, TokenHash};
use kubeplex_gateway::limits::Limits;
use kubeplex_gateway::{Gateway, GatewayConfig};
use kubeplex_link::timings::Timings;
use kubeplex_proto::ids::ClusterId;
use kubeplex_test_support::agent::HandMade;
use kubeplex_tests::quick;
use simcluster::{Fault, SimConfig};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::super::panics;
use super::{Rig, token};

/// What a rig is made of.
pub(crate) struct Setup {
    gateway: GatewayConfig,
    limits: Limits,
    timings: Timings,
    watch: WatchTimings,
    watched: WatchMode,
    live_reads: LiveReads,
    members: Vec<Member>,
}

pub(super) enum Member {
    /// The cluster, and what is wrong with it from the start.
    Sim(Box<SimConfig>, Vec<Fault>),
    /// The cluster that it is the agent of, and the agent.
    HandMade(String, HandMade),
}

/// A small cluster of the company, with bookmarks often enough that silence means something, once its watches are nudged.
pub(crate) fn small(name: &str, seed: u64) -> SimConfig {
    SimConfig {
        pods: 40,
        nodes: 3,
        bookmark_period: Duration::from_millis(300),
        ..SimConfig::named(name, seed)
    }
}

/// Links that come back at once, and are patient otherwise.
pub(crate) fn eager() -> Timings {
    Timings { reconnect_max: Duration::from_millis(300), ..Timings::default() }
}

impl Setup {
    /// Patient links and watches: on a loaded machine everything may be silent for seconds.
    pub(crate) fn new() -> Self {
        Self {
            gateway: GatewayConfig::default(),
            limits: Limits::default(),
            timings: Timings::default(),
            watch: WatchTimings::default(),
            watched: WatchMode::Builtin,
            live_reads: LiveReads::default(),
            members: Vec::new(),
        }
    }

    pub(crate) fn timings(self, timings: Timings) -> Self {
        Self { timings, ..self }
    }

    /// Watches that notice within seconds what takes minutes otherwise, for tests in which they have something to notice.
    pub(crate) fn alert(self) -> Self {
        let watch = WatchTimings { settled_retry: Duration::from_millis(500), ..quick::alert() };
        Self { watch, ..self }
    }

    pub(crate) fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// With what else the gateway's configuration says.
    pub(crate) fn gateway(self, gateway: GatewayConfig) -> Self {
        Self { gateway, ..self }
    }

    /// Agents watch what they are asked for: there may be many of them.
    pub(crate) fn on_demand(self) -> Self {
        Self { watched: WatchMode::OnDemand, ..self }
    }

    pub(crate) fn live_reads(self, live_reads: LiveReads) -> Self {
        Self { live_reads, ..self }
    }

    pub(crate) fn sim(self, config: SimConfig) -> Self {
        self.broken_sim(config, Vec::new())
    }

    /// A cluster whose API server has these faults when its agent starts.
    pub(crate) fn broken_sim(mut self, config: SimConfig, faults: Vec<Fault>) -> Self {
        self.members.push(Member::Sim(Box::new(config), faults));
        self
    }

    /// An agent that shows the token of `cluster`.
    pub(crate) fn hand_made(mut self, cluster: &str, agent: &HandMade) -> Self {
        self.members.push(Member::HandMade(cluster.to_owned(), agent.clone()));
        self
    }

    /// Starts everything, and waits for nothing.
    pub(crate) async fn start(self) -> Rig {
        panics::remember();
        let mut config = self.gateway.with_limits(self.limits).with_timings(self.timings);
        for member in &self.members {
            let id = ClusterId::new(member.name()).expect("a cluster id");
            let labels = BTreeMap::from([("member".to_owned(), member.name().to_owned())]);
            config = config.with_cluster(ExpectedCluster {
                id,
                labels,
                token: Some(TokenHash::of(&token(member.name()))),
            });
        }
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let config = config.with_listen(any).and_then(|config| config.with_admin(any)).expect("loopback");
        let (gateway_tasks, gateway_stop) = (TaskTracker::new(), CancellationToken::new());
        let gateway = Gateway::start(config.clone(), gateway_tasks.clone(), gateway_stop.clone()).await;
        let gateway = gateway.expect("the gateway starts");
        let client = Client::new(hints::endpoint(gateway.addresses().listen)).expect("a client");
        let mut rig = Rig {
            gateway,
            client,
            sims: BTreeMap::new(),
            proxies: BTreeMap::new(),
            agents: BTreeMap::new(),
            timings: self.timings,
            watch: self.watch,
            config,
            gateway_tasks,
            gateway_stop,
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
        };
        for member in self.members {
            let watching = |agent: AgentConfig| {
                let agent = agent.with_timings(self.watch).with_watch(self.watched);
                agent.with_live_reads(self.live_reads)
            };
            rig.join(member, self.timings, watching).await;
        }
        rig
    }

    /// Starts everything, and waits until every cluster is linked and ready.
    pub(crate) async fn ready(self) -> Rig {
        let rig = self.start().await;
        for name in rig.names() {
            rig.ready(&name).await;
        }
        rig
    }
}

impl Member {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Sim(config, _) => &config.name,
            Self::HandMade(name, _) => name,
        }
    }
}
