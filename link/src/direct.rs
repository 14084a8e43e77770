//! The other way round: the gateway dials an agent that listens, and HTTP/2 begins at once, without a WebSocket.
//!
//! For networks that lead from the gateway to its clusters. Whoever dials, the agent serves and the gateway asks, over the
//! same streams with the same settings; only the credential goes the other way, with every request.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::activity::{Activity, Metered};
use crate::credential::Credential;
use crate::dial::{DialError, Patience, reach, secured};
use crate::http2::Origin;
use crate::identity::Identity;
use crate::proxy::Proxies;
use crate::trust::Trust;
use crate::url::{AgentUrl, Transport};
use crate::websocket::LinkStream;

/// Where an agent is, and how it is reached and persuaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub url: AgentUrl,
    pub credential: Credential,
    pub trust: Trust,
}

/// Dials the agent and returns the link's byte stream, what it receives noted in `activity`, and what its requests carry.
/// Gives up when `patience` is over.
///
/// # Errors
/// [`DialError`]; dropping the future gives up.
pub async fn dial(
    route: &Route,
    activity: Activity,
    patience: Duration,
) -> Result<(LinkStream, Origin), DialError> {
    let patience = Patience::new(patience);
    let (place, url) = (route.url.place(), route.url.to_string());
    let origin = Origin::of(&route.url, &route.credential.token()?)
        .ok_or_else(|| DialError::NoAddress { host: place.host.clone() })?;
    let socket = Metered::new(reach(place, &Proxies::default(), &url, patience).await?, activity);
    let stream: LinkStream = match place.transport {
        Transport::Plain => Box::new(socket),
        Transport::Tls => {
            let tls = route.trust.speaking_http2();
            Box::new(secured(place, tls, socket, &url, patience).await?)
        }
    };
    Ok((stream, origin))
}

/// The agent's end of a connection that was just accepted, what it receives noted in `activity`.
///
/// # Errors
/// When the connection breaks, or TLS can't be agreed on.
pub async fn accept(
    socket: TcpStream,
    identity: Option<&Identity>,
    activity: Activity,
) -> std::io::Result<LinkStream> {
    socket.set_nodelay(true)?;
    let socket = Metered::new(socket, activity);
    match identity {
        None => Ok(Box::new(socket)),
        Some(Identity(config)) => Ok(Box::new(TlsAcceptor::from(config.clone()).accept(socket).await?)),
    }
}
