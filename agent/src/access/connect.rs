//! Opens the client of an agent that is a process of its own.

use std::time::Duration;

use anyhow::Context as _;
use kube::{Client, Config};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::credentials::CredentialTimings;
use super::kubeconfig::{self, Places};
use super::{Context, Server};
use crate::config::ClusterAccess;

/// What somebody needs to read who starts an agent on a machine of their own.
const NOT_IN_A_POD: &str = "there is no service account of a pod here; outside of a pod, the agent's configuration has to \
                            say how to reach the cluster, as in:\n[kubernetes]\nkubeconfig = \"/path/to/kubeconfig\"\n\
                            context = \"the cluster's context in it\"";

/// Opens a client for the configured cluster, and says at which URL that is. What keeps its credentials fresh belongs to
/// `tracker`.
///
/// # Errors
/// Whatever is wrong with the kubeconfig, the service account, or the certificates they name.
pub async fn connect(
    access: &ClusterAccess,
    tracker: &TaskTracker,
    stop: &CancellationToken,
) -> anyhow::Result<(Client, String)> {
    match access {
        ClusterAccess::InCluster => {
            let config = tuned(Config::incluster().context(NOT_IN_A_POD)?);
            let url = config.cluster_url.to_string().trim_end_matches('/').to_owned();
            let client = Client::try_from(config);
            Ok((client.with_context(|| format!("no connection to {url} can be set up"))?, url))
        }
        ClusterAccess::Kubeconfig { file, context } => {
            let named = || match file {
                Some(file) => format!("the kubeconfig {} can't be used", file.display()),
                None => "the kubeconfig that kubectl would take can't be used".to_owned(),
            };
            let files = Places::of_environment().files(file.as_deref()).with_context(named)?;
            let kubeconfig = kubeconfig::read(&files).with_context(named)?;
            let context = Context::of(&kubeconfig, context.as_deref(), CredentialTimings::default()).await;
            let context = context.with_context(named)?;
            let Server { url, .. } = context.server();
            let (client, _) = context.client(tracker, stop).with_context(named)?;
            Ok((client, url))
        }
    }
}

/// The settings that the agent relies on, whoever made the rest of the configuration.
pub fn tuned(mut config: Config) -> Config {
    // The watch loop retries by itself, with what the server asks for; a second loop below it would hide that.
    config.default_retry = false;
    // A watch is silent for up to a minute, and each call has its own deadline.
    config.read_timeout = None;
    config.connect_timeout = Some(Duration::from_secs(10));
    config
}
