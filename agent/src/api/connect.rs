//! Builds the client that [`Api`](super::Api) works on.

use std::time::Duration;

use anyhow::Context;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::config::ClusterAccess;

/// What somebody needs to read who starts an agent on a machine of their own.
const NOT_IN_A_POD: &str = "there is no service account of a pod here; outside of a pod, the agent's configuration has to \
                            say how to reach the cluster, as in:\n[kubernetes]\nkubeconfig = \"/path/to/kubeconfig\"\n\
                            context = \"the cluster's context in it\"";

/// Opens a client for the configured cluster, and says at which URL that is.
///
/// # Errors
/// Whatever is wrong with the kubeconfig, the service account, or the certificates they name.
pub async fn connect(access: &ClusterAccess) -> anyhow::Result<(Client, String)> {
    let config = match access {
        ClusterAccess::InCluster => Config::incluster().context(NOT_IN_A_POD)?,
        ClusterAccess::Kubeconfig { file, context } => {
            let options = KubeConfigOptions { context: context.clone(), ..KubeConfigOptions::default() };
            let named = || match file {
                Some(file) => format!("the kubeconfig {} can't be used", file.display()),
                None => "the kubeconfig that kubectl would take can't be used".to_owned(),
            };
            let kubeconfig = match file {
                Some(file) => Kubeconfig::read_from(file),
                None => Kubeconfig::read(),
            };
            Config::from_custom_kubeconfig(kubeconfig.with_context(named)?, &options)
                .await
                .with_context(named)?
        }
    };
    let url = config.cluster_url.to_string().trim_end_matches('/').to_owned();
    Ok((
        Client::try_from(tuned(config)).with_context(|| format!("no connection to {url} can be set up"))?,
        url,
    ))
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
