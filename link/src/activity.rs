//! Proof of life: when anything last came from the other end.
//!
//! Bytes are counted below the WebSocket, as the socket yields them. A heartbeat that waits behind a bulk transfer, or the
//! first half of a large message over a slow line, is life like any other.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::Instant;

/// When the other end was last heard. Clones share it.
#[derive(Debug, Clone)]
pub struct Activity(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    started: Instant,
    /// Microseconds after `started`.
    heard_us: AtomicU64,
    /// Whether somebody waits to be told of the next byte.
    awaited: AtomicBool,
    heard: Notify,
}

impl Activity {
    /// The other end counts as heard now.
    pub fn start() -> Self {
        let started = Instant::now();
        Self(Arc::new(Shared {
            started,
            heard_us: AtomicU64::new(0),
            awaited: AtomicBool::new(false),
            heard: Notify::new(),
        }))
    }

    /// Something came from the other end.
    pub fn touch(&self) {
        let since_start = u64::try_from(self.0.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        // Sequentially consistent with `heard_after`, which writes and reads the two the other way round: one of both ends
        // sees what the other wrote.
        self.0.heard_us.fetch_max(since_start, Ordering::SeqCst);
        if self.0.awaited.load(Ordering::SeqCst) && self.0.awaited.swap(false, Ordering::SeqCst) {
            self.0.heard.notify_one();
        }
    }

    /// When the other end was last heard.
    pub fn heard_at(&self) -> Instant {
        self.0.started + Duration::from_micros(self.0.heard_us.load(Ordering::SeqCst))
    }

    /// How long the other end has been silent.
    pub fn silence(&self) -> Duration {
        self.heard_at().elapsed()
    }

    /// Resolves when the other end has been heard after `moment`. Meant for one waiter at a time.
    pub async fn heard_after(&self, moment: Instant) {
        loop {
            self.0.awaited.store(true, Ordering::SeqCst);
            if self.heard_at() > moment {
                return;
            }
            self.0.heard.notified().await;
        }
    }
}

/// A stream that notes when bytes come in.
#[derive(Debug)]
pub struct Metered<S> {
    inner: S,
    activity: Activity,
}

impl<S> Metered<S> {
    /// Notes in `activity` what `inner` yields.
    pub fn new(inner: S, activity: Activity) -> Self {
        Self { inner, activity }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            self.activity.touch();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test(start_paused = true)]
    async fn only_received_bytes_are_proof_of_life() {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let activity = Activity::start();
        let mut ours = Metered::new(ours, activity.clone());
        tokio::time::advance(Duration::from_secs(5)).await;
        ours.write_all(b"anybody there?").await.unwrap();
        assert_eq!(activity.silence(), Duration::from_secs(5));
        theirs.write_all(b"yes").await.unwrap();
        ours.read_exact(&mut [0; 3]).await.unwrap();
        assert_eq!(activity.silence(), Duration::ZERO);
    }
}
