//! Agents that live in this process: no connection, and otherwise the same conversation.

use axum::Router;
use kubeplex_link::activity::Activity;
use kubeplex_link::backoff::Backoff;
use kubeplex_proto::ids::ClusterId;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::Links;
use super::control::{Control, Ended};
use crate::carrier::Carrier;

impl Links {
    /// Attaches an agent of this process as the agent of `id`, which must be expected. When the conversation with it ends, it
    /// is begun anew, for as long as the cluster is expected.
    pub fn attach_in_process(&self, id: ClusterId, router: Router) {
        let span = tracing::info_span!("link", cluster = %id, carrier = "in process");
        drop(self.tracker.spawn(converse(self.clone(), id, Carrier::InProcess(router)).instrument(span)));
    }
}

async fn converse(links: Links, cluster: ClusterId, carrier: Carrier) {
    let mut backoff = Backoff::new(links.timings.reconnect_max);
    while !links.stop.is_cancelled() && links.registry.expects(&cluster) {
        let began = Instant::now();
        let ended = Control::new(&links, cluster.clone(), carrier.clone(), Activity::start()).run().await;
        if matches!(ended, Ended::Stopping | Ended::Replaced) {
            return;
        }
        if matches!(ended, Ended::Dismissed) && !links.registry.expects(&cluster) {
            return tracing::info!(reason = %ended, "the agent in this process is not attached any more");
        }
        tracing::warn!(reason = %ended, "the agent in this process is not attached any more");
        if began.elapsed() >= links.timings.stable_after {
            backoff.reset();
        }
        let pause = tokio::time::sleep(backoff.pause(None, rand::random()));
        links.stop.run_until_cancelled(pause).await;
    }
}
