//! A gateway on free ports with simulated clusters and hand-made agents behind real links, each of which can be broken.

mod setup;

use std::collections::BTreeMap;
use std::time::Instant;

use kubeplex_agent::Agent;
use kubeplex_agent::config::AgentConfig;
use kubeplex_agent::link::{self, LinkConfig};
use kubeplex_agent::watch::WatchTimings;
use kubeplex_cli::client::{Access, Client};
use kubeplex_cli::hints;
use kubeplex_gateway::fleet::{ClusterView, LinkState};
use kubeplex_gateway::{Gateway, GatewayConfig};
use kubeplex_link::timings::Timings;
use kubeplex_proto::ids::{ClusterId, InstanceId};
use kubeplex_test_support::proxy::Proxy;
use kubeplex_tests::wait;
use serde_json::{Map, Value, json};
use simcluster::SimCluster;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Answer, panics};
use setup::Member;
pub(crate) use setup::{Setup, eager, small};

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

    /// The lines of the gateway's metrics that are of this name, without it.
    pub(crate) async fn metrics(&self, name: &str) -> Vec<String> {
        let url = format!("http://{}/metrics", self.gateway.addresses().admin);
        let metrics = reqwest::get(url).await.and_then(reqwest::Response::error_for_status);
        let text = metrics.expect("the metrics").text().await.expect("the metrics");
        text.lines().filter_map(|line| line.strip_prefix(name)).map(str::to_owned).collect()
    }

    /// The gateway ends, and another one starts at its address. Returns when the one was told to, and when the other listened.
    pub(crate) async fn restart_gateway(&mut self) -> (Instant, Instant) {
        let told = Instant::now();
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
        (told, Instant::now())
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
    /// The same with another connection.
    pub(crate) fn anew(&self) -> Self {
        Self(Client::with(self.0.endpoint().clone(), Access::default()).expect("a client"))
    }

    /// All pods on one page, with further arguments.
    pub(crate) async fn pods(&self, further: Value) -> Answer {
        self.try_pods(further).await.expect("the gateway answers")
    }

    /// The same, or why there was no answer.
    pub(crate) async fn try_pods(&self, further: Value) -> Result<Answer, String> {
        let arguments = whole_page(further).as_object().cloned().expect("arguments are an object");
        let exchange = self.0.call("pods_list", arguments, true).await;
        exchange.map(Answer::new).map_err(|error| error.to_string())
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
