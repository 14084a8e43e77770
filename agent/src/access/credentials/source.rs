//! Where credentials come from.

use std::path::PathBuf;
use std::time::Duration;

use kube::config::AuthInfo;

use super::credential::Credential;
use super::plugin::{Plugin, PluginError};
use super::{CredentialError, CredentialTimings};

/// After so long a token file is read again, as kubectl does: whoever rewrites it does so before its token expires.
const FILE_LIFE: Duration = Duration::from_secs(60);

/// What yields credentials.
#[derive(Debug, Clone)]
pub(in crate::access) enum Source {
    Plugin(Plugin),
    TokenFile(PathBuf),
}

impl Source {
    /// Takes the source out of a kubeconfig's user; `None` where its credentials stand there themselves.
    ///
    /// # Errors
    /// When it names a plugin that can't be run.
    pub(in crate::access) fn take(
        user: &mut AuthInfo,
        timings: &CredentialTimings,
    ) -> Result<Option<Self>, PluginError> {
        let (exec, file) = (user.exec.take(), user.token_file.take());
        // What stands there itself comes first, as for kubectl.
        if user.token.is_some() || user.username.is_some() {
            return Ok(None);
        }
        if let Some(file) = file {
            return Ok(Some(Self::TokenFile(file.into())));
        }
        exec.map(|exec| Plugin::new(&exec, timings.timeout).map(Self::Plugin)).transpose()
    }

    /// What it says while it is waited for.
    pub(super) fn running(&self) -> CredentialError {
        match self {
            Self::Plugin(plugin) => PluginError::Running { name: plugin.name().to_owned() }.into(),
            Self::TokenFile(file) => CredentialError::TokenFile {
                file: file.display().to_string(),
                reason: "it has not been read yet".to_owned(),
            },
        }
    }

    /// How long what it gave may be used at most.
    pub(super) fn life(&self) -> Option<Duration> {
        match self {
            Self::Plugin(_) => None,
            Self::TokenFile(_) => Some(FILE_LIFE),
        }
    }

    pub(super) async fn obtain(&self) -> Result<Credential, CredentialError> {
        match self {
            Self::Plugin(plugin) => Ok(plugin.run().await?),
            Self::TokenFile(file) => {
                let failed =
                    |reason: String| CredentialError::TokenFile { file: file.display().to_string(), reason };
                let text =
                    tokio::fs::read_to_string(file).await.map_err(|error| failed(error.to_string()))?;
                // Most editors end a file with a new line, which is no part of the token.
                Credential::of_token(text.trim()).map_err(|reason| failed(reason.to_string()))
            }
        }
    }
}
