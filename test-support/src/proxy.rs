//! A TCP proxy that can stop forwarding without closing, as a dead NAT entry does, or close without a word.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Between an agent and its gateway. Dropping it closes its connections.
pub struct Proxy {
    /// What the agent dials.
    pub address: SocketAddr,
    valves: watch::Sender<Valves>,
    cut: watch::Sender<CancellationToken>,
    connections: watch::Receiver<usize>,
    _tasks: JoinSet<()>,
}

/// Which way nothing passes. Connections made while both are shut hang, too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Valves {
    to_gateway: bool,
    to_agent: bool,
}

#[derive(Clone, Copy)]
enum Way {
    ToGateway,
    ToAgent,
}

impl Valves {
    fn shut(self, way: Way) -> bool {
        match way {
            Way::ToGateway => self.to_gateway,
            Way::ToAgent => self.to_agent,
        }
    }
}

impl Proxy {
    /// Forwards every connection to `target`, the gateway.
    ///
    /// # Panics
    /// When the machine has no port left.
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (valves, cut) = (watch::Sender::default(), watch::Sender::new(CancellationToken::new()));
        let (count, connections) = watch::channel(0);
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, target, valves.subscribe(), cut.subscribe(), count));
        Self { address, valves, cut, connections, _tasks: tasks }
    }

    /// From now on nothing passes either way, and nobody is told.
    pub fn freeze(&self) {
        self.valves.send_replace(Valves { to_gateway: true, to_agent: true });
    }

    /// What the gateway says no longer reaches the agent.
    pub fn deafen_agent(&self) {
        self.valves.send_replace(Valves { to_gateway: false, to_agent: true });
    }

    /// Everything passes again, what was held back first.
    pub fn thaw(&self) {
        self.valves.send_replace(Valves::default());
    }

    /// Closes every connection at once, as the death of a process does.
    pub fn sever(&self) {
        self.cut.send_replace(CancellationToken::new()).cancel();
    }

    /// Connections that were made so far.
    pub fn connections(&self) -> usize {
        *self.connections.borrow()
    }
}

async fn accept(
    listener: TcpListener,
    target: SocketAddr,
    valves: watch::Receiver<Valves>,
    cut: watch::Receiver<CancellationToken>,
    count: watch::Sender<usize>,
) {
    let mut connections = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        count.send_modify(|count| *count += 1);
        // What is over is kept until it is asked for.
        while connections.try_join_next().is_some() {}
        // A gateway that is down refuses the connection; so does its proxy.
        let Ok(far) = TcpStream::connect(target).await else { continue };
        // Without it small writes wait for acknowledgements, and every call takes 40 ms.
        let quick = near.set_nodelay(true).and_then(|()| far.set_nodelay(true));
        quick.expect("a connected socket");
        let (valves, cut) = (valves.clone(), cut.borrow().clone());
        connections.spawn(async move {
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            let both = async {
                tokio::join!(
                    forward(near_in, far_out, valves.clone(), Way::ToGateway),
                    forward(far_in, near_out, valves.clone(), Way::ToAgent)
                )
            };
            cut.run_until_cancelled(both).await;
        });
    }
}

async fn forward(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut valves: watch::Receiver<Valves>,
    way: Way,
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let open = valves.wait_for(|valves| !valves.shut(way)).await.is_ok();
        if !open || to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
