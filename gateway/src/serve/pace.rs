//! Whether the other end of a connection does its part: asks within a time, and takes what it asked for.
//!
//! Nothing here closes a connection; [`judge`](Pace::judge) says when that is due and why. A stream of events that has
//! nothing to say is no slow reader: only what was handed out and not taken counts. Two places hand out, because either can
//! be the one that stands still: the bodies of answers, of which HTTP/2 asks for the next piece as its reader grants room,
//! and the socket, behind which the last pieces of HTTP/1.1 wait.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::limits::{Limits, READER_BYTES};

/// How patient a gateway is with the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patience {
    /// From the connection's begin to its first complete request head.
    pub(super) head: Duration,
    /// Without any exchange, once there was one.
    pub(super) idle: Duration,
    /// For the next piece of an answer to be taken.
    pub(super) reader: Duration,
}

/// Why a connection is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    /// No request came at all.
    NoRequest,
    /// No further one came.
    Idle,
    /// An answer, or a piece of one, is not taken.
    SlowReader,
}

/// One connection's pace. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    patience: Patience,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// Requests whose answers are not over.
    exchanges: usize,
    /// Whether there was an exchange at all.
    asked: bool,
    /// Since when there is no exchange.
    quiet: Instant,
    /// Since when a piece of an answer waits to be taken, by its exchange.
    handed: HashMap<u64, Instant>,
    next: u64,
    socket: Option<Blocked>,
}

/// A socket that takes no more.
#[derive(Debug)]
struct Blocked {
    since: Instant,
    /// Bytes that it took since then after all.
    taken: u64,
}

/// A request and its answer, until it is dropped.
#[derive(Debug)]
pub(super) struct Exchange {
    id: u64,
    pace: Pace,
}

impl Patience {
    pub(crate) fn of(limits: &Limits) -> Self {
        Self { head: limits.request_head, idle: limits.connection_idle, reader: limits.slow_reader }
    }
}

impl Pace {
    pub(super) fn new(patience: Patience) -> Self {
        let state = State {
            exchanges: 0,
            asked: false,
            quiet: Instant::now(),
            handed: HashMap::new(),
            next: 0,
            socket: None,
        };
        Self { patience, state: Arc::new(Mutex::new(state)) }
    }

    /// A request has come.
    pub(super) fn exchange(&self) -> Exchange {
        let mut state = self.state.lock();
        state.exchanges += 1;
        state.asked = true;
        state.next += 1;
        Exchange { id: state.next, pace: self.clone() }
    }

    /// The socket takes no more for now.
    pub(super) fn blocked(&self) {
        self.state.lock().socket.get_or_insert_with(|| Blocked { since: Instant::now(), taken: 0 });
    }

    /// The socket took something while it was blocked.
    pub(super) fn moved(&self, bytes: usize) {
        if let Some(blocked) = &mut self.state.lock().socket {
            blocked.taken += bytes as u64;
        }
    }

    /// The socket took everything that there is.
    pub(super) fn flushed(&self) {
        self.state.lock().socket = None;
    }

    /// Whether it is time to give the connection up, or else when to look again.
    pub(super) fn judge(&self, now: Instant) -> Result<Instant, Overdue> {
        let mut state = self.state.lock();
        let Patience { head, idle, reader } = self.patience;
        let mut next = now + reader;
        let mut due = |at: Instant, why| {
            next = next.min(at);
            if now >= at { Err(why) } else { Ok(()) }
        };
        if let Some(since) = state.handed.values().min() {
            due(*since + reader, Overdue::SlowReader)?;
        }
        if state.exchanges == 0 {
            let (patience, why) =
                if state.asked { (idle, Overdue::Idle) } else { (head, Overdue::NoRequest) };
            due(state.quiet + patience, why)?;
        }
        if let Some(blocked) = &mut state.socket {
            if blocked.taken >= READER_BYTES && now >= blocked.since + reader {
                *blocked = Blocked { since: now, taken: 0 };
            }
            due(blocked.since + reader, Overdue::SlowReader)?;
        }
        Ok(next)
    }
}

impl Exchange {
    /// A piece of the answer is handed out.
    pub(super) fn handed(&self) {
        self.pace.state.lock().handed.insert(self.id, Instant::now());
    }

    /// The last piece was taken.
    pub(super) fn taken(&self) {
        self.pace.state.lock().handed.remove(&self.id);
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let mut state = self.pace.state.lock();
        state.handed.remove(&self.id);
        state.exchanges -= 1;
        state.quiet = Instant::now();
    }
}

impl Overdue {
    pub(super) const ALL: [Self; 3] = [Self::NoRequest, Self::Idle, Self::SlowReader];

    /// As a label of metrics, and in logs.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::NoRequest => "no_request",
            Self::Idle => "idle",
            Self::SlowReader => "slow_reader",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        head: Duration::from_secs(30),
        idle: Duration::from_secs(120),
        reader: Duration::from_secs(20),
    };

    /// Looks whenever it was told to, until the connection is given up.
    async fn given_up(pace: &Pace) -> (u64, Overdue) {
        let began = Instant::now();
        loop {
            match pace.judge(Instant::now()) {
                Ok(next) => {
                    assert!(next > Instant::now(), "a look that is due at once would spin");
                    tokio::time::sleep_until(next).await;
                }
                Err(why) => return (began.elapsed().as_secs(), why),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_has_to_be_used() {
        let pace = Pace::new(PATIENCE);
        assert_eq!(given_up(&pace).await, (30, Overdue::NoRequest));
        drop(pace.exchange());
        assert_eq!(given_up(&pace).await, (120, Overdue::Idle));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_with_nothing_to_say_is_let_be() {
        let pace = Pace::new(PATIENCE);
        let events = pace.exchange();
        events.handed();
        events.taken();
        assert!(tokio::time::timeout(Duration::from_secs(86_400), given_up(&pace)).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_has_to_be_taken_piece_by_piece() {
        let pace = Pace::new(PATIENCE);
        let (slow, quick) = (pace.exchange(), pace.exchange());
        slow.handed();
        let (given_up, ()) = tokio::join!(given_up(&pace), async {
            tokio::time::sleep(Duration::from_secs(15)).await;
            slow.taken();
            slow.handed();
            quick.handed();
            quick.taken();
        });
        assert_eq!(given_up, (35, Overdue::SlowReader));
        drop(slow);
        drop(quick);
        assert!(pace.judge(Instant::now()).is_ok(), "what is over is owed no more");
    }

    #[tokio::test(start_paused = true)]
    async fn a_socket_has_to_take_something_now_and_then() {
        for (each_second, expected_s) in [(0, 20), (1, 20), (READER_BYTES as usize / 8, 60)] {
            let pace = Pace::new(PATIENCE);
            let _exchange = pace.exchange();
            pace.blocked();
            let drip = async {
                // For half a minute, then no more.
                for _ in 0..30 {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    pace.moved(each_second);
                }
                std::future::pending::<()>().await;
            };
            let given_up =
                tokio::select! { given_up = given_up(&pace) => given_up, () = drip => unreachable!() };
            assert_eq!(given_up, (expected_s, Overdue::SlowReader), "{each_second} a second");
        }
        let pace = Pace::new(PATIENCE);
        let _exchange = pace.exchange();
        pace.blocked();
        pace.flushed();
        assert!(tokio::time::timeout(Duration::from_secs(3_600), given_up(&pace)).await.is_err());
    }
}
