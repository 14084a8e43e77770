//! A gateway on free ports with simulated clusters and hand-made agents behind real links, each of which can be broken.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use kubeplex_agent::Agent;
use kubeplex_agent::config::{AgentConfig, LiveReads};
use kubeplex_agent::link::{self, LinkConfig};
use kubeplex_agent::watch::WatchTimings;
use kubeplex_cli::client::Client;
use kubeplex_cli::hints;
use kubeplex_gateway::config::{ExpectedCluster, TokenHash};
use kubeplex_gateway::fleet::{ClusterView, LinkState};
use kubeplex_gateway::limits::Limits;
use kubeplex_gateway::{Gateway, GatewayConfig};
use kubeplex_link::timings::Timings;
use kubeplex_proto::ids::{ClusterId, InstanceId};
use kubeplex_test_support::agent::HandMade;
use kubeplex_tests::wait;
use serde_json::{Map, Value, json};
use simcluster::{Fault, SimCluster, SimConfig};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Answer, panics};
use kubeplex_test_support::proxy::Proxy;

/// What a rig is made of.
pub(crate) struct Setup {
    limits: Limits,
    timings: Timings,
    watch: WatchTimings,
    live_reads: LiveReads,
    members: Vec<Member>,
}

enum Member {
    /// The cluster, and what is wrong with it from the start.
    Sim(Box<SimConfig>, Vec<Fault>),
    /// The cluster that it is the agent of, and the agent.
    HandMade(String, HandMade),
}

/// A running fleet.
pub(crate) struct Rig {
    pub(crate) gateway: Gateway,
    pub(crate) client: Client,
    sims: BTreeMap<String, SimCluster>,
    proxies: BTreeMap<String, Proxy>,
    /// The latest agent of each simulated cluster, and what stops its link.
    agents: BTreeMap<String, (Agent, CancellationToken)>,
    timings: Timings,
    watch: WatchTimings,
    config: GatewayConfig,
    gateway_tasks: TaskTracker,
    gateway_stop: CancellationToken,
    tracker: TaskTracker,
    stop: CancellationToken,
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

/// Links that notice silence within two seconds, and come back at once.
pub(crate) fn brisk() -> Timings {
    Timings {
        heartbeat: Duration::from_millis(200),
        suspect_after: Duration::from_secs(1),
        lost_after: Duration::from_secs(2),
        reconnect_max: Duration::from_millis(300),
        ..Timings::default()
    }
}

/// Watches that notice within seconds what takes minutes otherwise.
pub(crate) fn alert() -> WatchTimings {
    WatchTimings {
        nudge: Duration::from_millis(500),
        silence: Duration::from_secs(2),
        initial_silence: Duration::from_secs(2),
        open: Duration::from_secs(2),
        page: Duration::from_secs(2),
        retry_first: Duration::from_millis(50),
        retry_most: Duration::from_millis(400),
        settled_retry: Duration::from_millis(500),
        ..WatchTimings::default()
    }
}

impl Setup {
    /// Patient links, as a loaded machine needs them, and alert watches.
    pub(crate) fn new() -> Self {
        Self {
            limits: Limits::default(),
            timings: Timings::default(),
            watch: alert(),
            live_reads: LiveReads::default(),
            members: Vec::new(),
        }
    }

    pub(crate) fn timings(self, timings: Timings) -> Self {
        Self { timings, ..self }
    }

    pub(crate) fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
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
        let mut config = GatewayConfig::default().with_limits(self.limits).with_timings(self.timings);
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
            let watching =
                |agent: AgentConfig| agent.with_timings(self.watch).with_live_reads(self.live_reads);
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
    fn name(&self) -> &str {
        match self {
            Self::Sim(config, _) => &config.name,
            Self::HandMade(name, _) => name,
        }
    }
}

impl Rig {
    async fn join(
        &mut self,
        member: Member,
        timings: Timings,
        watching: impl Fn(AgentConfig) -> AgentConfig,
    ) {
        let name = member.name().to_owned();
        let id = ClusterId::new(&name).expect("a cluster id");
        let proxy = Proxy::to(self.gateway.addresses().listen).await;
        let url = format!("ws://{}", proxy.address);
        let link = LinkConfig::new(&url, &token(&name), None, id.clone(), timings).expect("a link");
        let stop = self.stop.child_token();
        let router = match member {
            Member::HandMade(_, agent) => agent.router(),
            Member::Sim(config, faults) => {
                let sim = SimCluster::new(*config);
                faults.into_iter().for_each(|fault| _ = sim.faults().add(fault));
                let client = kube::Client::new(sim.service(), "default");
                let config = watching(AgentConfig::of_cluster(id));
                self.sims.insert(name.clone(), sim);
                let agent = Agent::start(config, client, self.tracker.clone(), self.stop.clone());
                let router = agent.router();
                self.agents.insert(name.clone(), (agent, stop.clone()));
                router
            }
        };
        drop(self.tracker.spawn(link::run(link, router, self.tracker.clone(), stop)));
        self.proxies.insert(name, proxy);
    }

    /// Starts another agent of a simulated cluster beside the one that it has. Returns what stops the link of that one.
    pub(crate) fn start_beside(&mut self, name: &str) -> CancellationToken {
        let id = ClusterId::new(name).expect("a cluster id");
        let url = format!("ws://{}", self.proxy(name).address);
        let link = LinkConfig::new(&url, &token(name), None, id.clone(), self.timings).expect("a link");
        let (config, stop) = (AgentConfig::of_cluster(id).with_timings(self.watch), self.stop.child_token());
        let client = kube::Client::new(self.sim(name).service(), "default");
        let agent = Agent::start(config, client, self.tracker.clone(), self.stop.clone());
        drop(self.tracker.spawn(link::run(link, agent.router(), self.tracker.clone(), stop.clone())));
        let before = self.agents.insert(name.to_owned(), (agent, stop));
        before.expect("a simulated cluster").1
    }

    /// Waits until the latest agent of a simulated cluster has its whole cache.
    pub(crate) async fn settled(&self, name: &str) {
        wait::until(&format!("the agent of {name} to be ready"), async || {
            let report = self.agents[name].0.kinds().cluster();
            if report.ready { Ok(()) } else { Err(report) }
        })
        .await;
    }

    /// The process whose reports are known of a cluster.
    pub(crate) fn instance(&self, name: &str) -> InstanceId {
        let fleet = self.gateway.registry().snapshot();
        let view = fleet.clusters().iter().find(|view| view.id.as_str() == name).expect("a cluster");
        view.instance.clone().expect("a report")
    }

    /// Somebody who calls beside the rig.
    pub(crate) fn caller(&self) -> Caller {
        Caller(Client::new(hints::endpoint(self.gateway.addresses().listen)).expect("a client"))
    }

    pub(crate) fn sim(&self, name: &str) -> &SimCluster {
        &self.sims[name]
    }

    /// Between the gateway and the agent of `name`.
    pub(crate) fn proxy(&self, name: &str) -> &Proxy {
        &self.proxies[name]
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.gateway.registry().snapshot().clusters().iter().map(|view| view.id.to_string()).collect()
    }

    /// Waits until the cluster's view is as wanted.
    pub(crate) async fn until(&self, name: &str, what: &str, wanted: impl Fn(&ClusterView) -> bool) {
        wait::until(&format!("{name}: {what}"), async || {
            let fleet = self.gateway.registry().snapshot();
            let view = fleet.clusters().iter().find(|view| view.id.as_str() == name).expect("a cluster");
            if wanted(view) { Ok(()) } else { Err((view.link, view.report.clone())) }
        })
        .await;
    }

    pub(crate) async fn ready(&self, name: &str) {
        self.until(name, "linked and ready", |view| {
            view.link == LinkState::Connected && view.report.ready && view.report.api_problem.is_empty()
        })
        .await;
    }

    pub(crate) async fn lost(&self, name: &str) {
        self.until(name, "lost", |view| view.link == LinkState::Lost).await;
    }

    /// One tool call through MCP, with its trace.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Answer {
        let arguments: Map<_, _> = arguments.as_object().cloned().expect("arguments are an object");
        Answer::new(self.client.call(tool, arguments, true).await.expect("the gateway answers"))
    }

    /// All pods on one page, with further arguments.
    pub(crate) async fn pods(&self, further: Value) -> Answer {
        self.call("pods_list", whole_page(further)).await
    }

    /// Calls until the answer is as wanted.
    pub(crate) async fn pods_until(
        &self,
        what: &str,
        further: Value,
        wanted: impl Fn(&Answer) -> bool,
    ) -> Answer {
        wait::until(what, async || {
            let answer = self.pods(further.clone()).await;
            if wanted(&answer) { Ok(answer) } else { Err(answer) }
        })
        .await
    }

    /// The gateway ends, and another one starts at its address.
    pub(crate) async fn restart_gateway(&mut self) {
        let addresses = self.gateway.addresses();
        self.gateway_stop.cancel();
        self.gateway_tasks.close();
        self.gateway_tasks.wait().await;
        let config = self.config.clone().with_listen(addresses.listen).expect("loopback");
        (self.gateway_tasks, self.gateway_stop) = (TaskTracker::new(), CancellationToken::new());
        let started = Gateway::start(config, self.gateway_tasks.clone(), self.gateway_stop.clone()).await;
        self.gateway = started.expect("the address is free again");
        // The old one may still take a connection of the gateway before for a living one.
        self.client = Client::new(hints::endpoint(addresses.listen)).expect("a client");
    }

    /// Ends the fleet. The process lived, and nothing in it panicked.
    pub(crate) async fn stop(self) {
        let answer = self.call("clusters_list", json!({})).await;
        assert_eq!(answer.ok()["total"], self.names().len(), "the gateway still answers");
        panics::assert_none();
        for (tracker, stop) in [(self.gateway_tasks, self.gateway_stop), (self.tracker, self.stop)] {
            stop.cancel();
            tracker.close();
            let ended = tokio::time::timeout(wait::PATIENCE, tracker.wait()).await;
            assert!(ended.is_ok(), "{} tasks do not end", tracker.len());
        }
    }
}

/// Somebody with a connection of their own.
pub(crate) struct Caller(Client);

impl Caller {
    /// All pods on one page, with further arguments.
    pub(crate) async fn pods(&self, further: Value) -> Answer {
        let arguments = whole_page(further).as_object().cloned().expect("arguments are an object");
        Answer::new(self.0.call("pods_list", arguments, true).await.expect("the gateway answers"))
    }
}

/// Room for every row of a small fleet.
pub(crate) fn whole_page(further: Value) -> Value {
    let mut arguments = json!({"limit": 1000, "maxBytes": 4 << 20});
    let further = further.as_object().cloned().expect("arguments are an object");
    arguments.as_object_mut().expect("an object").extend(further);
    arguments
}

fn token(cluster: &str) -> String {
    format!("the-token-of-{cluster}")
}
