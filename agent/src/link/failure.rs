//! Why there is no link, or none any more, and what is to be done about it.

use std::time::Duration;

use http::StatusCode;
use kubeplex_link::dial::DialError;
use kubeplex_link::proxy::ProxyError;
use kubeplex_proto::control::Refusal;
use kubeplex_proto::ids::ClusterId;

/// Why there is no link, or none any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("dialling the gateway")]
    Dial(#[from] DialError),
    #[error("the gateway did not accept the link within {0:?}")]
    Ignored(Duration),
    #[error(transparent)]
    Refused(Refusal),
    #[error("the gateway was silent for {0:?}")]
    Lost(Duration),
    /// It asks nothing new; what is under way may end.
    #[error("the gateway leaves the link")]
    Left,
    #[error("the gateway closed the link")]
    Closed,
    #[error("the link broke")]
    Broken(#[source] hyper::Error),
}

impl Failure {
    /// Whether trying again soon can't help.
    pub(super) fn needs_a_person(&self) -> bool {
        match self {
            Self::Dial(DialError::Refused { status, .. }) => {
                matches!(*status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
            }
            Self::Dial(error @ DialError::Tls { .. }) => error.distrusts_certificate(),
            Self::Dial(DialError::Proxy { source: ProxyError::Refused { status, .. }, .. }) => {
                status.is_client_error()
            }
            Self::Refused(refusal) => refusal.retry_after_ms.is_none(),
            _ => false,
        }
    }

    /// How long the gateway asks to wait.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Dial(DialError::Refused { retry_after, .. }) => *retry_after,
            Self::Refused(refusal) => refusal.retry_after_ms.map(Duration::from_millis),
            _ => None,
        }
    }

    /// For the metrics: one of a closed set.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Dial(DialError::Refused { .. }) | Self::Refused(_) => "refused",
            Self::Dial(_) => "unreachable",
            Self::Ignored(_) => "ignored",
            Self::Lost(_) => "lost",
            Self::Left | Self::Closed => "closed",
            Self::Broken(_) => "broken",
        }
    }

    /// What somebody can do about it, where it is known what that is.
    fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Dial(DialError::Refused { status: StatusCode::UNAUTHORIZED, .. }) => Some(
                "the gateway does not know this agent's token: put the token's SHA-256 beside the cluster's name in the \
                 gateway's configuration, or give the agent the token that belongs there",
            ),
            Self::Dial(DialError::Refused { status: StatusCode::FORBIDDEN, .. }) => Some(
                "the gateway knows this agent's token and does not expect its cluster: add it to the gateway's configuration",
            ),
            Self::Dial(error) if error.distrusts_certificate() => Some(
                "the gateway's certificate is not trusted: name the authority that signed it with ca_file, and dial the name \
                 that it was made for",
            ),
            Self::Dial(DialError::Proxy { source, .. }) => Some(match source {
                ProxyError::Refused { status: StatusCode::PROXY_AUTHENTICATION_REQUIRED, .. } => {
                    "the proxy wants to know who asks: write USER:PASSWORD@ before its name, in gateway.proxy_url or in \
                     HTTPS_PROXY, whichever names it"
                }
                _ => {
                    "the proxy opens no way to the gateway: have it allow CONNECT to the gateway's host and port, or dial \
                     without it (gateway.proxy_url or HTTPS_PROXY names it, NO_PROXY what is dialled without)"
                }
            }),
            Self::Refused(_) => Some("the link was not accepted"),
            _ => None,
        }
    }

    /// Says what happened, and when the gateway is dialled again.
    pub(super) fn log(&self, cluster: &ClusterId, pause: Duration) {
        let reason = kubeplex_link::reason(self);
        let again_in_ms = pause.as_millis();
        let said = self.remedy().unwrap_or("no link to the gateway");
        match self {
            Self::Left => tracing::info!(%cluster, again_in_ms, "the gateway leaves the link"),
            _ if self.needs_a_person() => tracing::error!(%cluster, again_in_ms, reason, "{said}"),
            _ => tracing::warn!(%cluster, again_in_ms, reason, "{said}"),
        }
    }
}

#[cfg(test)]
mod tests {
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
            assert_eq!(failure.needs_a_person(), person, "{failure:?}");
            assert_eq!(failure.retry_after(), wait.map(Duration::from_secs), "{failure:?}");
        }
    }
}
