//! Builds the client that [`Api`](super::Api) works on.

use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::config::ClusterAccess;

/// Opens a client for the configured cluster.
///
/// # Errors
/// Whatever is wrong with the kubeconfig, the service account, or the certificates they name.
pub async fn connect(access: &ClusterAccess) -> anyhow::Result<Client> {
    let config = match access {
        ClusterAccess::InCluster => Config::incluster()?,
        ClusterAccess::Kubeconfig { file, context } => {
            let options = KubeConfigOptions { context: context.clone(), ..KubeConfigOptions::default() };
            match file {
                Some(file) => Config::from_custom_kubeconfig(Kubeconfig::read_from(file)?, &options).await?,
                None => Config::from_kubeconfig(&options).await?,
            }
        }
    };
    Ok(Client::try_from(tuned(config))?)
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
