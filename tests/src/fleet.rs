//! A gateway and its agents in this process, over simulated or real clusters, on free ports.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use kubeplex_cli::arguments::Listen;
use kubeplex_cli::client::{Client, Exchange};
use kubeplex_cli::hints;
use kubeplex_cli::linked::{LinkedAgents, LinkedCluster};
use kubeplex_cli::stand::Stand;
use kubeplex_cli::startup::ClusterState;
use kubeplex_gateway::GatewayConfig;
use kubeplex_gateway::limits::Limits;
use kubeplex_proto::ids::ClusterId;
use serde_json::{Map, Value, json};
use simcluster::{SimCluster, SimConfig};

use crate::rows::{self, Row};
use crate::server::Server;
use crate::wait;

/// As many bytes as an answer may have: what a comparison with everything takes.
pub const LARGEST_ANSWER: usize = 4 << 20;

/// As many rows as a page may have.
pub const LONGEST_PAGE: usize = 1_000;

/// What is known beforehand of what clusters hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contents {
    /// The project's own, simulated or seeded: quiet, and with something for every question.
    Seeded,
    /// Somebody's clusters in use: anything or nothing, and it changes.
    Foreign,
}

/// A running fleet.
pub struct TestFleet {
    pub stand: Stand,
    pub contents: Contents,
    /// The simulated API servers, by cluster name; empty over real ones.
    pub sims: BTreeMap<String, SimCluster>,
    /// The API servers themselves, by cluster name; empty where the fleet was made without them.
    pub servers: Vec<Server>,
    client: Client,
}

/// A cluster for [`TestFleet::linked`].
pub struct TestCluster {
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
        Self::simulated_under(Limits::default(), configs).await
    }

    /// As [`simulated`](Self::simulated), with a gateway that has other limits.
    pub async fn simulated_under(limits: Limits, configs: Vec<SimConfig>) -> Self {
        let (mut sims, mut clusters) = (BTreeMap::new(), Vec::new());
        for config in configs {
            let (name, labels) = (config.name.clone(), config.labels.clone());
            let sim = SimCluster::new(config);
            let client = || kube::Client::new(sim.service(), "default");
            let server = Server::new(&name, client());
            clusters.push(TestCluster { name: name.clone(), labels, agent: client(), server });
            sims.insert(name, sim);
        }
        Self { sims, ..Self::linked_under(limits, clusters, Contents::Seeded).await }
    }

    /// Clusters of any making; agents dial the gateway as over a network, and watch the built-in kinds.
    pub async fn linked(clusters: Vec<TestCluster>, contents: Contents) -> Self {
        Self::linked_under(Limits::default(), clusters, contents).await
    }

    async fn linked_under(limits: Limits, clusters: Vec<TestCluster>, contents: Contents) -> Self {
        let mut config = GatewayConfig::default().with_limits(limits);
        let (mut starting, mut servers) = (Vec::new(), Vec::new());
        for TestCluster { name, labels, agent, server } in clusters {
            let linked = LinkedCluster::new(id_of(&name), labels);
            config = config.with_cluster(linked.expected());
            starting.push((linked, agent));
            servers.push(server);
        }
        let stand = Stand::start(config, &free_ports()).await.expect("the gateway starts");
        let agents = LinkedAgents::of(&stand);
        for (cluster, client) in starting {
            agents.start(cluster, client).expect("its agent starts");
        }
        servers.sort_by(|a, b| a.name.cmp(&b.name));
        let client = Client::new(hints::endpoint(stand.gateway.addresses().listen)).expect("a client");
        Self { stand, contents, sims: BTreeMap::new(), servers, client }
    }

    /// Where MCP clients connect.
    pub fn endpoint(&self) -> String {
        hints::endpoint(self.stand.gateway.addresses().listen)
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
        arguments["limit"] = json!(LONGEST_PAGE);
        arguments["maxBytes"] = json!(LARGEST_ANSWER);
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
        self.stand.drain().await;
    }
}

fn id_of(name: &str) -> ClusterId {
    ClusterId::new(name).expect("a cluster's name")
}
