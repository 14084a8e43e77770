//! The agent's end of the link: dials the gateway, serves it, and dials again, for ever.
//!
//! A link does not only break, it grows old: the next one is opened while it serves, and it is left when that one is
//! accepted, so that no call meets an agent without a link. One connection is `session`'s affair, what the gateway says on
//! its control stream `verdict`'s, and what to make of an end `failure`'s. Where gateways dial instead, they are received by
//! `listen`, and served as over a link that the agent opened. The service itself knows nothing of links: it is
//! the same router that a gateway in this process would call directly.

mod certificate;
mod config;
mod failure;
mod listen;
mod session;
#[cfg(test)]
mod tests;
mod verdict;

use std::io;
use std::sync::Arc;

use axum::Router;
use kubeplex_link::activity::Activity;
use kubeplex_link::backoff::Backoff;
use kubeplex_link::dial::{DialError, Route, dial, dial_over};
use kubeplex_link::timings::Timings;
use kubeplex_link::websocket::{ByteStream, LinkStream};
use kubeplex_proto::ids::ClusterId;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use certificate::Certificate;
pub use config::{InvalidLink, LinkConfig};
pub use listen::{Door, listen};
use session::{Due, Link};

use crate::gauges;

/// What the links of one agent have in common.
#[derive(Clone)]
struct Agent {
    cluster: ClusterId,
    /// The other end, for messages.
    gateway: String,
    timings: Timings,
    router: Router,
    tracker: TaskTracker,
    shutdown: CancellationToken,
}

/// Keeps a link to the gateway and serves `router` on it. Tasks of the connections belong to `tracker`. Returns when
/// `shutdown` is cancelled and requests under way have ended, or had their time to.
pub async fn run(config: LinkConfig, router: Router, tracker: TaskTracker, shutdown: CancellationToken) {
    let (agent, route) = Agent::new(config, router, tracker, shutdown);
    let patience = agent.timings.dial;
    let dial = move |activity| {
        let route = Arc::clone(&route);
        async move { dial(&route, activity, patience).await }
    };
    keep(agent, dial).await;
}

/// As [`run`], over connections that `connect` makes in the place of the network.
pub async fn run_over<C, F, S>(
    config: LinkConfig,
    router: Router,
    tracker: TaskTracker,
    shutdown: CancellationToken,
    connect: C,
) where
    C: Fn() -> F + Send + Sync,
    F: Future<Output = io::Result<S>> + Send,
    S: ByteStream + 'static,
{
    let (agent, route) = Agent::new(config, router, tracker, shutdown);
    let patience = agent.timings.dial;
    let dial = move |activity| {
        let (route, connecting) = (Arc::clone(&route), connect());
        async move { dial_over(&route, connecting, activity, patience).await }
    };
    keep(agent, dial).await;
}

impl Agent {
    fn new(
        config: LinkConfig,
        router: Router,
        tracker: TaskTracker,
        shutdown: CancellationToken,
    ) -> (Self, Arc<Route>) {
        let LinkConfig { route, cluster, timings } = config;
        let gateway = route.url.to_string();
        (Self { cluster, gateway, timings, router, tracker, shutdown }, Arc::new(route))
    }
}

/// As [`run`], over whatever `dial` leads to.
async fn keep<D, F>(agent: Agent, dial: D)
where
    D: Fn(Activity) -> F + Send + Sync,
    F: Future<Output = Result<LinkStream, DialError>> + Send,
{
    let mut links = JoinSet::new();
    let mut serving = None;
    agent.shutdown.run_until_cancelled(keep_linked(&agent, dial, &mut links, &mut serving)).await;
    serving.into_iter().for_each(Link::retire);
    // Each has its time to end what is under way.
    while links.join_next().await.is_some() {}
}

/// Never ends. `links` owns every connection, `serving` is the one that the gateway uses.
async fn keep_linked<D, F>(agent: &Agent, dial: D, links: &mut JoinSet<()>, serving: &mut Option<Link>)
where
    D: Fn(Activity) -> F + Send + Sync,
    F: Future<Output = Result<LinkStream, DialError>> + Send,
{
    let timings = agent.timings;
    let mut backoff = Backoff::new(timings.reconnect_max);
    loop {
        while links.try_join_next().is_some() {}
        let failure = match session::open(agent, &dial, links).await {
            Err(failure) => failure,
            Ok(link) => {
                gauges::hold("kubeplex_agent_linked", 1.0);
                // Make before break: by now the gateway asks over the new one.
                if let Some(before) = serving.take() {
                    before.retire();
                }
                let link = serving.insert(link);
                match link.due().await {
                    Due::Aged => {
                        backoff.reset();
                        continue;
                    }
                    Due::Over(failure) => {
                        if link.lasted() >= timings.stable_after {
                            backoff.reset();
                        }
                        // What is under way may end, where it can.
                        serving.take().into_iter().for_each(Link::retire);
                        failure
                    }
                }
            }
        };
        gauges::hold("kubeplex_agent_linked", f64::from(u8::from(serving.is_some())));
        metrics::counter!("kubeplex_agent_link_failures_total", "reason" => failure.label()).increment(1);
        if failure.needs_a_person() {
            backoff.slow_down();
        }
        let pause = backoff.pause(failure.retry_after(), rand::random());
        failure.log(&agent.cluster, pause);
        sleep(pause).await;
    }
}
