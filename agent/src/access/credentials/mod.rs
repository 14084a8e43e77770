//! Credentials that do not last: from a plugin that a kubeconfig names, or from a file that somebody rewrites.
//!
//! The library `kube` runs plugins where it is called, waits for them for ever, lets them ask at the terminal, and does not
//! ask again when the API server refuses what they gave. So it is not told of them. One task ([`keeper`]) obtains
//! credentials, one run at a time, and owns the plugin; requests ([`service`]) wait for the first one, are sent with the
//! latest, and once more with a new one when the API server says 401. A plugin that hangs or fails is an error of those
//! requests, told by its name, and nobody else's.

mod credential;
mod keeper;
mod plugin;
mod process;
mod service;
mod source;

use std::time::Duration;

use kube::Config;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use keeper::Credentials;
pub use plugin::PluginError;
pub(super) use source::Source;

use crate::limits::PLUGIN_TIMEOUT;

/// Why there is no credential.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CredentialError {
    #[error(transparent)]
    Plugin(#[from] PluginError),
    #[error("the token file {file} can't be used: {reason}")]
    TokenFile { file: String, reason: String },
    #[error("the credential can't be used for a connection: {0}")]
    Unusable(String),
    #[error("the agent is stopping")]
    Stopping,
}

/// How long is waited for what, and how often.
#[derive(Debug, Clone, Copy)]
pub struct CredentialTimings {
    /// A plugin that takes longer is ended.
    pub timeout: Duration,
    /// Requests wait so long for a plugin; then they are told that it has not answered yet.
    pub patience: Duration,
    /// Between two runs, after one that was of no use: a plugin is a process, and may open a browser.
    pub shortest_pause: Duration,
    pub longest_pause: Duration,
    /// A credential is renewed so long before it expires, or in the last tenth of its life where that is shorter.
    pub margin: Duration,
}

impl Default for CredentialTimings {
    fn default() -> Self {
        Self {
            timeout: PLUGIN_TIMEOUT,
            patience: Duration::from_secs(3),
            shortest_pause: Duration::from_secs(2),
            longest_pause: Duration::from_secs(60),
            margin: Duration::from_secs(60),
        }
    }
}

/// Starts to keep the credentials that `source` yields for the server of `config`, and makes a client of them.
pub(super) fn keep(
    config: Config,
    source: Source,
    timings: CredentialTimings,
    tracker: &TaskTracker,
    stop: &CancellationToken,
) -> (kube::Client, Credentials) {
    let namespace = config.default_namespace.clone();
    let credentials = Credentials::start(config, source, timings, tracker, stop);
    (service::client(credentials.clone(), namespace), credentials)
}
