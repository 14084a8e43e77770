//! One context of a kubeconfig, as kubectl understands it.

use kube::Config;
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kubeplex_link::reason;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::credentials::{self, CredentialTimings, Credentials, PluginError, Source};
use super::{proxy, tuned};

/// A context whose server and user are known, before any connection.
#[derive(Debug, Clone)]
pub struct Context {
    config: Config,
    source: Option<Source>,
    timings: CredentialTimings,
}

/// Where a context leads: two contexts with one server lead to the same place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Server {
    /// Without a slash at the end.
    pub url: String,
    /// What stands before it.
    pub proxy: Option<String>,
    /// The name that its certificate must have, where it is not that of the URL. A front end may choose the server by it.
    pub tls_server_name: Option<String>,
}

/// Why a context can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    #[error("{}", reason(.0))]
    Kubeconfig(Box<KubeconfigError>),
    #[error("{0}")]
    Proxy(String),
    #[error(
        "it names an authority and turns the check of certificates off (insecure-skip-tls-verify); kubectl takes one or the \
         other"
    )]
    CheckedAndUnchecked,
    #[error("kubectl does not know auth-provider {0} any more; use its credential plugin (exec)")]
    AuthProvider(String),
    #[error(transparent)]
    Plugin(#[from] PluginError),
    #[error("setting up the connection: {0}")]
    Client(String),
}

impl Context {
    /// Takes the context `name` out of a kubeconfig; its current one where none is named.
    ///
    /// # Errors
    /// What is wrong with it, certificates that can't be read included.
    pub async fn of(
        kubeconfig: &Kubeconfig,
        name: Option<&str>,
        timings: CredentialTimings,
    ) -> Result<Self, ContextError> {
        let options = KubeConfigOptions { context: name.map(str::to_owned), ..KubeConfigOptions::default() };
        let named_proxy = take_proxy(kubeconfig, name);
        let (kubeconfig, proxy_url) = named_proxy;
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
        let mut config = tuned(config.map_err(|error| ContextError::Kubeconfig(Box::new(error)))?);
        config.proxy_url = proxy::of(proxy_url.as_deref(), &config.cluster_url, &proxy::environment())
            .map_err(ContextError::Proxy)?;
        if config.accept_invalid_certs && config.root_cert.is_some() {
            return Err(ContextError::CheckedAndUnchecked);
        }
        refuse_gone_providers(&config.auth_info)?;
        let source = Source::take(&mut config.auth_info, &timings)?;
        Ok(Self { config, source, timings })
    }

    pub fn server(&self) -> Server {
        Server {
            url: self.config.cluster_url.to_string().trim_end_matches('/').to_owned(),
            proxy: self.config.proxy_url.as_ref().map(ToString::to_string),
            tls_server_name: self.config.tls_server_name.clone(),
        }
    }

    /// Whether anybody may answer in the server's place: nobody checks its certificate.
    pub fn is_unchecked(&self) -> bool {
        self.config.accept_invalid_certs
    }

    /// What the connection is made of, without the credentials that do not last.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// A client with the rights of the context, and its credentials where they do not last. Their task belongs to `tracker`.
    ///
    /// # Errors
    /// When certificates or keys are no use.
    pub fn client(
        self,
        tracker: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<(kube::Client, Option<Credentials>), ContextError> {
        let unusable = |error: kube::Error| ContextError::Client(reason(&error));
        match self.source {
            None => Ok((kube::Client::try_from(self.config).map_err(unusable)?, None)),
            Some(source) => {
                let (client, credentials) =
                    credentials::keep(self.config, source, self.timings, tracker, stop);
                Ok((client, Some(credentials)))
            }
        }
    }
}

/// The kubeconfig without the proxy of the context's cluster, and that proxy: the library must not make its own of it.
fn take_proxy(kubeconfig: &Kubeconfig, name: Option<&str>) -> (Kubeconfig, Option<String>) {
    let mut kubeconfig = kubeconfig.clone();
    let name = name.or(kubeconfig.current_context.as_deref());
    let context = kubeconfig.contexts.iter().find(|context| Some(context.name.as_str()) == name);
    let cluster = context.and_then(|context| context.context.as_ref()).map(|context| context.cluster.clone());
    let found = kubeconfig.clusters.iter_mut().find(|known| Some(&known.name) == cluster.as_ref());
    let proxy = found.and_then(|found| found.cluster.as_mut()).and_then(|cluster| cluster.proxy_url.take());
    (kubeconfig, proxy)
}

/// The library would run a command for some of them, and wait for it.
fn refuse_gone_providers(user: &AuthInfo) -> Result<(), ContextError> {
    match &user.auth_provider {
        Some(provider) if provider.name != "oidc" => Err(ContextError::AuthProvider(provider.name.clone())),
        _ => Ok(()),
    }
}
