//! A gateway and its agents in this process, over simulated or real clusters, on free ports.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use kube::config::Kubeconfig;
use kubeplex_agent::Agent;
use kubeplex_agent::config::AgentConfig;
use kubeplex_agent::link::{self, LinkConfig};
use kubeplex_cli::arguments::Listen;
use kubeplex_cli::client::{Client, Exchange};
use kubeplex_cli::demo::DemoCluster;
use kubeplex_cli::stand::Stand;
use kubeplex_cli::startup::ClusterState;
use kubeplex_cli::{clients, demo, local};
use kubeplex_gateway::GatewayConfig;
use kubeplex_gateway::config::{ExpectedCluster, TokenHash};
use kubeplex_link::timings::Timings;
use kubeplex_proto::ids::ClusterId;
use serde_json::{Map, Value, json};
use simcluster::{SimCluster, SimConfig};

use crate::rows::{self, Row};
use crate::server::Server;
use crate::wait;

/// As much as an answer may hold: what a comparison with everything takes.
const EVERYTHING: (u64, u64) = (1_000, 4 << 20);

/// A running fleet.
pub struct TestFleet {
    pub stand: Stand,
    /// The simulated API servers, by cluster name; empty over real ones.
    pub sims: BTreeMap<String, SimCluster>,
    /// The API servers themselves, by cluster name; empty where the fleet was made without them.
    pub servers: Vec<Server>,
    client: Client,
}

/// A cluster for [`TestFleet::linked`].
pub struct LinkedCluster {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    /// What the agent reaches the cluster with.
    pub agent: kube::Client,
    /// The administrator, for comparisons.
    pub server: Server,
}

/// Ports are the system's choice.
pub fn free_ports() -> Listen {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    Listen { listen: any, admin: any, json: true }
}

impl TestFleet {
    /// Simulated clusters with the names and configurations given; agents dial the gateway as over a network.
    pub async fn simulated(configs: Vec<SimConfig>) -> Self {
        let clusters: Vec<_> = configs
            .into_iter()
            .map(|config| DemoCluster { name: config.name.clone(), labels: config.labels.clone(), config })
            .collect();
        let sims: BTreeMap<_, _> = clusters
            .iter()
            .map(|cluster| (cluster.name.clone(), SimCluster::new(cluster.config.clone())))
            .collect();
        let stand =
            demo::start_with(clusters, sims.clone(), None, &free_ports()).await.expect("the fleet starts");
        Self::over(stand, sims)
    }

    /// Contexts of a kubeconfig, agents in process, as `kubeplex local` runs them.
    pub async fn local(kubeconfig: Kubeconfig, contexts: &[String]) -> Self {
        let stand = local::start(kubeconfig, contexts, &free_ports()).await.expect("the fleet starts");
        Self::over(stand, BTreeMap::new())
    }

    /// Clusters of any making; agents dial the gateway as over a network, and watch the built-in kinds.
    pub async fn linked(clusters: Vec<LinkedCluster>) -> Self {
        let token = |name: &str| format!("token-of-{name}");
        let expect = |config: GatewayConfig, cluster: &LinkedCluster| {
            config.with_cluster(ExpectedCluster {
                id: id_of(&cluster.name),
                labels: cluster.labels.clone(),
                token: Some(TokenHash::of(&token(&cluster.name))),
            })
        };
        let config = clusters.iter().fold(GatewayConfig::default(), expect);
        let stand = Stand::start(config, &free_ports()).await.expect("the gateway starts");
        let mut servers = Vec::new();
        for LinkedCluster { name, agent, server, .. } in clusters {
            let (tracker, stop) = (stand.tracker.clone(), stand.stop.clone());
            let config = AgentConfig::of_cluster(id_of(&name));
            let agent = Agent::start(config, agent, tracker.clone(), stop.clone());
            let gateway = format!("ws://{}", stand.gateway.addresses().listen);
            let dial = LinkConfig::new(&gateway, &token(&name), None, id_of(&name), Timings::default());
            let dial = dial.expect("the link's configuration");
            drop(tracker.clone().spawn(link::run(dial, agent.router(), tracker, stop)));
            servers.push(server);
        }
        servers.sort_by(|a, b| a.name.cmp(&b.name));
        Self { servers, ..Self::over(stand, BTreeMap::new()) }
    }

    fn over(stand: Stand, sims: BTreeMap<String, SimCluster>) -> Self {
        let client = Client::new(clients::endpoint(stand.gateway.addresses().listen)).expect("a client");
        let server = |(name, sim): (&String, &SimCluster)| {
            Server::new(name, kube::Client::new(sim.service(), "default"))
        };
        let servers = sims.iter().map(server).collect();
        Self { stand, sims, servers, client }
    }

    /// Where MCP clients connect.
    pub fn endpoint(&self) -> String {
        clients::endpoint(self.stand.gateway.addresses().listen)
    }

    /// The API server of a cluster.
    ///
    /// # Panics
    /// When there is none of that name.
    pub fn server(&self, cluster: &str) -> &Server {
        let found = self.servers.iter().find(|server| server.name == cluster);
        found.unwrap_or_else(|| panic!("no cluster {cluster}"))
    }

    /// Waits until every cluster is ready.
    pub async fn ready(self) -> Self {
        self.settle().await;
        self
    }

    /// As [`ready`](Self::ready), for a fleet that is kept.
    pub async fn settle(&self) {
        wait::until("all clusters to be ready", async || {
            let fleet = self.stand.gateway.registry().snapshot();
            let states: Vec<_> =
                fleet.clusters().iter().map(|view| (view.id.to_string(), ClusterState::of(view))).collect();
            let ready = states.iter().all(|(_, state)| matches!(state, ClusterState::Ready { .. }));
            if ready { Ok(()) } else { Err(states) }
        })
        .await;
    }

    /// One tool call through MCP.
    pub async fn exchange(&self, tool: &str, arguments: Value) -> Exchange {
        let arguments: Map<_, _> = arguments.as_object().cloned().expect("arguments are an object");
        self.client.call(tool, arguments, false).await.expect("the gateway answers")
    }

    /// The structured result of a call that should succeed.
    ///
    /// # Panics
    /// With the error, when it does not.
    pub async fn call(&self, tool: &str, arguments: Value) -> Value {
        let exchange = self.exchange(tool, arguments.clone()).await;
        exchange.structured().unwrap_or_else(|error| panic!("{tool} {arguments}: {error}")).clone()
    }

    /// All rows that match, over as many pages as it takes.
    ///
    /// # Panics
    /// When an answer is partial: a comparison with it would mean nothing.
    pub async fn rows(&self, tool: &str, arguments: Value) -> Vec<Row> {
        let mut arguments = arguments;
        arguments["limit"] = json!(EVERYTHING.0);
        arguments["maxBytes"] = json!(EVERYTHING.1);
        self.pages(tool, arguments).await.iter().flat_map(rows::of).collect()
    }

    /// The pages of a listing, from the first to the last.
    ///
    /// # Panics
    /// When an answer is partial.
    pub async fn pages(&self, tool: &str, arguments: Value) -> Vec<Value> {
        let mut arguments = arguments;
        let mut pages = Vec::new();
        loop {
            let page = self.call(tool, arguments.clone()).await;
            assert!(page.get("partial").is_none(), "{tool} {arguments} is partial: {}", page["clusters"]);
            let next = page.get("continue").cloned();
            pages.push(page);
            match next {
                Some(next) => arguments["continue"] = next,
                None => return pages,
            }
        }
    }

    /// The error of a call that should fail.
    ///
    /// # Panics
    /// With the answer, when it does not.
    pub async fn refused(&self, tool: &str, arguments: Value) -> Value {
        let exchange = self.exchange(tool, arguments.clone()).await;
        match exchange.structured() {
            Ok(answer) => panic!("{tool} {arguments} should fail, and answered {answer}"),
            Err(error) => error.clone(),
        }
    }

    /// Ends the fleet and everything in it.
    pub async fn stop(self) {
        self.stand.drain(true).await;
    }
}

fn id_of(name: &str) -> ClusterId {
    ClusterId::new(name).expect("a cluster's name")
}
