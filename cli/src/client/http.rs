//! HTTP to one endpoint: whom to believe, what to show, and a pool of connections.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kubeplex_link::trust::{Trust, TrustError};

use super::Endpoint;
use super::error::Root;

/// What a gateway off this machine wants to see, and whom to believe that it is the gateway.
#[derive(Debug, Clone, Default)]
pub struct Access {
    pub token: Option<Token>,
    /// A PEM file; otherwise the authorities of this machine.
    pub ca_file: Option<PathBuf>,
}

/// A token of a caller.
#[derive(Clone)]
pub struct Token(HeaderValue);

/// Why a text is no token. It is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a token is one line of printable ASCII characters without spaces, as `kubeplex token create` prints it"
)]
pub struct InvalidToken;

impl Token {
    /// White space around it is dropped: files end with a line break.
    ///
    /// # Errors
    /// [`InvalidToken`] for what can't stand in a header.
    pub fn new(text: &str) -> Result<Self, InvalidToken> {
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidToken);
        }
        let mut header = HeaderValue::try_from(format!("Bearer {text}")).map_err(|_| InvalidToken)?;
        header.set_sensitive(true);
        Ok(Self(header))
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Sends requests; clones share the connections.
#[derive(Debug, Clone)]
pub(super) struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    token: Option<Token>,
}

impl Http {
    /// # Errors
    /// [`TrustError`] when there is nobody to believe.
    pub(super) fn new(endpoint: &Endpoint, access: Access) -> Result<Self, TrustError> {
        let mut tls = trust(endpoint, access.ca_file.as_deref())?.client_config();
        // The connector says itself what it speaks.
        tls.alpn_protocols.clear();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, token: access.token })
    }

    /// Sends a request, and waits for the head of the answer.
    pub(super) async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<hyper::body::Incoming>, Root> {
        if let Some(token) = &self.token {
            request.headers_mut().insert(AUTHORIZATION, token.0.clone());
        }
        self.client.request(request).await.map_err(|error| Root::of(&error))
    }
}

/// The whole body of an answer as text.
pub(super) async fn text(response: Response<hyper::body::Incoming>) -> Result<String, Root> {
    let body = response.into_body().collect().await.map_err(|error| Root::of(&error))?;
    Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned())
}

/// Nobody where no certificate will be shown.
fn trust(endpoint: &Endpoint, ca_file: Option<&Path>) -> Result<Trust, TrustError> {
    match ca_file {
        _ if !endpoint.is_encrypted() => Trust::nobody(),
        Some(file) => Trust::ca_file(file),
        None => Trust::system(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_word_and_is_not_printed() {
        for (text, good) in
            [("abc", true), (" abc\n", true), ("", false), ("a b", false), ("a\nb", false), ("ä", false)]
        {
            assert_eq!(Token::new(text).is_ok(), good, "{text:?}");
        }
        assert_eq!(format!("{:?}", Token::new("abc").unwrap()), "Token(…)");
    }
}
