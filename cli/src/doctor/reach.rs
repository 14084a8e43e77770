//! From a server's address to a connection with it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Uri;
use kube::client::ConfigExt as _;
use kubeplex_agent::access::Context;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::certificate;
use super::finding::About;

/// For each step of the way.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is connected to: the server, or the proxy that stands before it.
#[derive(Debug)]
pub(super) struct Target {
    host: String,
    port: u16,
    is_proxy: bool,
    /// Whether the connection goes on with TLS that can be looked at from here.
    is_tls: bool,
}

impl Target {
    pub(super) fn of(context: &Context) -> Self {
        let config = context.config();
        let uri = config.proxy_url.as_ref().unwrap_or(&config.cluster_url);
        let is_proxy = config.proxy_url.is_some();
        let usual = match uri.scheme_str() {
            Some("http") => 80,
            Some("socks5") => 1080,
            _ => 443,
        };
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        Self {
            host: host.to_owned(),
            port: uri.port_u16().unwrap_or(usual),
            is_proxy,
            is_tls: !is_proxy && uri.scheme_str() == Some("https"),
        }
    }

    fn what(&self) -> &'static str {
        if self.is_proxy { "the proxy" } else { "the API server" }
    }
}

/// Whether the server can be asked.
pub(super) async fn check(about: &mut About, target: &Target, context: &Context) -> bool {
    let Some(addresses) = resolve(about, target).await else { return false };
    let Some(stream) = connect(about, target, &addresses).await else { return false };
    !target.is_tls || handshake(about, stream, context).await
}

async fn resolve(about: &mut About, target: &Target) -> Option<Vec<SocketAddr>> {
    let Target { host, port, .. } = target;
    let began = Instant::now();
    let addresses: Vec<SocketAddr> = match timeout(PATIENCE, lookup_host((host.as_str(), *port))).await {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => {
            about.wrong(
                "address",
                format!("{host} can't be found: {error}"),
                "is a VPN needed, or the name mistyped?",
            );
            return None;
        }
        Err(_) => {
            about.wrong(
                "address",
                format!("nobody says where {host} is"),
                "is this machine online? resolvectl status",
            );
            return None;
        }
    };
    let shown: Vec<_> = addresses.iter().take(2).map(|address| address.ip().to_string()).collect();
    about.good("address", format!("{host} is {}", shown.join(", ")));
    about.took(began.elapsed());
    Some(addresses)
}

async fn connect(about: &mut About, target: &Target, addresses: &[SocketAddr]) -> Option<TcpStream> {
    let (what, began) = (target.what(), Instant::now());
    let problem = match timeout(PATIENCE, TcpStream::connect(addresses)).await {
        Ok(Ok(stream)) => {
            about.good("connect", format!("{what} accepts connections on port {}", target.port));
            about.took(began.elapsed());
            return Some(stream);
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
    };
    let next = match target.is_proxy {
        true => "is the proxy right? it comes from proxy-url or from HTTPS_PROXY",
        false => "does the cluster run, and is a VPN needed to reach it?",
    };
    about.wrong("connect", format!("{what} can't be connected to: {problem}"), next);
    None
}

async fn handshake(about: &mut About, stream: TcpStream, context: &Context) -> bool {
    let config = context.config();
    let name = config.tls_server_name.clone().or_else(|| config.cluster_url.host().map(str::to_owned));
    let name = name.unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
    let tls = match config.rustls_client_config() {
        Ok(tls) => TlsConnector::from(Arc::new(tls)),
        Err(error) => {
            about.wrong(
                "certificate",
                format!("the kubeconfig's certificates are no use: {error}"),
                "fetch it anew",
            );
            return false;
        }
    };
    let Ok(server_name) = ServerName::try_from(name.clone()) else {
        about.wrong(
            "certificate",
            format!("{name:?} can't be the name of a server"),
            "correct tls-server-name",
        );
        return false;
    };
    match timeout(PATIENCE, tls.connect(server_name, stream)).await {
        Ok(Ok(stream)) => {
            let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
            certificate::of_server(about, chain.first().map(AsRef::as_ref), context.is_unchecked());
            true
        }
        Ok(Err(error)) => {
            let said = error.to_string();
            let next = certificate::remedy(&said, &name);
            about.wrong("certificate", said, next);
            false
        }
        Err(_) => {
            about.wrong(
                "certificate",
                "the TLS handshake does not come to an end",
                "does a firewall cut it?",
            );
            false
        }
    }
}

/// A proxy's address without the name and password in it.
pub(super) fn without_login(proxy: &str) -> String {
    let Ok(uri) = proxy.parse::<Uri>() else { return String::new() };
    let (scheme, host) = (uri.scheme_str().unwrap_or("http"), uri.host().unwrap_or_default());
    let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{scheme}://{host}{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_of_a_proxy_is_not_shown() {
        assert_eq!(without_login("http://me:hunter2@proxy:3128/"), "http://proxy:3128");
    }
}
