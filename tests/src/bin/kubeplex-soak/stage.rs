//! The whole: a gateway, and clusters with their agents.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use kubeplex_gateway::config::TokenHash;
use kubeplex_gateway::limits::Limits;
use kubeplex_gateway::{Gateway, GatewayConfig};
use kubeplex_tests::quick::brisk;
use kubeplex_tests::wait;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cluster::{self, Cluster};
use crate::people;

const CLUSTERS: [&str; 3] = ["alpha", "bravo", "charlie"];

/// Bytes of answers that the gateway keeps: few, so that it has soon what it may have, and their coming and going hides nothing.
const KEPT: u64 = 512 << 10;

/// As many violations are told; the first says most.
const TOLD: usize = 20;

/// Everything in a soak. Clones are the same.
#[derive(Clone)]
pub(crate) struct Stage(Arc<Parts>);

struct Parts {
    gateway: Gateway,
    clusters: Vec<Cluster>,
    violations: Mutex<Vec<String>>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Stage {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let gateway = Gateway::start(config()?, tracker.clone(), stop.clone()).await?;
        let mut clusters = Vec::new();
        for name in CLUSTERS {
            clusters.push(Cluster::start(name, gateway.addresses().listen).await);
        }
        let violations = Mutex::default();
        Ok(Self(Arc::new(Parts { gateway, clusters, violations, tracker, stop })))
    }

    pub(crate) fn gateway(&self) -> &Gateway {
        &self.0.gateway
    }

    pub(crate) fn clusters(&self) -> &[Cluster] {
        &self.0.clusters
    }

    /// Bytes of the heap that the checker needs to know what was true: they grow until as much is forgotten as is noted.
    pub(crate) fn noted(&self) -> usize {
        self.clusters().iter().map(|cluster| cluster.truth.bytes()).sum()
    }

    /// Something that must never happen did.
    pub(crate) fn violated(&self, what: impl std::fmt::Display) {
        let mut violations = self.0.violations.lock();
        if violations.len() < TOLD {
            violations.push(what.to_string());
        }
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.0.violations.lock().clone()
    }

    /// Ends everything, and says all that was violated.
    pub(crate) async fn end(self) -> Vec<String> {
        let Some(parts) = Arc::into_inner(self.0) else { return vec!["somebody still asks".to_owned()] };
        parts.stop.cancel();
        parts.tracker.close();
        let mut violations = parts.violations.into_inner();
        let ended = async {
            parts.tracker.wait().await;
            for cluster in parts.clusters {
                cluster.end().await;
            }
        };
        if tokio::time::timeout(wait::PATIENCE, ended).await.is_err() {
            violations
                .push(format!("not everything ends; {} tasks of the gateway are left", parts.tracker.len()));
        }
        violations
    }
}

fn config() -> anyhow::Result<GatewayConfig> {
    let mut text = String::new();
    for cluster in CLUSTERS {
        let hash = TokenHash::of(&cluster::token(cluster));
        text += &format!("[[cluster]]\nname = \"{cluster}\"\ntoken_sha256 = \"{hash}\"\n");
    }
    text.extend(people::ALL.iter().map(people::Person::section));
    let limits = Limits {
        result_cache_bytes: KEPT,
        // Sessions and connections come and go within a round.
        connection_idle: Duration::from_secs(5),
        ..Limits::default()
    };
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = GatewayConfig::from_toml(&text).context("the configuration of the soak")?;
    Ok(config.with_limits(limits).with_timings(brisk()).with_listen(any)?.with_admin(any)?)
}
