//! A gateway on free ports with agents of this process.

use std::collections::BTreeMap;
use std::time::Duration;

use kubeplex_gateway::config::{ExpectedCluster, GatewayConfig};
use kubeplex_gateway::fleet::{ClusterView, LinkState};
use kubeplex_gateway::limits::Limits;
use kubeplex_gateway::{Addresses, Gateway};
use kubeplex_proto::ids::ClusterId;
use kubeplex_test_support::agent::{Behaviour, HandMade};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::client::Client;

/// Longer than anything here takes on the slowest machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct World {
    pub(crate) gateway: Gateway,
    pub(crate) stop: CancellationToken,
    pub(crate) tracker: TaskTracker,
    /// In the order in which the clusters were given.
    pub(crate) agents: Vec<HandMade>,
}

impl World {
    pub(crate) async fn of(clusters: &[(&str, Behaviour)]) -> Self {
        Self::with(clusters, Limits::default()).await
    }

    pub(crate) async fn with(clusters: &[(&str, Behaviour)], limits: Limits) -> Self {
        Self::of_config(loopback().with_limits(limits), clusters).await
    }

    /// Whatever else `config` says, these are its clusters.
    pub(crate) async fn of_config(mut config: GatewayConfig, clusters: &[(&str, Behaviour)]) -> Self {
        for (name, _) in clusters {
            config = config.with_cluster(expected(name));
        }
        let world = Self::empty(config).await;
        let mut agents = Vec::new();
        for (name, behaviour) in clusters {
            let agent = HandMade::of(name, *behaviour);
            world.gateway.links().attach_in_process(ClusterId::new(name).unwrap(), agent.router());
            agents.push(agent);
        }
        world.until_all_reported().await;
        Self { agents, ..world }
    }

    pub(crate) async fn empty(config: GatewayConfig) -> Self {
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let gateway = Gateway::start(config, tracker.clone(), stop.clone()).await.unwrap();
        Self { gateway, stop, tracker, agents: Vec::new() }
    }

    pub(crate) async fn until_all_reported(&self) {
        let registry = self.gateway.registry();
        let mut changes = registry.changes();
        let reported = async {
            loop {
                let fleet = registry.snapshot();
                let known =
                    |cluster: &ClusterView| cluster.link == LinkState::Connected && cluster.kinds.is_some();
                if fleet.clusters().iter().all(|cluster| known(cluster)) {
                    return;
                }
                changes.changed().await.unwrap();
            }
        };
        assert!(timeout(PATIENCE, reported).await.is_ok(), "never: all agents reported");
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.addresses())
    }

    pub(crate) fn addresses(&self) -> Addresses {
        self.gateway.addresses()
    }
}

/// Ports of the system's choice.
pub(crate) fn loopback() -> GatewayConfig {
    let free = "127.0.0.1:0".parse().unwrap();
    GatewayConfig::default().with_listen(free).unwrap().with_admin(free).unwrap()
}

pub(crate) fn expected(name: &str) -> ExpectedCluster {
    let labels = BTreeMap::from([("stage".to_owned(), "test".to_owned())]);
    ExpectedCluster { id: ClusterId::new(name).unwrap(), labels, token: None }
}
