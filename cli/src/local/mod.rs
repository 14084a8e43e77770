//! `kubeplex local`: the clusters of a kubeconfig, their agents in this process.

pub(crate) mod contexts;
mod naming;
mod provider;
mod start;
#[cfg(test)]
mod tests;
mod unite;

use std::process::ExitCode;
use std::sync::Arc;

use futures::StreamExt as _;
use kube::config::Kubeconfig;
use kubeplex_agent::access::credentials::CredentialTimings;
use kubeplex_gateway::GatewayConfig;
use kubeplex_gateway::config::{ConfiguredCaller, ExpectedCluster, TokenHash};
use kubeplex_proto::call::Identity;
use kubeplex_proto::visibility::{Reach, Visibility};

use crate::arguments::{Contexts, Listen, Local};
use crate::hints::Hints;
use crate::running::{Place, Token};
use crate::stand::Stand;
use crate::startup::Patience;
use contexts::LocalCluster;
use start::Starter;
use unite::Member;

/// How many clusters connect at the same time: credential plugins are processes, and a laptop has few cores.
const STARTING_AT_ONCE: usize = 8;

/// Who may ask the gateway.
pub(crate) enum Door<'t> {
    /// Everybody on this machine: clients are told nothing but an address.
    Open,
    /// Who shows this token.
    Token(&'t Token),
}

/// # Errors
/// When the kubeconfig can't be read, names no such context, or the gateway can't start.
pub async fn run(options: Local) -> anyhow::Result<ExitCode> {
    let read = contexts::read(options.contexts.kubeconfig.as_deref())?;
    let place = Place::of(&read.files, &options.contexts.context);
    let stand = start(read.kubeconfig, &options.contexts, &options.listen, Door::Open).await?;
    // For as long as it serves, `kubeplex stdio` finds it.
    let _announced = place.and_then(|place| place.announce(&stand.gateway, None));
    stand.serve(&options.listen, Patience::FOR_STRANGERS, Hints::FOR_STRANGERS).await
}

/// Starts a gateway that expects the contexts wanted (all where none is named), and an agent for each cluster that they are.
///
/// # Errors
/// When a context does not exist, or the gateway can't start.
pub(crate) async fn start(
    kubeconfig: Kubeconfig,
    wanted: &Contexts,
    listen: &Listen,
    door: Door<'_>,
) -> anyhow::Result<Stand> {
    let clusters = contexts::select(&kubeconfig, &wanted.context)?;
    let expect = |config: GatewayConfig, cluster: &LocalCluster| {
        let (id, labels) = (cluster.id.clone(), cluster.labels());
        config.with_cluster(ExpectedCluster { id, labels, token: None })
    };
    let config = clusters.iter().fold(door.of(GatewayConfig::default()), expect);
    let stand = Stand::start(config, listen).await?;
    let registry = stand.gateway.registry().clone();
    for cluster in &clusters {
        registry.name_also(&cluster.id, cluster.aliases());
    }
    let starter = Starter {
        kubeconfig: Arc::new(kubeconfig),
        timings: CredentialTimings { timeout: wanted.plugin_timeout(), ..CredentialTimings::default() },
        links: stand.gateway.links().clone(),
        tracker: stand.tracker.clone(),
    };
    let members: Vec<_> =
        clusters.into_iter().map(|cluster| Member::new(cluster, stand.stop.child_token())).collect();
    let starts: Vec<_> = members.iter().map(|member| (member.cluster.clone(), member.stop.clone())).collect();
    let stop = stand.stop.clone();
    drop(stand.tracker.spawn(async move {
        let turns = futures::stream::iter(starts).map(|(cluster, stop)| starter.clone().turn(cluster, stop));
        stop.run_until_cancelled(turns.for_each_concurrent(STARTING_AT_ONCE, |turn| turn)).await;
    }));
    let stop = stand.stop.clone();
    drop(stand.tracker.spawn(async move {
        stop.run_until_cancelled(unite::run(registry, members)).await;
    }));
    Ok(stand)
}

impl Door<'_> {
    fn of(self, config: GatewayConfig) -> GatewayConfig {
        match self {
            Self::Open => config,
            Self::Token(token) => config.with_caller(ConfiguredCaller {
                identity: Identity { user: "stdio".to_owned(), groups: Vec::new() },
                token: TokenHash::of(token.expose()),
                clusters: Reach::All,
                visibility: Visibility::everything(),
            }),
        }
    }
}
