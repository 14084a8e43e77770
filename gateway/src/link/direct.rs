//! Agents that the gateway dials, on networks that lead to their clusters.
//!
//! What is dialled says which cluster it is, and what the agent says of itself is only compared with it. A link that has grown
//! old is replaced as one that an agent dialled: the next one is opened while it serves. So it is where a cluster is to be
//! dialled another way: the links of the way before are left once the first by the new one has a report in, or has failed.

use std::collections::HashMap;
use std::sync::Arc;

use kubeplex_link::activity::Activity;
use kubeplex_link::backoff::Backoff;
use kubeplex_link::direct::{Route, dial};
use kubeplex_link::http2;
use kubeplex_link::tasks::LinkTasks;
use kubeplex_link::timings::age;
use kubeplex_proto::ids::ClusterId;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::Instrument as _;

use super::attempt::Attempt;
use super::control::{Control, Ended, Leaving};
use super::{Links, session};
use crate::carrier::Carrier;

/// The clusters that are dialled, and how. Who drops a cluster's has it dialled no more.
pub(super) type Routes = Arc<Mutex<HashMap<ClusterId, watch::Sender<Route>>>>;

/// The links by one route.
struct Way {
    route: Route,
    /// Tells them to end.
    left: CancellationToken,
    /// Until the first of them has a report in, or has failed: then those of the way before are left.
    before: Option<DropGuard>,
}

impl Links {
    /// Keeps a link to the agent of `cluster`, which must be expected; by this route from now on, if it is dialled already.
    pub fn dial(&self, cluster: ClusterId, route: Route) {
        let mut routes = self.routes.lock();
        // Of a cluster that was not expected any more, nobody listens.
        let rerouted = routes.get(&cluster).is_some_and(|known| known.send(route.clone()).is_ok());
        if rerouted {
            return;
        }
        let (known, receiver) = watch::channel(route);
        routes.insert(cluster.clone(), known);
        let span = tracing::info_span!("link", %cluster, carrier = "direct");
        drop(self.tracker.spawn(keep(self.clone(), cluster, receiver).instrument(span)));
    }

    /// Dials the agent of `cluster` no more, and leaves it.
    pub fn hang_up(&self, cluster: &ClusterId) {
        self.routes.lock().remove(cluster);
    }
}

async fn keep(links: Links, cluster: ClusterId, routes: watch::Receiver<Route>) {
    let mut sessions = JoinSet::new();
    let stop = links.stop.clone();
    stop.run_until_cancelled(keep_linked(&links, &cluster, routes, &mut sessions)).await;
    // Each ends with the gateway.
    while sessions.join_next().await.is_some() {}
}

/// Ends only when the cluster is not to be dialled any more. There are two sessions while one takes over from the other.
async fn keep_linked(
    links: &Links,
    cluster: &ClusterId,
    mut routes: watch::Receiver<Route>,
    sessions: &mut JoinSet<Attempt>,
) {
    let mut backoff = Backoff::new(links.timings.reconnect_max);
    let mut way = Way::of(routes.borrow_and_update().clone());
    loop {
        drop(sessions.spawn(way.attempt(links, cluster).in_current_span()));
        let grown_old = sleep(age(links.timings.max_age, rand::random()));
        let failed = tokio::select! {
            failed = failure(sessions) => failed,
            () = grown_old => continue,
            changed = routes.changed() => match changed {
                Ok(()) => {
                    way = way.followed_by(routes.borrow_and_update().clone());
                    backoff.reset();
                    continue;
                }
                Err(_) => return way.left.cancel(),
            },
        };
        if failed.began.elapsed() >= links.timings.stable_after {
            backoff.reset();
        }
        if failed.needs_a_person() {
            backoff.slow_down();
        }
        if !links.registry.expects(cluster) {
            return;
        }
        let pause = backoff.pause(None, rand::random());
        failed.note(links, cluster, &way.route, pause);
        tokio::select! {
            () = sleep(pause) => {}
            changed = routes.changed() => match changed {
                Ok(()) => {
                    way = way.followed_by(routes.borrow_and_update().clone());
                    backoff.reset();
                }
                Err(_) => return way.left.cancel(),
            },
        }
    }
}

/// Waits for a session to end, other than because another one took over.
async fn failure(sessions: &mut JoinSet<Attempt>) -> Attempt {
    loop {
        match sessions.join_next().await {
            Some(Ok(Attempt { outcome: Ok(Ended::Replaced | Ended::Left), .. })) => {}
            Some(Ok(failed)) => return failed,
            // A bug, contained: the next attempt may do better.
            Some(Err(error)) => return Attempt { began: Instant::now(), outcome: Err(error.into()) },
            None => std::future::pending().await,
        }
    }
}

impl Way {
    fn of(route: Route) -> Self {
        Self { route, left: CancellationToken::new(), before: None }
    }

    fn followed_by(self, route: Route) -> Self {
        tracing::info!(url = %route.url, "the agent is dialled another way");
        Self { before: Some(self.left.drop_guard()), ..Self::of(route) }
    }

    /// Dials once, and holds the link.
    fn attempt(&mut self, links: &Links, cluster: &ClusterId) -> impl Future<Output = Attempt> + use<> {
        let (links, cluster, route) = (links.clone(), cluster.clone(), self.route.clone());
        let (left, before) = (self.left.clone(), self.before.take());
        async move {
            let began = Instant::now();
            let leaving = Leaving { told: left, before };
            Attempt { began, outcome: run(links, cluster, route, leaving).await }
        }
    }
}

async fn run(links: Links, cluster: ClusterId, route: Route, leaving: Leaving) -> anyhow::Result<Ended> {
    let tasks = LinkTasks::new(links.tracker.clone(), CancellationToken::new());
    let guard = tasks.cut_on_drop();
    let activity = Activity::start();
    let (stream, origin) = dial(&route, activity.clone(), links.timings.dial).await?;
    let (client, connection) = http2::connect(stream, tasks.clone()).await?;
    let client = client.to(origin);
    let control = Control::new(&links, cluster, Carrier::Http2(client), activity).leaving(leaving);
    drop(guard.disarm());
    Ok(session::hold(&links, control, connection, tasks).await)
}
