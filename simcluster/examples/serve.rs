//! One cluster on a loopback port, for kubectl: `cargo run -p simcluster --example serve -- 6443 200`, then
//! `kubectl -s http://127.0.0.1:6443 get pods -A`.

use std::time::Duration;

use simcluster::{SimCluster, SimConfig};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse::<usize>().ok());
    let (port, pods) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(200));
    let listener = TcpListener::bind(("127.0.0.1", u16::try_from(port).unwrap_or(0))).await?;
    let cluster = SimCluster::new(SimConfig { pods, ..SimConfig::named("serve", 1) });
    println!("http://{}", listener.local_addr()?);
    let shutdown = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            eprintln!("no signal can be waited for: {error}");
        }
    };
    tokio::select! {
        served = cluster.serve(listener, shutdown) => served,
        () = cluster.workloads().run(Duration::from_secs(1)) => Ok(()),
    }
}
