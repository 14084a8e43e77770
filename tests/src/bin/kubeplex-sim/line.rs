//! The way between an agent and the gateway: connections in memory that can be cut, silenced and slowed down.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::dice::Dice;
use crate::schedule::LineTrouble;

/// As much as may be under way in one direction.
const UNDER_WAY: usize = 64 << 10;

/// Pieces that are under way in one direction.
const PIECES: usize = 1_024;

/// Everything between one agent and the gateway. Clones are the same.
#[derive(Clone)]
pub(crate) struct Line(Arc<Shared>);

struct Shared {
    trouble: watch::Sender<Option<LineTrouble>>,
    cut: Mutex<CancellationToken>,
    dice: Mutex<Dice>,
    late: Mutex<Vec<Late>>,
    tracker: TaskTracker,
}

/// What arrives at once, and not before its time.
struct Piece {
    taken: Instant,
    due: Instant,
    bytes: Vec<u8>,
}

/// Something that an agent said, and how long it was under way.
struct Late {
    arrived: Instant,
    by: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

impl Line {
    pub(crate) fn new(dice: Dice, tracker: TaskTracker) -> Self {
        let (trouble, cut, late) = (watch::Sender::new(None), Mutex::default(), Mutex::default());
        Self(Arc::new(Shared { trouble, cut, dice: Mutex::new(dice), late, tracker }))
    }

    /// A connection: the agent's end and the gateway's.
    pub(crate) fn connect(&self) -> io::Result<(DuplexStream, DuplexStream)> {
        if matches!(*self.0.trouble.borrow(), Some(LineTrouble::Cut)) {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let ((agent, up), (down, gateway)) = (duplex(UNDER_WAY), duplex(UNDER_WAY));
        let ((from_agent, to_agent), (from_gateway, to_gateway)) = (split(up), split(down));
        let cut = self.0.cut.lock().clone();
        let (line, dice) = (self.clone(), self.0.dice.lock().fork());
        drop(self.0.tracker.spawn(async move {
            let mut other = dice.clone();
            let up = line.carry(Direction::Up, from_agent, to_gateway, dice);
            let down = line.carry(Direction::Down, from_gateway, to_agent, other.fork());
            cut.run_until_cancelled(async { tokio::try_join!(up, down) }).await
        }));
        Ok((agent, gateway))
    }

    /// Breaks the connections that there are.
    pub(crate) fn cut(&self) {
        std::mem::take(&mut *self.0.cut.lock()).cancel();
    }

    pub(crate) fn trouble(&self, trouble: LineTrouble) {
        if matches!(trouble, LineTrouble::Cut) {
            self.cut();
        }
        self.0.trouble.send_replace(Some(trouble));
    }

    /// How long at most something that came from the agent since then was under way.
    pub(crate) fn late_since(&self, since: Instant) -> Duration {
        let late = self.0.late.lock();
        late.iter().filter(|late| late.arrived >= since).map(|late| late.by).max().unwrap_or_default()
    }

    pub(crate) fn heal(&self) {
        self.0.trouble.send_replace(None);
    }

    /// Carries bytes in pieces of any size, each as late as the line is slow, and ends the other side where one side ends.
    async fn carry(
        &self,
        direction: Direction,
        from: ReadHalf<DuplexStream>,
        to: WriteHalf<DuplexStream>,
        dice: Dice,
    ) -> io::Result<()> {
        let (sender, receiver) = mpsc::channel(PIECES);
        tokio::try_join!(self.take(from, sender, dice), self.deliver(direction, receiver, to)).map(drop)
    }

    async fn take(
        &self,
        mut from: ReadHalf<DuplexStream>,
        pieces: mpsc::Sender<Piece>,
        mut dice: Dice,
    ) -> io::Result<()> {
        let mut buffer = vec![0; 16 << 10];
        loop {
            let most = if dice.one_in(8) { 1 + dice.below(50) } else { buffer.len() };
            let length = from.read(&mut buffer[..most]).await?;
            let taken = Instant::now();
            let due = taken + delay(*self.0.trouble.borrow());
            let sent = pieces.send(Piece { taken, due, bytes: buffer[..length].to_vec() }).await;
            if length == 0 || sent.is_err() {
                return Ok(());
            }
        }
    }

    async fn deliver(
        &self,
        direction: Direction,
        mut pieces: mpsc::Receiver<Piece>,
        mut to: WriteHalf<DuplexStream>,
    ) -> io::Result<()> {
        let mut trouble = self.0.trouble.subscribe();
        while let Some(piece) = pieces.recv().await {
            sleep_until(piece.due).await;
            // The sender is this line's own.
            let _ = trouble.wait_for(|trouble| !silences(*trouble, direction)).await;
            let by = piece.taken.elapsed();
            if direction == Direction::Up && !by.is_zero() {
                self.0.late.lock().push(Late { arrived: Instant::now(), by });
            }
            to.write_all(&piece.bytes).await?;
        }
        to.shutdown().await
    }
}

fn silences(trouble: Option<LineTrouble>, direction: Direction) -> bool {
    match trouble {
        Some(LineTrouble::Silent) => true,
        Some(LineTrouble::SilentUp) => direction == Direction::Up,
        Some(LineTrouble::SilentDown) => direction == Direction::Down,
        Some(LineTrouble::Cut | LineTrouble::Slow(_)) | None => false,
    }
}

fn delay(trouble: Option<LineTrouble>) -> Duration {
    match trouble {
        Some(LineTrouble::Slow(delay)) => delay,
        _ => Duration::ZERO,
    }
}
