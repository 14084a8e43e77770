//! Agents that the gateway dials, on networks that lead to their clusters.
//!
//! What is dialled says which cluster it is, and what the agent says of itself is only compared with it. A link that has grown
//! old is replaced as one that an agent dialled: the next one is opened while it serves.

use kubeplex_link::activity::Activity;
use kubeplex_link::backoff::Backoff;
use kubeplex_link::direct::{Route, dial};
use kubeplex_link::http2;
use kubeplex_link::tasks::LinkTasks;
use kubeplex_link::timings::age;
use kubeplex_proto::ids::ClusterId;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::control::{Control, Ended};
use super::{Links, session};
use crate::carrier::Carrier;

/// One attempt, and what became of it.
struct Attempt {
    began: Instant,
    outcome: Result<Ended, anyhow::Error>,
}

impl Links {
    /// Keeps a link to the agent of `cluster`, which must be expected.
    pub fn dial(&self, cluster: ClusterId, route: Route) {
        let span = tracing::info_span!("link", %cluster, carrier = "direct");
        drop(self.tracker.spawn(keep(self.clone(), cluster, route).instrument(span)));
    }
}

async fn keep(links: Links, cluster: ClusterId, route: Route) {
    let mut sessions = JoinSet::new();
    links.stop.run_until_cancelled(keep_linked(&links, &cluster, &route, &mut sessions)).await;
    // Each ends with the gateway.
    while sessions.join_next().await.is_some() {}
}

/// Ends only when the cluster is not expected any more. There are two sessions while one takes over from the other.
async fn keep_linked(links: &Links, cluster: &ClusterId, route: &Route, sessions: &mut JoinSet<Attempt>) {
    let mut backoff = Backoff::new(links.timings.reconnect_max);
    loop {
        let attempt = attempt(links.clone(), cluster.clone(), route.clone());
        drop(sessions.spawn(attempt.in_current_span()));
        let grown_old = sleep(age(links.timings.max_age, rand::random()));
        let failed = tokio::select! {
            failed = failure(sessions) => failed,
            () = grown_old => continue,
        };
        if failed.began.elapsed() >= links.timings.stable_after {
            backoff.reset();
        }
        if matches!(&failed.outcome, Ok(Ended::Refused(_))) {
            backoff.slow_down();
        }
        if !links.registry.expects(cluster) {
            return;
        }
        let pause = backoff.pause(None, rand::random());
        let reason = match &failed.outcome {
            Ok(ended) => ended.to_string(),
            Err(error) => kubeplex_link::reason(error.as_ref()),
        };
        tracing::warn!(reason, url = %route.url, again_in_ms = pause.as_millis(), "no link to the agent");
        sleep(pause).await;
    }
}

/// Waits for a session to end, other than because another one took over.
async fn failure(sessions: &mut JoinSet<Attempt>) -> Attempt {
    loop {
        match sessions.join_next().await {
            Some(Ok(Attempt { outcome: Ok(Ended::Replaced), .. })) => {}
            Some(Ok(failed)) => return failed,
            // A bug, contained: the next attempt may do better.
            Some(Err(error)) => return Attempt { began: Instant::now(), outcome: Err(error.into()) },
            None => std::future::pending().await,
        }
    }
}

async fn attempt(links: Links, cluster: ClusterId, route: Route) -> Attempt {
    Attempt { began: Instant::now(), outcome: run(links, cluster, route).await }
}

async fn run(links: Links, cluster: ClusterId, route: Route) -> anyhow::Result<Ended> {
    let tasks = LinkTasks::new(links.tracker.clone(), CancellationToken::new());
    let guard = tasks.cut_on_drop();
    let activity = Activity::start();
    let connecting = async {
        let (stream, origin) = dial(&route, activity.clone()).await?;
        let (client, connection) = http2::connect(stream, tasks.clone()).await?;
        Ok::<_, anyhow::Error>((client.to(origin), connection))
    };
    let (client, connection) = timeout(links.timings.dial, connecting)
        .await
        .map_err(|_| anyhow::anyhow!("the agent did not answer within {:?}", links.timings.dial))??;
    let control = Control::new(&links, cluster, Carrier::Http2(client), activity);
    drop(guard.disarm());
    Ok(session::hold(&links, control, connection, tasks).await)
}
