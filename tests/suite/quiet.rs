//! Kinds of a real API server in which nothing happens. It sends no bookmarks for them before somebody makes it look, and a
//! simulated server only does what we believe that it does.

use std::time::Duration;

use kubeplex_agent::Agent;
use kubeplex_agent::config::AgentConfig;
use kubeplex_agent::watch::WatchTimings;
use kubeplex_proto::control::{KindReport, SyncState};
use kubeplex_proto::ids::ClusterId;
use kubeplex_tests::{real, wait};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::ground;

const CLUSTER: &str = "ap-1";

/// By then something else was written to the server's storage, or there would be nothing new for a bookmark to tell: nodes
/// renew their leases every ten seconds.
const NUDGE: Duration = Duration::from_secs(30);

/// A server looks once a minute whether there is a bookmark to send, on a busy machine some seconds later. Its cache of a kind
/// may by chance have learned by the first look how far its storage is, but not the caches of all kinds; so the bookmarks of
/// some would come with the second look, after two minutes.
const SILENCE: Duration = Duration::from_secs(100);

/// Only a bookmark or an event proves anything so long after the watches were opened, which is for minutes.
const PROVEN_AFTER: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn kinds_in_which_nothing_happens_get_their_bookmark() {
    if real::control_planes().is_none() {
        return real::skipped("kinds_in_which_nothing_happens_get_their_bookmark");
    }
    let _alone = ground::changing().await;
    let timings = WatchTimings { nudge: NUDGE, silence: SILENCE, ..WatchTimings::default() };
    let config = AgentConfig::of_cluster(ClusterId::new(CLUSTER).expect("a name")).with_timings(timings);
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let agent = Agent::start(config, ground::client(CLUSTER).await, tracker.clone(), stop.clone());
    let is_ready = async || if agent.kinds().cluster().ready { Ok(()) } else { Err("not ready") };
    wait::until("the first lists", is_ready).await;
    let opened = Instant::now();
    let is_proven = |report: &KindReport| {
        report.age_ms.is_some_and(|age| opened.elapsed() > PROVEN_AFTER + Duration::from_millis(age))
    };
    loop {
        let reports = agent.kinds().snapshot();
        assert!(reports.len() > 30, "{} kinds are few", reports.len());
        for KindReport { kind, state, message, .. } in &reports {
            assert_eq!(*state, SyncState::Synced, "{kind} after {:?}: {message:?}", opened.elapsed());
        }
        if reports.iter().all(is_proven) {
            break;
        }
        assert!(opened.elapsed() < 2 * SILENCE, "neither stale nor proven: {reports:#?}");
        wait::pass(Duration::from_millis(100)).await;
    }
    stop.cancel();
    tracker.close();
    tracker.wait().await;
}
