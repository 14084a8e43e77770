//! A new configuration for a gateway that runs.
//!
//! What can change under running calls does: which clusters are expected, their labels and tokens, how agents are dialled, who
//! may call, and at what rates. The rest is kept as it was, and said key by key. Calls that run go on as they began.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use kubeplex_proto::ids::ClusterId;
use parking_lot::Mutex;

use crate::config::{DialledCluster, ExpectedCluster, GatewayConfig};
use crate::identify::Callers;
use crate::link::{Credentials, LinkEndpoint, Links};
use crate::pipeline::Pipeline;
use crate::registry::Registry;
use crate::throttle::{Strangers, Throttle};

/// What became of a new configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// Expected from now on.
    pub added: Vec<ClusterId>,
    /// Expected no more; their links are closed.
    pub removed: Vec<ClusterId>,
    /// Expected with other labels or another token, or dialled another way; with another token their links are closed, too.
    pub changed: Vec<ClusterId>,
    /// Keys whose new values wait for a restart.
    pub waiting: Vec<&'static str>,
}

/// A new configuration that is not taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReloadError {
    /// What a file says that was cut off before its first cluster, or is being written just now.
    #[error(
        "it names no cluster, and this gateway has {}: a file that is cut off says the same; to be left without \
         clusters, stop the gateway",
        expected
    )]
    NoClusters {
        /// How many are expected now.
        expected: usize,
    },
}

/// Everything that a new configuration reaches.
pub(crate) struct Reloader {
    pub(crate) current: Mutex<GatewayConfig>,
    pub(crate) registry: Registry,
    pub(crate) links: Links,
    pub(crate) endpoint: LinkEndpoint,
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) callers: Callers,
    pub(crate) throttle: Throttle,
    pub(crate) strangers: Strangers,
}

impl Reloader {
    /// One at a time.
    pub(crate) fn apply(&self, new: GatewayConfig) -> Result<Reloaded, ReloadError> {
        let mut current = self.current.lock();
        if new.clusters().is_empty() && !current.clusters().is_empty() {
            return Err(ReloadError::NoClusters { expected: current.clusters().len() });
        }
        let waiting = current.waiting_for_restart(&new);
        // First, so that nobody comes in by what is taken back.
        self.callers.replace(new.callers());
        self.endpoint.replace(Credentials::of(new.clusters()));
        let reloaded = Reloaded { waiting, ..self.clusters(current.clusters(), new.clusters()) };
        let reloaded = self.routes(current.dialled(), new.dialled(), reloaded);
        self.pipeline.set_rates(&new.limits().rates);
        self.throttle.set(new.limits());
        self.strangers.set(new.limits());
        *current = current.clone().with_reloadable(new);
        Ok(reloaded)
    }

    /// Clusters that are dialled otherwise than before, or no more.
    fn routes(&self, old: &[DialledCluster], new: &[DialledCluster], mut reloaded: Reloaded) -> Reloaded {
        for DialledCluster { id, .. } in old {
            if !new.iter().any(|cluster| cluster.id == *id) {
                self.links.hang_up(id);
            }
        }
        for cluster in new.iter().filter(|cluster| !old.contains(cluster)) {
            self.links.dial(cluster.id.clone(), cluster.route.clone());
            if !reloaded.added.contains(&cluster.id) && !reloaded.changed.contains(&cluster.id) {
                reloaded.changed.push(cluster.id.clone());
            }
        }
        reloaded
    }

    fn clusters(&self, old: &[ExpectedCluster], new: &[ExpectedCluster]) -> Reloaded {
        let mut left: HashMap<_, _> = old.iter().map(|cluster| (&cluster.id, cluster)).collect();
        let mut reloaded = Reloaded::default();
        for cluster in new {
            let before = left.remove(&cluster.id);
            if before == Some(cluster) {
                continue;
            }
            let list = if before.is_some() { &mut reloaded.changed } else { &mut reloaded.added };
            list.push(cluster.id.clone());
            self.registry.expect(cluster.id.clone(), cluster.labels.clone());
            // Whoever is linked by a token that is not believed any more has to show another.
            if before.is_some_and(|before| before.token != cluster.token) {
                self.registry.dismiss(&cluster.id);
            }
        }
        for id in left.into_keys() {
            self.registry.forget(id);
            self.pipeline.forget(id);
            reloaded.removed.push(id.clone());
        }
        reloaded.removed.sort();
        reloaded
    }
}

impl fmt::Display for Reloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("callers and rates are as configured now")?;
        for (what, clusters) in
            [("added", &self.added), ("removed", &self.removed), ("changed", &self.changed)]
        {
            let names: Vec<_> = clusters.iter().map(ClusterId::as_str).collect();
            if !names.is_empty() {
                write!(f, "; clusters {what}: {}", names.join(", "))?;
            }
        }
        Ok(())
    }
}
