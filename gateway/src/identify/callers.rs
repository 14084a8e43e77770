//! Whom this gateway knows, and by which token.

use std::sync::Arc;

use http::HeaderMap;
use metrics::Counter;
use parking_lot::RwLock;

use super::Caller;
use crate::config::{ConfiguredCaller, GatewayConfig, Protection, TokenHash};
use crate::telemetry::Telemetry;
use crate::tokens::{Tokens, bearer};

/// The table of callers. Clones share it, and it can be replaced while calls run.
#[derive(Clone)]
pub struct Callers(Arc<Shared>);

struct Shared {
    without_tokens: WithoutTokens,
    known: RwLock<Arc<Tokens<Caller>>>,
    metrics: CallersMetrics,
}

/// Who a caller is where no token is known at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WithoutTokens {
    /// The person at this machine: nobody else reaches the listener.
    LocalUser,
    /// Nobody.
    Stranger,
}

/// Why a request is nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unidentified {
    #[error("no token was shown; \"Authorization: Bearer <token>\" is wanted, once")]
    NoToken,
    #[error("the token is not one of this gateway's callers")]
    UnknownToken,
}

impl Callers {
    /// The callers of a configuration. A gateway that began with tokens never goes back to asking for none: what it checks
    /// of hosts and who reaches its listener was decided with them.
    pub fn new(config: &GatewayConfig, telemetry: &Telemetry) -> Self {
        let without_tokens =
            if tokens_wanted(config) { WithoutTokens::Stranger } else { WithoutTokens::LocalUser };
        let known = RwLock::new(Arc::new(table(config.callers())));
        Self(Arc::new(Shared { without_tokens, known, metrics: CallersMetrics::new(telemetry) }))
    }

    /// From now on these are known, and nobody else. Calls that run go on as whoever they were.
    pub fn replace(&self, callers: &[ConfiguredCaller]) {
        *self.0.known.write() = Arc::new(table(callers));
    }

    /// Who sent a request with these headers.
    ///
    /// # Errors
    /// [`Unidentified`], when the request is nobody's.
    pub fn identify(&self, headers: &HeaderMap) -> Result<Caller, Unidentified> {
        let known = Arc::clone(&self.0.known.read());
        if known.is_empty() && self.0.without_tokens == WithoutTokens::LocalUser {
            return Ok(Caller::local_user());
        }
        let caller = match bearer(headers) {
            None => Err(Unidentified::NoToken),
            Some(token) => known.find(&TokenHash::of(token)).cloned().ok_or(Unidentified::UnknownToken),
        };
        if let Err(reason) = caller {
            self.0.metrics.unidentified(reason);
        }
        caller
    }
}

/// Whether everybody has to show a token from the start, from this machine too.
pub(crate) fn tokens_wanted(config: &GatewayConfig) -> bool {
    let here = config.listen().ip().is_loopback();
    !config.callers().is_empty() || !here || *config.protection() == Protection::TlsProxy
}

fn table(callers: &[ConfiguredCaller]) -> Tokens<Caller> {
    callers.iter().map(|configured| (configured.token, Caller::of(configured))).collect()
}

/// Requests that were nobody's, by reason.
struct CallersMetrics {
    no_token: Counter,
    unknown_token: Counter,
}

impl CallersMetrics {
    fn new(telemetry: &Telemetry) -> Self {
        let counter =
            |reason| metrics::counter!("kubeplex_gateway_requests_unidentified_total", "reason" => reason);
        telemetry.register(|| Self { no_token: counter("no_token"), unknown_token: counter("unknown_token") })
    }

    fn unidentified(&self, reason: Unidentified) {
        match reason {
            Unidentified::NoToken => self.no_token.increment(1),
            Unidentified::UnknownToken => self.unknown_token.increment(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::config::{LOCAL_USER, TokenHash};

    fn config(more: &str, tokens: &[(&str, &str)]) -> GatewayConfig {
        let section = |(user, token): &(&str, &str)| {
            format!(
                "[[caller]]\nuser = \"{user}\"\ngroups = [\"g\"]\ntoken_sha256 = \"{}\"\n",
                TokenHash::of(token)
            )
        };
        let sections: String = tokens.iter().map(section).collect();
        GatewayConfig::from_toml(&format!("{more}\n{sections}")).unwrap()
    }

    fn callers(config: &GatewayConfig) -> Callers {
        Callers::new(config, &Telemetry::new())
    }

    fn named(callers: &Callers, headers: &[(&'static str, &'static str)]) -> Result<String, Unidentified> {
        let headers = headers
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)));
        callers.identify(&headers.collect()).map(|caller| caller.user().to_owned())
    }

    #[test]
    fn a_caller_is_what_their_token_says_and_nothing_else() {
        let known = callers(&config("", &[("anna", "alpha"), ("anna", "beta"), ("ben", "gamma")]));
        for (authorization, wanted) in [
            ("Bearer alpha", Ok("anna")),
            ("Bearer beta", Ok("anna")),
            ("Bearer gamma", Ok("ben")),
            ("Bearer delta", Err(Unidentified::UnknownToken)),
            ("Basic cm9vdDo=", Err(Unidentified::NoToken)),
        ] {
            for claim in ["impersonate-user", "x-forwarded-user", "x-remote-user"] {
                let headers = [("authorization", authorization), (claim, "system:admin")];
                assert_eq!(named(&known, &headers), wanted.map(str::to_owned), "{authorization} {claim}");
            }
        }
        assert_eq!(named(&known, &[("x-forwarded-user", "anna")]), Err(Unidentified::NoToken));
    }

    #[test]
    fn without_tokens_it_is_the_person_at_this_machine() {
        let open = callers(&GatewayConfig::default());
        for headers in [&[("impersonate-user", "system:admin")], &[("authorization", "Bearer alpha")]] {
            assert_eq!(named(&open, headers).as_deref(), Ok(LOCAL_USER));
        }
    }

    #[test]
    fn callers_can_be_replaced_and_tokens_stay_wanted() {
        let (one, other) = (config("", &[("anna", "alpha")]), config("", &[("ben", "beta")]));
        let callers = callers(&one);
        let (alpha, beta) = ([("authorization", "Bearer alpha")], [("authorization", "Bearer beta")]);
        callers.replace(other.callers());
        assert_eq!(named(&callers, &alpha), Err(Unidentified::UnknownToken));
        assert_eq!(named(&callers, &beta).as_deref(), Ok("ben"));
        callers.replace(&[]);
        assert_eq!(named(&callers, &[]), Err(Unidentified::NoToken));
    }

    #[test]
    fn a_gateway_without_callers_can_get_some() {
        let callers = callers(&GatewayConfig::default());
        callers.replace(config("", &[("anna", "alpha")]).callers());
        assert_eq!(named(&callers, &[]), Err(Unidentified::NoToken));
    }
}
