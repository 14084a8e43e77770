//! TLS on the main listener: the gateway's certificate, taken anew when its files change.
//!
//! A connection keeps the certificate that it began with, so nothing is cut when there is another one.

mod files;
mod pair;
mod reload;

use std::io;
use std::sync::Arc;

use parking_lot::RwLock;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::limits::TLS_HANDSHAKE;

pub use self::files::TlsFiles;
pub(crate) use self::pair::Pair;
pub use self::pair::{PairError, PairFile};
pub(crate) use self::reload::Reload;

/// Makes TLS streams of connections. Clones share the certificate.
#[derive(Clone)]
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<Current>,
}

/// The certificate that new connections are shown.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl Tls {
    /// # Errors
    /// [`PairError::Settings`], which would be a defect.
    fn showing(pair: &Pair) -> Result<Self, PairError> {
        let current = Arc::new(Current(RwLock::new(pair.key())));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(PairError::Settings)?;
        let mut config = config.with_no_client_auth().with_cert_resolver(current.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), current })
    }

    /// From now on new connections are shown this one.
    fn show(&self, pair: &Pair) {
        *self.current.0.write() = pair.key();
    }

    /// The handshake. Who does not finish it in time holds a connection for nothing, and is cut.
    ///
    /// # Errors
    /// When the other end is too slow, speaks something else, or does not believe the certificate.
    pub(crate) async fn accept<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let too_slow = || {
            let waited = TLS_HANDSHAKE.as_secs();
            io::Error::new(io::ErrorKind::TimedOut, format!("no complete TLS handshake within {waited} s"))
        };
        timeout(TLS_HANDSHAKE, self.acceptor.accept(stream)).await.map_err(|_| too_slow())?
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read()))
    }
}

#[cfg(test)]
mod tests {
    use kubeplex_test_support::pki::{Authority, TlsFolder};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn tls() -> (Tls, TlsFolder) {
        let folder = TlsFolder::new();
        folder.put(&Authority::new().issue("localhost"));
        let files = TlsFiles::new(folder.cert_file(), folder.key_file());
        (Tls::showing(&Pair::load(&files).unwrap()).unwrap(), folder)
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_does_not_finish_the_handshake_is_cut() {
        let (tls, _folder) = tls();
        // Nothing at all, and the beginning of a record whose rest never comes.
        for begun in [&b""[..], &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]] {
            let (mut client, server) = tokio::io::duplex(1_024);
            client.write_all(begun).await.unwrap();
            let began = tokio::time::Instant::now();
            let error = tls.accept(server).await.map(drop).unwrap_err();
            assert_eq!((error.kind(), began.elapsed()), (io::ErrorKind::TimedOut, TLS_HANDSHAKE));
            assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0, "the connection is closed");
        }
    }

    #[tokio::test]
    async fn whoever_speaks_no_tls_is_cut_at_once() {
        let (tls, _folder) = tls();
        let (mut client, server) = tokio::io::duplex(1_024);
        client.write_all(b"GET /mcp HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        assert!(tls.accept(server).await.is_err());
    }
}
