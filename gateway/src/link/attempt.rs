//! One attempt at an agent that is dialled, and what is said of one that came to nothing: in the log with all that is known,
//! and in answers with what has to be done.

use std::time::Duration;

use kubeplex_link::dial::DialError;
use kubeplex_link::direct::Route;
use kubeplex_proto::ids::ClusterId;
use tokio::time::Instant;

use super::Links;
use super::control::Ended;
use super::said::News;
use crate::carrier::CarrierError;

/// One attempt, and what became of it.
pub(super) struct Attempt {
    pub(super) began: Instant,
    pub(super) outcome: Result<Ended, anyhow::Error>,
}

impl Attempt {
    /// Whether trying again soon can't help.
    pub(super) fn needs_a_person(&self) -> bool {
        match &self.outcome {
            Ok(ended) => matches!(ended, Ended::Refused(_) | Ended::Broken(CarrierError::Refused(_))),
            Err(error) => error.downcast_ref().is_some_and(DialError::distrusts_certificate),
        }
    }

    /// Notes why there is no link. The same reason is logged once, until there was a link again.
    pub(super) fn note(&self, links: &Links, cluster: &ClusterId, route: &Route, pause: Duration) {
        let what = self.explained();
        links.registry.note_no_link(cluster, &what);
        let reason = match &self.outcome {
            Ok(ended) => ended.to_string(),
            Err(error) => kubeplex_link::reason(error.as_ref()),
        };
        let (url, again_in_ms) = (&route.url, pause.as_millis());
        match links.said.of(cluster.as_str(), &reason) {
            News::Say if self.needs_a_person() => {
                tracing::error!(reason, %url, again_in_ms, "no link to the agent: {what}");
            }
            News::Say => tracing::warn!(reason, %url, again_in_ms, "no link to the agent: {what}"),
            News::Known | News::SayThatThereAreMore => {
                tracing::debug!(reason, %url, again_in_ms, "no link to the agent");
            }
        }
    }

    /// What is wrong and what would mend it, for everybody who may see the cluster: where its agent is stays unsaid.
    fn explained(&self) -> String {
        let error = match &self.outcome {
            Ok(Ended::Broken(CarrierError::Refused(refusal))) => {
                let hint = refusal.hint.as_ref().map(|hint| format!(": {hint}")).unwrap_or_default();
                return format!("the agent refuses the gateway, {}{hint}", refusal.message);
            }
            Ok(ended) => return ended.to_string(),
            Err(error) => error,
        };
        match error.downcast_ref() {
            Some(error) if DialError::distrusts_certificate(error) => format!(
                "the agent's certificate is not trusted ({}): name the authority that signed it as ca_file of the cluster, \
                 and dial the name that it was made for",
                root(error)
            ),
            Some(DialError::Token(_)) => {
                "the token for the agent can't be read: put it into the cluster's token_file".to_owned()
            }
            Some(DialError::Lookup { .. } | DialError::NoAddress { .. }) => {
                "the agent's name leads to no address: put the cluster's url right".to_owned()
            }
            Some(DialError::Connect { source, .. }) => format!(
                "nobody answers where the agent is dialled ({source}): is it running, with [serve] in its configuration, and \
                 the cluster's url right?"
            ),
            Some(DialError::Tls { source, .. }) => {
                format!(
                    "what answers where the agent is dialled speaks no TLS ({source}): is the cluster's url right?"
                )
            }
            _ => root(error.as_ref()),
        }
    }
}

/// What is behind an error.
fn root(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.last().map(ToString::to_string).unwrap_or_default()
}
