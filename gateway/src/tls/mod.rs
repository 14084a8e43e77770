//! TLS on the main listener, with a certificate that is taken anew when its files change.

mod reload;

use std::io;
use std::sync::Arc;

use kubeplex_link::certificate::{Keeper, PairError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::limits::TLS_HANDSHAKE;

pub(crate) use self::reload::Reload;

/// What clients may speak, the preferred one first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Makes TLS streams of connections. Clones share the certificate.
#[derive(Clone)]
pub(crate) struct Tls(TlsAcceptor);

impl Tls {
    /// # Errors
    /// [`PairError::Settings`], which would be a defect.
    fn showing(keeper: &Keeper) -> Result<Self, PairError> {
        Ok(Self(TlsAcceptor::from(Arc::new(keeper.server(&PROTOCOLS)?))))
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
        timeout(TLS_HANDSHAKE, self.0.accept(stream)).await.map_err(|_| too_slow())?
    }
}

#[cfg(test)]
mod tests {
    use kubeplex_link::certificate::CertificateFiles;
    use kubeplex_test_support::pki::{Authority, TlsFolder};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn tls() -> (Tls, TlsFolder) {
        let folder = TlsFolder::new();
        folder.put(&Authority::new().issue("localhost"));
        let files = CertificateFiles::new(folder.cert_file(), folder.key_file());
        (Tls::showing(&Keeper::load(&files).unwrap()).unwrap(), folder)
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
