//! The wire between an agent and the gateway, which can be cut as a network partition cuts it: nothing arrives any more,
//! and neither end is told.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const BUFFER_BYTES: usize = 64 * 1024;

/// More than an agent says before it has an answer.
const MOST_EARLY_BYTES: usize = 16 * 1024;

/// Carries what an agent and the gateway say to each other, unless it is cut.
#[derive(Debug)]
pub(super) struct Wire {
    /// What the agent dials.
    address: SocketAddr,
    state: watch::Sender<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Whole,
    Cut,
}

impl Wire {
    /// A wire to `gateway`, until `stop`.
    ///
    /// # Errors
    /// When this machine has no port left.
    pub(super) async fn to(
        gateway: SocketAddr,
        tracker: &TaskTracker,
        stop: CancellationToken,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (state, seen) = watch::channel(State::Whole);
        drop(tracker.spawn(async move { stop.run_until_cancelled(accept(listener, gateway, seen)).await }));
        Ok(Self { address, state })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on nothing arrives, either way. New connections are not answered.
    pub(super) fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// What was sent meanwhile arrives now, as what TCP sends again does.
    pub(super) fn heal(&self) {
        self.state.send_replace(State::Whole);
    }
}

async fn accept(listener: TcpListener, gateway: SocketAddr, state: watch::Receiver<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((agent, _)) => drop(connections.spawn(carry(agent, gateway, state.clone()))),
                Err(error) => return tracing::error!(%error, "an agent can't dial any more"),
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn carry(agent: TcpStream, gateway: SocketAddr, mut state: watch::Receiver<State>) {
    let (mut agent_says, agent_hears) = agent.into_split();
    let Some(early) = until_whole(&mut agent_says, &mut state).await else { return };
    let Ok(gateway) = TcpStream::connect(gateway).await else { return };
    // Without it small writes wait for acknowledgements.
    let quick = agent_hears.as_ref().set_nodelay(true).and_then(|()| gateway.set_nodelay(true));
    if quick.is_err() {
        return;
    }
    let (gateway_says, mut gateway_hears) = gateway.into_split();
    if gateway_hears.write_all(&early).await.is_ok() {
        tokio::join!(
            forward(agent_says, gateway_hears, state.clone()),
            forward(gateway_says, agent_hears, state)
        );
    }
}

/// What an agent said while the wire was cut; `None` once it has given up: the gateway never hears of such an attempt.
async fn until_whole(agent: &mut OwnedReadHalf, state: &mut watch::Receiver<State>) -> Option<Vec<u8>> {
    let (mut early, mut buffer) = (Vec::new(), vec![0; MOST_EARLY_BYTES]);
    loop {
        let room = MOST_EARLY_BYTES - early.len();
        tokio::select! {
            biased;
            whole = state.wait_for(|state| *state == State::Whole) => return whole.is_ok().then_some(early),
            read = agent.read(&mut buffer[..room]), if room > 0 => match read {
                Ok(length @ 1..) => early.extend_from_slice(&buffer[..length]),
                Ok(0) | Err(_) => return None,
            },
        }
    }
}

/// Until one end closes; that the other does not learn either while the wire is cut.
async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<State>) {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = from.read(&mut buffer).await;
        if state.wait_for(|state| *state == State::Whole).await.is_err() {
            return;
        }
        match read {
            Ok(length @ 1..) if to.write_all(&buffer[..length]).await.is_ok() => {}
            // Dropping the half that writes says that nothing more will come.
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Ground {
        wire: Wire,
        gateway: TcpListener,
        _tasks: TaskTracker,
    }

    async fn ground() -> Ground {
        let gateway = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let tasks = TaskTracker::new();
        let address = gateway.local_addr().unwrap();
        let wire = Wire::to(address, &tasks, CancellationToken::new()).await.unwrap();
        Ground { wire, gateway, _tasks: tasks }
    }

    async fn read(stream: &mut TcpStream) -> String {
        let mut buffer = [0; 16];
        let length = stream.read(&mut buffer).await.unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    #[tokio::test]
    async fn what_is_said_while_the_wire_is_cut_arrives_when_it_is_healed() {
        let Ground { wire, gateway, .. } = &ground().await;
        let mut agent = TcpStream::connect(wire.address()).await.unwrap();
        let (mut far, _) = gateway.accept().await.unwrap();
        agent.write_all(b"one").await.unwrap();
        assert_eq!(read(&mut far).await, "one");
        wire.cut();
        agent.write_all(b"two").await.unwrap();
        far.write_all(b"back").await.unwrap();
        tokio::task::yield_now().await;
        assert!(agent.try_read(&mut [0; 1]).is_err() && far.try_read(&mut [0; 1]).is_err());
        wire.heal();
        assert_eq!((read(&mut far).await.as_str(), read(&mut agent).await.as_str()), ("two", "back"));
    }

    #[tokio::test]
    async fn of_those_who_dial_meanwhile_only_who_still_waits_gets_through() {
        let Ground { wire, gateway, .. } = &ground().await;
        wire.cut();
        let mut impatient = TcpStream::connect(wire.address()).await.unwrap();
        impatient.write_all(b"gone").await.unwrap();
        impatient.shutdown().await.unwrap();
        // The wire closes its end when it has noticed.
        assert_eq!(read(&mut impatient).await, "");
        let mut patient = TcpStream::connect(wire.address()).await.unwrap();
        patient.write_all(b"here").await.unwrap();
        wire.heal();
        let (mut far, _) = gateway.accept().await.unwrap();
        assert_eq!(read(&mut far).await, "here");
    }
}
