//! The agent's end of the link: dials the gateway, serves it, and dials again when the link breaks, for ever.
//!
//! One connection is `session`'s affair, what the gateway says on its control stream `verdict`'s. The service itself
//! knows nothing of links: it is the same router that a gateway in this process would call directly.

mod config;
mod session;
mod verdict;

use std::time::Duration;

use axum::Router;
use http::StatusCode;
use kubeplex_link::backoff::Backoff;
use kubeplex_link::dial::DialError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use config::{InvalidLink, LinkConfig};
use session::{Ended, Failure};

/// Keeps a link to the gateway and serves `router` on it. Tasks of the connections belong to `tracker`. Returns when
/// `shutdown` is cancelled and requests under way have ended, or had their time to.
pub async fn run(config: LinkConfig, router: Router, tracker: TaskTracker, shutdown: CancellationToken) {
    let mut backoff = Backoff::new(config.timings.reconnect_max);
    while !shutdown.is_cancelled() {
        let ended = session::run(&config, &router, &tracker, &shutdown).await;
        let Ended::Failed { failure, linked_for } = ended else { break };
        if linked_for.is_some_and(|lasted| lasted >= config.timings.stable_after) {
            backoff.reset();
        }
        if needs_a_person(&failure) {
            backoff.slow_down();
        }
        let pause = backoff.pause(retry_after(&failure), rand::random());
        log(&config, &failure, pause);
        shutdown.run_until_cancelled(tokio::time::sleep(pause)).await;
    }
}

/// Whether trying again soon can't help.
fn needs_a_person(failure: &Failure) -> bool {
    match failure {
        Failure::Dial(DialError::Refused { status, .. }) => {
            matches!(*status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
        }
        Failure::Dial(DialError::Tls { .. }) => true,
        Failure::Refused(refusal) => refusal.retry_after_ms.is_none(),
        _ => false,
    }
}

fn retry_after(failure: &Failure) -> Option<Duration> {
    match failure {
        Failure::Dial(DialError::Refused { retry_after, .. }) => *retry_after,
        Failure::Refused(refusal) => refusal.retry_after_ms.map(Duration::from_millis),
        _ => None,
    }
}

fn log(config: &LinkConfig, failure: &Failure, pause: Duration) {
    let reason = kubeplex_link::reason(failure);
    let (cluster, again_in_ms) = (&config.cluster, pause.as_millis());
    match failure {
        Failure::Dial(DialError::Refused { status: StatusCode::UNAUTHORIZED, .. }) => tracing::error!(
            %cluster, again_in_ms, reason,
            "the gateway does not know this agent's token: put the token's SHA-256 beside the cluster's name in the \
             gateway's configuration, or give the agent the token that belongs there"
        ),
        Failure::Dial(DialError::Refused { status: StatusCode::FORBIDDEN, .. }) => tracing::error!(
            %cluster, again_in_ms, reason,
            "the gateway knows this agent's token and does not expect its cluster: add it to the gateway's configuration"
        ),
        Failure::Dial(DialError::Tls { .. }) => tracing::error!(
            %cluster, again_in_ms, reason,
            "the gateway's certificate is not trusted: name the authority that signed it with ca_file, and dial the name \
             that it was made for"
        ),
        Failure::Refused(_) => tracing::error!(%cluster, again_in_ms, reason, "the link was not accepted"),
        _ => tracing::warn!(%cluster, again_in_ms, reason, "no link to the gateway"),
    }
}

#[cfg(test)]
mod tests {
    use kubeplex_proto::control::Refusal;

    use super::*;

    #[test]
    fn what_only_a_person_can_mend_is_not_tried_in_haste() {
        let refused = |status| {
            Failure::Dial(DialError::Refused {
                url: String::new(),
                status,
                message: String::new(),
                retry_after: Some(Duration::from_secs(7)),
            })
        };
        let table = [
            (refused(StatusCode::UNAUTHORIZED), true, Some(7)),
            (refused(StatusCode::FORBIDDEN), true, Some(7)),
            (refused(StatusCode::SERVICE_UNAVAILABLE), false, Some(7)),
            (Failure::Refused(Refusal { message: String::new(), retry_after_ms: None }), true, None),
            (
                Failure::Refused(Refusal { message: String::new(), retry_after_ms: Some(5_000) }),
                false,
                Some(5),
            ),
            (Failure::Closed, false, None),
        ];
        for (failure, person, wait) in table {
            assert_eq!(needs_a_person(&failure), person, "{failure:?}");
            assert_eq!(retry_after(&failure), wait.map(Duration::from_secs), "{failure:?}");
        }
    }
}
