//! An HTTP proxy that opens tunnels, or does not: the corporate kind, as small as it gets.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What it does with those who ask for a tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manners {
    Open,
    /// Only for this value of `Proxy-Authorization`.
    OpenTo(String),
    /// Neither opens a tunnel nor says anything.
    Hang,
    /// These bytes, and then it hangs up.
    Say(&'static str),
}

/// A proxy at which every name leads to one target. Dropping it closes its tunnels.
pub struct ConnectProxy {
    pub address: SocketAddr,
    asked: watch::Receiver<Vec<String>>,
    _tasks: JoinSet<()>,
}

impl ConnectProxy {
    /// # Panics
    /// When the machine has no port left.
    pub async fn to(target: SocketAddr, manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (asks, asked) = watch::channel(Vec::new());
        let (asks, manners) = (Arc::new(asks), Arc::new(manners));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut tunnels = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                near.set_nodelay(true).expect("a connected socket");
                tunnels.spawn(tunnel(near, target, Arc::clone(&manners), Arc::clone(&asks)));
            }
        });
        Self { address, asked, _tasks: tasks }
    }

    /// What was asked for so far, as in `gateway.example.com:443`.
    pub fn asked(&self) -> Vec<String> {
        self.asked.borrow().clone()
    }
}

async fn tunnel(
    near: TcpStream,
    target: SocketAddr,
    manners: Arc<Manners>,
    asks: Arc<watch::Sender<Vec<String>>>,
) {
    let mut near = BufReader::new(near);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        let read = near.read_line(&mut line).await;
        match line.trim_end() {
            "" if read.is_ok_and(|length| length > 0) => break,
            "" => return,
            line => head.push(line.to_owned()),
        }
    }
    let named = head[0].strip_prefix("CONNECT ").and_then(|rest| rest.strip_suffix(" HTTP/1.1"));
    let Some(named) = named else { return };
    asks.send_modify(|asked| asked.push(named.to_owned()));
    let shown = head.iter().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("proxy-authorization").then_some(value)
    });
    let refusal = match &*manners {
        Manners::Open => None,
        Manners::Hang => std::future::pending().await,
        Manners::OpenTo(wanted) if shown == Some(wanted) => None,
        Manners::OpenTo(_) => Some(
            "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 19\r\n\r\nwho are you, please",
        ),
        Manners::Say(said) => Some(*said),
    };
    if let Some(refusal) = refusal {
        // Whoever asked may have left.
        let _ = near.write_all(refusal.as_bytes()).await;
        return;
    }
    let Ok(mut far) = TcpStream::connect(target).await else { return };
    far.set_nodelay(true).expect("a connected socket");
    if near.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.is_ok() {
        // Either end may end it.
        let _ = copy_bidirectional(&mut near, &mut far).await;
    }
}
