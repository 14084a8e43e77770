//! What an agent weighs on a small cluster, in a process of its own.

use std::future::pending;
use std::path::PathBuf;
use std::time::Duration;

use kubeplex_tests::program::{Folder, Program};
use kubeplex_tests::wait;
use serde_json::json;
use simcluster::{SimCluster, SimConfig};
use tokio::net::TcpListener;

use crate::figure::Figure;
use crate::process::memory_mib_of;

const PODS: usize = 100;
const NODES: usize = 3;

/// What a first sync needs beyond the cache has been given back by then.
const SETTLING: Duration = Duration::from_secs(15);

const LIMIT: &str = "the program's code, the matchers of redaction, a dictionary for compressing, what the allocator keeps for each \
     thread, and the objects";

/// `program` is the agent; `None` for the one beside this benchmark.
pub(crate) async fn run(program: Option<PathBuf>) -> anyhow::Result<()> {
    let program = match program {
        Some(path) => std::path::absolute(&path)?.to_string_lossy().into_owned(),
        None => "kubeplex-agent".to_owned(),
    };
    let folder = Folder::new();
    let sim = SimCluster::new(SimConfig { pods: PODS, nodes: NODES, ..SimConfig::named("small", 1) });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let server = format!("http://{}", listener.local_addr()?);
    let serving = sim.serve(listener, pending());
    tokio::select! {
        served = serving => served.map_err(Into::into),
        measured = measure(&program, &folder, &server, &sim) => measured,
    }
}

async fn measure(program: &str, folder: &Folder, server: &str, sim: &SimCluster) -> anyhow::Result<()> {
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "small",
        "clusters": [{"name": "small", "cluster": {"server": server}}],
        "users": [{"name": "agent", "user": {}}],
        "contexts": [{"name": "small", "context": {"cluster": "small", "user": "agent"}}],
    });
    let kubeconfig = folder.write("kubeconfig", &kubeconfig.to_string());
    let token = folder.write("token", "a-token-that-nobody-asks-for-0123456789abcdef");
    // Nobody listens there: an agent that is not linked has its cache all the same.
    let config = format!(
        "cluster = \"small\"\n[gateway]\nurl = \"ws://127.0.0.1:9\"\ntoken_file = {token:?}\n\
         [kubernetes]\nkubeconfig = {kubeconfig:?}\ncontext = \"small\"\n"
    );
    let config = folder.write("agent.toml", &config);
    let mut agent = Program::start(program, &["--config", &config], &[], folder);
    wait::until("the agent to watch", async || {
        let open = sim.stats().open_watches;
        if open > 0 { Ok(()) } else { Err(open) }
    })
    .await;
    wait::pass(SETTLING).await;
    let resident = memory_mib_of(agent.id(), "VmRSS")?;
    let title = format!("agent resident, a cluster of {NODES} nodes and {PODS} pods, all built-in kinds");
    Figure::new(title, resident, "MiB", LIMIT).goal("≤ 25").print()?;
    agent.terminate().await;
    Ok(())
}
