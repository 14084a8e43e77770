//! What a link needs to know, checked before anything is dialled.

use std::path::Path;

use kubeplex_link::credential::{Credential, InvalidToken, Token};
use kubeplex_link::dial::Route;
use kubeplex_link::proxy::{Proxies, ProxyUrl};
use kubeplex_link::timings::Timings;
use kubeplex_link::trust::{Trust, TrustError};
use kubeplex_link::url::{GatewayUrl, InvalidUrl};
use kubeplex_proto::ids::ClusterId;

/// Where to dial, and as whom.
#[derive(Clone)]
pub struct LinkConfig {
    pub(super) route: Route,
    pub(super) cluster: ClusterId,
    pub(super) timings: Timings,
}

/// Why a link can't be configured so.
#[derive(Debug, thiserror::Error)]
pub enum InvalidLink {
    #[error("the gateway's url")]
    Url(#[from] InvalidUrl),
    #[error("the token for the gateway")]
    Token(#[from] InvalidToken),
    #[error("the authorities for the gateway's certificate")]
    Trust(#[from] TrustError),
}

impl LinkConfig {
    /// A link of `cluster` to the gateway at `url` (`wss://…`, or `ws://` to this machine). `ca_file` replaces the
    /// machine's own authorities. How often to beat, and how long to bear silence, `timings` says only until the gateway does.
    ///
    /// # Errors
    /// [`InvalidLink`] for whichever of them is wrong.
    pub fn new(
        url: &str,
        token: &str,
        ca_file: Option<&Path>,
        cluster: ClusterId,
        timings: Timings,
    ) -> Result<Self, InvalidLink> {
        Self::showing(Token::new(token)?.into(), url, ca_file, cluster, timings)
    }

    /// The same, showing the token that there is when the gateway is dialled.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn showing(
        credential: Credential,
        url: &str,
        ca_file: Option<&Path>,
        cluster: ClusterId,
        timings: Timings,
    ) -> Result<Self, InvalidLink> {
        let url: GatewayUrl = url.parse()?;
        let trust = match ca_file {
            Some(path) => Trust::ca_file(path)?,
            None => Trust::for_url(&url)?,
        };
        let route = Route { url, credential, trust, proxies: Proxies::default() };
        Ok(Self { route, cluster, timings })
    }

    /// The proxy that its gateway is dialled through, if it is not dialled directly.
    pub fn proxy(&self) -> Option<&ProxyUrl> {
        self.route.proxy()
    }

    /// The same link, through whichever of `proxies` is meant for its gateway.
    #[must_use]
    pub fn with_proxies(self, proxies: Proxies) -> Self {
        Self { route: Route { proxies, ..self.route }, ..self }
    }
}
