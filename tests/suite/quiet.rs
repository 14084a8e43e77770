//! Kinds of a real API server in which nothing happens. It sends no bookmarks for them until somebody makes it look, and a
//! simulated server only does what we believe that it does.

use std::time::Duration;

use kubeplex_agent::Agent;
use kubeplex_agent::config::{AgentConfig, WatchMode};
use kubeplex_agent::kinds::{KindHandle, Opened};
use kubeplex_agent::watch::WatchTimings;
use kubeplex_proto::control::SyncState;
use kubeplex_proto::ids::ClusterId;
use kubeplex_tests::{real, wait};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::ground;

const CLUSTER: &str = "ap-1";

/// Of several servers inside the API server, and some without any object.
const QUIET: [&str; 4] = [
    "replicationcontrollers",
    "limitranges",
    "customresourcedefinitions.apiextensions.k8s.io",
    "priorityclasses.scheduling.k8s.io",
];

/// A server looks once a minute, give or take two seconds, whether there is a bookmark to send.
const BOOKMARK_AFTER: Duration = Duration::from_secs(60);
const SILENCE: Duration = Duration::from_secs(66);

#[tokio::test(flavor = "multi_thread")]
async fn kinds_in_which_nothing_happens_get_their_bookmark() {
    if real::control_planes().is_none() {
        return real::skipped("kinds_in_which_nothing_happens_get_their_bookmark");
    }
    let _alone = ground::changing().await;
    let timings = WatchTimings { nudge: Duration::from_secs(5), silence: SILENCE, ..WatchTimings::default() };
    let config = AgentConfig::of_cluster(ClusterId::new(CLUSTER).expect("a name"))
        .with_watch(WatchMode::OnDemand)
        .with_timings(timings);
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let agent = Agent::start(config, ground::client(CLUSTER).await, tracker.clone(), stop.clone());
    let mut watched = Vec::new();
    for kind in QUIET {
        let opened = agent.kinds().open(&kind.parse().expect("a kind"), None).await;
        let Opened::Handle(handle) = opened else { panic!("{kind} can't be watched") };
        assert_eq!(handle.synced(Instant::now() + wait::PATIENCE).await.state, SyncState::Synced);
        watched.push(handle);
    }
    let opened = Instant::now();
    // The watch has not ended yet, so what proves the rows current then is a bookmark.
    let proven =
        |handle: &KindHandle| handle.status().as_of.is_some_and(|as_of| as_of > opened + BOOKMARK_AFTER / 2);
    while !watched.iter().all(|handle| proven(handle)) {
        assert!(opened.elapsed() < SILENCE * 2);
        for handle in &watched {
            let status = handle.status();
            assert_eq!(status.state, SyncState::Synced, "{}: {:?}", handle.info.id, status.message);
        }
        wait::pass(Duration::from_millis(100)).await;
    }
    stop.cancel();
    tracker.close();
    tracker.wait().await;
}
