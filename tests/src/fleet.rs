//! A gateway and its agents in this process, over simulated or real clusters, on free ports.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use kube::config::Kubeconfig;
use kubeplex_cli::arguments::Listen;
use kubeplex_cli::client::{Client, Exchange};
use kubeplex_cli::demo::DemoCluster;
use kubeplex_cli::stand::Stand;
use kubeplex_cli::startup::ClusterState;
use kubeplex_cli::{clients, demo, local};
use serde_json::{Map, Value};
use simcluster::{SimCluster, SimConfig};

use crate::wait;

/// A running fleet.
pub struct TestFleet {
    pub stand: Stand,
    /// The simulated API servers, by cluster name; empty over real ones.
    pub sims: BTreeMap<String, SimCluster>,
    client: Client,
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

    fn over(stand: Stand, sims: BTreeMap<String, SimCluster>) -> Self {
        let client = Client::new(clients::endpoint(stand.gateway.addresses().listen)).expect("a client");
        Self { stand, sims, client }
    }

    /// Waits until every cluster is ready.
    pub async fn ready(self) -> Self {
        wait::until("all clusters to be ready", async || {
            let fleet = self.stand.gateway.registry().snapshot();
            let states: Vec<_> =
                fleet.clusters().iter().map(|view| (view.id.to_string(), ClusterState::of(view))).collect();
            let ready = states.iter().all(|(_, state)| matches!(state, ClusterState::Ready { .. }));
            if ready { Ok(()) } else { Err(states) }
        })
        .await;
        self
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
