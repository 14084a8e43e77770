//! One connection of one agent, from its handshake to the last reply.

use futures::FutureExt as _;
use futures::future::FusedFuture as _;
use kubeplex_link::accept::Upgrading;
use kubeplex_link::activity::Activity;
use kubeplex_link::http2;
use kubeplex_link::tasks::LinkTasks;
use kubeplex_proto::ids::ClusterId;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::Links;
use super::control::{Control, Ended};
use super::credentials::Believed;
use super::said::News;
use crate::carrier::{Carrier, CarrierError};

/// Runs the connection of an agent that may speak for a cluster.
pub(super) async fn run(
    links: Links,
    believed: Believed,
    upgrading: Upgrading,
    arrival: OwnedSemaphorePermit,
) {
    let tasks = LinkTasks::new(links.tracker.clone(), CancellationToken::new());
    let guard = tasks.cut_on_drop();
    let activity = Activity::start();
    let connecting = async {
        let stream = upgrading.stream(activity.clone()).await.map_err(anyhow::Error::from)?;
        Ok::<_, anyhow::Error>(http2::connect(stream, tasks.clone()).await?)
    };
    let (client, connection) = match timeout(links.timings.hello, connecting).await {
        Ok(Ok(connected)) => connected,
        Ok(Err(error)) => {
            return tracing::warn!(error = format!("{error:#}"), "a link broke before it stood");
        }
        Err(_) => return tracing::warn!("a link broke off after the WebSocket handshake: no HTTP/2 came"),
    };
    let cluster = believed.cluster().clone();
    let control = Control::new(&links, cluster, Carrier::Http2(client), activity);
    let control = control.syncing(arrival).believed(believed);
    drop(guard.disarm());
    hold(&links, control, connection, tasks).await;
}

/// Holds the conversation on a connection. When it is over, calls under way may end: the connection ends with the last of them,
/// or is cut when their time is over.
pub(super) async fn hold(
    links: &Links,
    control: Control,
    connection: impl Future<Output = Result<(), hyper::Error>> + Send + 'static,
    tasks: LinkTasks,
) -> Ended {
    // However this ends, nothing of the connection may be left behind.
    let cut = tasks.cut_on_drop();
    let (cluster, refused) = (control.cluster().clone(), control.refused());
    let mut connection = Box::pin(connection.fuse());
    let began = Instant::now();
    let ended = tokio::select! {
        ended = control.run() => ended,
        // An agent that says good-bye answers what it was asked before: the connection takes nothing more from then on, and
        // its last streams are tasks of their own.
        result = &mut connection => {
            let ended = refused.get().cloned().map_or_else(|| broken(result), Ended::Refused);
            links.metrics.ended(&ended);
            ended
        }
    };
    over(links, &cluster, &ended, began);
    let (timings, stop) = (links.timings, links.stop.clone());
    let patience = match &ended {
        Ended::Lost(_) | Ended::Broken(_) | Ended::Displaced | Ended::Dismissed | Ended::Flooding => {
            return ended;
        }
        Ended::Stopping => timings.drain,
        Ended::Closed | Ended::Replaced | Ended::Left | Ended::NoHello | Ended::Refused(_) => timings.retire,
    };
    let lingering = async move {
        let _cut = cut;
        // It counts as in use until the future that drives it is dropped.
        let rest = async {
            if !connection.is_terminated() {
                let _ = connection.await;
            }
            tasks.ended().await;
        };
        let stopped = async {
            stop.cancelled().await;
            sleep(timings.drain).await;
        };
        tokio::select! {
            _ = timeout(patience, rest) => {}
            () = stopped => {}
        }
    };
    drop(links.tracker.spawn(lingering.in_current_span()));
    ended
}

fn over(links: &Links, cluster: &ClusterId, ended: &Ended, began: Instant) {
    let reason = ended.to_string();
    if !matches!(ended, Ended::Refused(_)) {
        return tracing::info!(reason, lasted_s = began.elapsed().as_secs(), "the link is over");
    }
    links.registry.note_no_link(cluster, &reason);
    // It comes again and again, until somebody has mended what is wrong.
    match links.said.of(cluster.as_str(), &reason) {
        News::Say => {
            tracing::warn!(
                reason,
                "an agent's link was not accepted; the same is not said again within the hour"
            );
        }
        News::Known | News::SayThatThereAreMore => {
            tracing::debug!(reason, "an agent's link was not accepted");
        }
    }
}

fn broken(result: Result<(), hyper::Error>) -> Ended {
    match result {
        Ok(()) => Ended::Closed,
        Err(error) => Ended::Broken(CarrierError::Broken(error.into())),
    }
}
