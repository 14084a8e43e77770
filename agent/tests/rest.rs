//! What it took to take a small cluster in is given back, although none of its stores is ever large enough to be tended.
//!
//! Alone in its process, because what is given back belongs to all agents of a process. On one thread, so that one thread's
//! counters say everything, those of C code included.

use std::time::Duration;

use kubeplex_agent::config::AgentConfig;
use kubeplex_agent::workers::WorkOn;
use kubeplex_agent::{Agent, cache};
use kubeplex_proto::control::SyncState;
use kubeplex_proto::ids::ClusterId;
use simcluster::{SimCluster, SimConfig};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

mod held;

kubeplex_agent::program_allocator!();

/// Kinds that are watched from the start.
const KINDS: usize = 35;

/// Less than the compressor's context for one object, and more than the matchers need for the few texts that come after the
/// last list.
const LEFT: i64 = 64 << 10;

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn what_a_small_cluster_took_is_given_back() {
    let sim = SimCluster::new(SimConfig { pods: 100, nodes: 3, ..SimConfig::named("small", 1) });
    let (tracker, cancel) = (TaskTracker::new(), CancellationToken::new());
    let config = AgentConfig::of_cluster(ClusterId::new("small").expect("a name"));
    let client = kube::Client::new(sim.service(), "default");
    let agent = Agent::start(config.with_work_on(WorkOn::Runtime), client, tracker.clone(), cancel.clone());
    let synced = async {
        while agent.kinds().snapshot().iter().filter(|kind| kind.state == SyncState::Synced).count() < KINDS {
            sleep(Duration::from_secs(1)).await;
        }
    };
    timeout(Duration::from_secs(600), synced).await.expect("every kind is listed");

    let before = held::held();
    cache::rest();
    let more = before - held::held();
    assert!(more < LEFT, "{more} bytes were there to be given back");
    cancel.cancel();
    tracker.close();
    tracker.wait().await;
}
