//! One connection to the gateway: dialled, served, and left again.

use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper_util::service::TowerToHyperService;
use kubeplex_link::activity::Activity;
use kubeplex_link::dial::{DialError, dial};
use kubeplex_link::http2;
use kubeplex_link::liveness::LivenessWatch;
use kubeplex_link::tasks::LinkTasks;
use kubeplex_link::websocket::LinkStream;
use kubeplex_proto::control::Refusal;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::config::LinkConfig;
use super::verdict::{self, Verdict};

/// How a connection ended.
pub(super) enum Ended {
    /// The agent stops.
    Shutdown,
    Failed {
        failure: Failure,
        /// How long the gateway had accepted the link; `None` if it never did.
        linked_for: Option<Duration>,
    },
}

/// Why there is no link, or none any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("dialling the gateway")]
    Dial(#[from] DialError),
    #[error("the gateway did not answer within {0:?}")]
    DialTimeout(Duration),
    #[error("the gateway did not accept the link within {0:?}")]
    Ignored(Duration),
    #[error(transparent)]
    Refused(Refusal),
    #[error("the gateway was silent for {0:?}")]
    Lost(Duration),
    #[error("the gateway closed the link")]
    Closed,
    #[error("the link broke")]
    Broken(#[source] hyper::Error),
}

/// Dials once and serves `router` until the link ends.
pub(super) async fn run(
    config: &LinkConfig,
    router: &Router,
    tracker: &TaskTracker,
    shutdown: &CancellationToken,
) -> Ended {
    let activity = Activity::start();
    let dialling = dial(&config.url, &config.token, &config.trust, activity.clone());
    let dialled = shutdown.run_until_cancelled(timeout(config.timings.dial, dialling)).await;
    let failure = match dialled {
        None => return Ended::Shutdown,
        Some(Ok(Ok(stream))) => return serve(config, router, tracker, shutdown, stream, activity).await,
        Some(Ok(Err(error))) => Failure::Dial(error),
        Some(Err(_)) => Failure::DialTimeout(config.timings.dial),
    };
    Ended::Failed { failure, linked_for: None }
}

async fn serve(
    config: &LinkConfig,
    router: &Router,
    tracker: &TaskTracker,
    shutdown: &CancellationToken,
    stream: LinkStream,
    activity: Activity,
) -> Ended {
    let tasks = LinkTasks::new(tracker.clone(), CancellationToken::new());
    let _cut = tasks.cut_on_drop();
    let drain = CancellationToken::new();
    let (router, mut verdict) = verdict::observe(router, drain.clone());
    let service = TowerToHyperService::new(router);
    let mut serving = pin!(http2::serve(stream, service, tasks, drain.clone()));
    let mut welcomed = None;
    let failure = tokio::select! {
        result = &mut serving => ended(result),
        failure = watch(config, &activity, &mut verdict, &mut welcomed) => failure,
        () = shutdown.cancelled() => {
            drain.cancel();
            // Whoever is not done by then is cut.
            let _ = timeout(config.timings.drain, serving).await;
            return Ended::Shutdown;
        }
    };
    // A gateway that refuses closes the connection right behind its refusal: the refusal says more.
    let failure = match &*verdict.borrow() {
        Verdict::Refused(refusal) => Failure::Refused(refusal.clone()),
        _ => failure,
    };
    Ended::Failed { failure, linked_for: welcomed.map(|since: Instant| since.elapsed()) }
}

fn ended(result: Result<(), hyper::Error>) -> Failure {
    match result {
        Ok(()) => Failure::Closed,
        Err(error) => Failure::Broken(error),
    }
}

/// Resolves when the link is to be given up, whatever the connection says.
async fn watch(
    config: &LinkConfig,
    activity: &Activity,
    verdict: &mut watch::Receiver<Verdict>,
    welcomed: &mut Option<Instant>,
) -> Failure {
    let mut liveness = LivenessWatch::new(activity.clone(), &config.timings);
    // The gateway's patience with the hello, and as much for what lies between.
    let patience = config.timings.hello * 2;
    let first_word = timeout(patience, verdict.wait_for(|verdict| *verdict != Verdict::Pending));
    let first_word = tokio::select! {
        first_word = first_word => first_word.map(|verdict| verdict.ok().map(|verdict| verdict.clone())),
        () = liveness.lost() => return Failure::Lost(activity.silence()),
    };
    let terms = match first_word {
        Ok(Some(Verdict::Welcome(terms))) => terms,
        Ok(Some(Verdict::Refused(refusal))) => return Failure::Refused(refusal),
        Ok(Some(Verdict::Pending) | None) | Err(_) => return Failure::Ignored(patience),
    };
    *welcomed = Some(Instant::now());
    tracing::info!(cluster = %config.cluster, gateway = %config.url, "linked to the gateway");
    // From here on the gateway's terms count: it beats as often as it says, which may be too seldom for the agent's own.
    LivenessWatch::new(activity.clone(), &config.timings.under(&terms)).lost().await;
    Failure::Lost(activity.silence())
}

#[cfg(test)]
mod tests;
