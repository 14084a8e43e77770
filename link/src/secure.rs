//! The one place where a link may be secured end to end.
//!
//! A WebSocket passes proxies and ingresses that terminate the outer TLS, so a certificate of the agent can only be shown
//! in a TLS session *inside* the WebSocket's stream. That session belongs here, and nowhere else: both ends hand over the
//! byte stream after the WebSocket handshake and go on with what they get back. **Today both get the same stream back**: an
//! agent is authenticated by its token in the handshake, and secrecy is the outer TLS's.

use std::io;

use crate::websocket::LinkStream;

/// The agent's side: would authenticate with its certificate.
///
/// # Errors
/// None today; a failed inner handshake once there is one.
pub async fn agent_side(stream: LinkStream) -> io::Result<LinkStream> {
    Ok(stream)
}

/// The gateway's side: would ask for the agent's certificate.
///
/// # Errors
/// None today; a failed inner handshake once there is one.
pub async fn gateway_side(stream: LinkStream) -> io::Result<LinkStream> {
    Ok(stream)
}
