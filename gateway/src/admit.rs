//! The fourth stage: is there room for this call now, and has its caller used up their share?
//!
//! What is charged is an upper bound known beforehand, never the measured cost: see [`charges`]. It is charged by caller, class
//! and cluster, in all of a call's clusters or in none, so that a cluster that one caller keeps busy is open to others, and
//! that caller's other clusters to it. A call gets all of its places or none, too, so that two half-admitted calls can't wait
//! for each other, and holds them until it is answered: how many legs it has under way in the meantime changes.

mod charge;
mod metrics;

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use self::charge::{Cell, charges};
use self::metrics::AdmissionMetrics;
use crate::clock::{millis, millis_up};
use crate::error::{CallError, ErrorCode};
use crate::limits::{Limits, RATED_CELLS, RETRY_AFTER, Rate, Rates};
use crate::policy::Permit;
use crate::rates::{Charge, Ledger, LimitedUsers, NotYet};
use crate::request::Request;
use crate::telemetry::Telemetry;
use crate::tools::Class;

/// The gate. One for all calls of a gateway.
#[derive(Debug)]
pub struct Admission {
    calls: Arc<Semaphore>,
    calls_total: usize,
    legs: Arc<Semaphore>,
    /// The most places that one call takes.
    legs_per_call: u32,
    limited: LimitedUsers,
    rates: Ledger<Cell, { Class::ALL.len() }>,
    metrics: AdmissionMetrics,
}

/// A call that has its places, and gives them back when it is dropped.
#[derive(Debug)]
pub struct Admitted {
    permit: Permit,
    _call: OwnedSemaphorePermit,
    _legs: Option<OwnedSemaphorePermit>,
}

impl Admitted {
    pub fn permit(&self) -> &Permit {
        &self.permit
    }

    pub fn request(&self) -> &Request {
        self.permit.request()
    }
}

impl Admission {
    pub fn new(limits: &Limits, telemetry: &Telemetry) -> Self {
        Self {
            calls: Arc::new(Semaphore::new(limits.calls_in_flight)),
            calls_total: limits.calls_in_flight,
            legs: Arc::new(Semaphore::new(limits.legs_in_flight)),
            // A call over more clusters than there are places gets all of them instead of none for ever.
            legs_per_call: u32::try_from(limits.legs_per_call.min(limits.legs_in_flight)).unwrap_or(u32::MAX),
            limited: LimitedUsers::of(&limits.rates),
            rates: Ledger::new(by_class(&limits.rates), RATED_CELLS),
            metrics: AdmissionMetrics::new(telemetry),
        }
    }

    /// From now on these rates count; what is used up of those that stay is remembered.
    pub fn set_rates(&self, rates: &Rates) {
        self.limited.set(rates);
        self.rates.set(by_class(rates));
    }

    /// Calls that are being worked on or wait for their legs' places.
    pub fn calls_in_flight(&self) -> usize {
        self.calls_total.saturating_sub(self.calls.available_permits())
    }

    /// Lets no further call in, and returns when the last one is over.
    pub async fn drain(&self) {
        // Whoever waits for all places gets the ones that come free; a newcomer finds none.
        let all = u32::try_from(self.calls_total).unwrap_or(u32::MAX);
        if let Ok(places) = self.calls.acquire_many(all).await {
            places.forget();
        }
    }

    /// Lets a call of a tool of `class` in, or says when to come back. Legs may have to wait for places; they do so until
    /// `give_up`.
    ///
    /// # Errors
    /// `rate_limited` for a caller above their share, `unavailable` when the gateway is full; both with `retryAfterMs`.
    pub async fn admit(
        &self,
        permit: Permit,
        class: Class,
        effort: Effort,
        give_up: Instant,
    ) -> Result<Admitted, CallError> {
        self.charge(&permit, class, effort)?;
        let call = self.calls.clone().try_acquire_owned().map_err(|_| {
            self.metrics.no_call.increment(1);
            full("calls")
        })?;
        let legs = match effort {
            Effort::Ask => self.leg_places(permit.request().legs().count(), give_up).await?,
            Effort::Show => None,
        };
        Ok(Admitted { permit, _call: call, _legs: legs })
    }

    fn charge(&self, permit: &Permit, class: Class, effort: Effort) -> Result<(), CallError> {
        if !self.limited.contains(permit.caller()) {
            return Ok(());
        }
        let user = permit.caller().user();
        let charges = match effort {
            Effort::Ask => charges(class, user, permit.request()),
            // No cluster is asked and nothing is scanned: it is the gateway's time alone that is shared.
            Effort::Show => vec![Charge::at_gateway(user)],
        };
        self.rates.charge(&charges).map_err(|not_yet| {
            let refused = &charges[not_yet.at];
            let class = Class::ALL[refused.rate];
            self.metrics.rate_limited(class);
            rate_limited(refused, class, not_yet)
        })
    }

    async fn leg_places(
        &self,
        legs: usize,
        give_up: Instant,
    ) -> Result<Option<OwnedSemaphorePermit>, CallError> {
        if legs == 0 {
            return Ok(None);
        }
        // The fan-out sends no more at once; a place is for a leg under way, and not one for each cluster.
        let legs = u32::try_from(legs).unwrap_or(u32::MAX).min(self.legs_per_call);
        let places = self.legs.clone().acquire_many_owned(legs);
        match tokio::time::timeout_at(give_up, places).await {
            Ok(Ok(places)) => Ok(Some(places)),
            Ok(Err(_)) | Err(_) => {
                self.metrics.no_legs.increment(1);
                Err(full("requests to clusters"))
            }
        }
    }
}

/// What a call will have to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// To ask clusters.
    Ask,
    /// To give again what is kept.
    Show,
}

fn by_class(rates: &Rates) -> [Rate; Class::ALL.len()] {
    Class::ALL.map(|class| match class {
        Class::Fleet => rates.fleet,
        Class::Cached => rates.cached,
        Class::Live => rates.live,
    })
}

fn full(of: &str) -> CallError {
    CallError::new(ErrorCode::Unavailable, format!("the gateway already works on as many {of} as it may"))
        .with_hint("try again after retryAfterMs")
        .retry_after_ms(millis(RETRY_AFTER))
}

fn rate_limited(refused: &Charge<Cell>, class: Class, not_yet: NotYet) -> CallError {
    let what = match class {
        Class::Fleet => "of what the gateway answers by itself",
        Class::Cached => "of cached reads",
        Class::Live => "of live reads",
    };
    let cluster = refused.key.cluster();
    let place = cluster.map_or_else(String::new, |cluster| format!(" in {cluster}"));
    let message = format!("the caller has used up its share {what}{place} for the moment");
    let error = CallError::new(ErrorCode::RateLimited, message)
        .with_hint("try again after retryAfterMs, with fewer clusters or less often")
        .retry_after_ms(millis_up(not_yet.wait));
    match cluster {
        Some(cluster) => error.at_cluster(cluster.clone()),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use kubeplex_proto::visibility::Visibility;
    use serde_json::{Value, json};

    use super::*;
    use crate::fleet::Fleet;
    use crate::identify::{Caller, somebody};
    use crate::limits::LocalUser;
    use crate::policy;
    use crate::request::fixtures::{cluster, fleet, resolved};
    use crate::tools;

    fn shops() -> Fleet {
        fleet(vec![cluster("a", &[]), cluster("b", &[]), cluster("c", &[])])
    }

    fn permit(tool: &str) -> Permit {
        permit_in(somebody(Visibility::everything()), tool, &json!({}))
    }

    fn permit_in(caller: Caller, tool: &str, arguments: &Value) -> Permit {
        let request = resolved(&shops(), tool, arguments).unwrap();
        policy::authorize(caller, tools::catalogue().get(tool).unwrap().deed(), request.into()).unwrap()
    }

    fn admission(limits: &Limits) -> Admission {
        Admission::new(limits, &Telemetry::new())
    }

    impl Admission {
        async fn let_in(&self, permit: Permit) -> Result<Admitted, CallError> {
            let class = if permit.request().kind().is_some() { Class::Cached } else { Class::Fleet };
            self.admit(permit, class, Effort::Ask, soon()).await
        }

        async fn show(&self, permit: Permit) -> Result<Admitted, CallError> {
            self.admit(permit, Class::Cached, Effort::Show, soon()).await
        }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(1)
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_gets_all_its_places_or_none_and_gives_them_back() {
        let admission = admission(&Limits { legs_in_flight: 4, ..Limits::default() });
        let first = admission.let_in(permit("pods_list")).await.unwrap();
        let refused = admission.let_in(permit("pods_list")).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Unavailable);
        assert!(refused.retry_after_ms.is_some());
        assert_eq!(admission.calls_in_flight(), 1, "a refused call holds nothing");
        let (second, ()) = tokio::join!(admission.let_in(permit("pods_list")), async { drop(first) });
        assert!(second.is_ok(), "places that come free go to whoever waits");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_over_more_clusters_than_there_are_places_still_gets_in() {
        let admission = admission(&Limits { legs_in_flight: 2, ..Limits::default() });
        assert!(admission.let_in(permit("pods_list")).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_takes_no_more_places_than_it_sends_legs_at_once() {
        let limits = Limits { legs_in_flight: 4, legs_per_call: 2, ..Limits::default() };
        let admission = admission(&limits);
        let first = admission.let_in(permit("pods_list")).await.unwrap();
        let second = admission.let_in(permit("pods_list")).await.unwrap();
        assert!(admission.let_in(permit("pods_list")).await.is_err(), "three clusters, two places each");
        drop((first, second));
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_above_its_rate_is_told_where_and_for_how_long() {
        let rates = Rates { cached: Rate::new(2, 2), live: Rate::new(2, 2), ..Rates::default() };
        let admission = admission(&Limits { rates, ..Limits::default() });
        let ask = async |cluster: &str| {
            let anna = somebody(Visibility::everything());
            admission.let_in(permit_in(anna, "pods_list", &json!({"cluster": cluster}))).await.map(drop)
        };
        for cluster in ["a,b", "b"] {
            ask(cluster).await.unwrap();
        }
        let refused = ask("a,b,c").await.unwrap_err();
        let told = (refused.code, refused.cluster.as_ref().map(|id| id.as_str()), refused.retry_after_ms);
        assert_eq!(told, (ErrorCode::RateLimited, Some("b"), Some(500)));
        assert!(refused.message.contains("reads in b"), "{}", refused.message);
        // The refused call charged neither of the others: one of two is left, and two of two.
        for cluster in ["a", "c", "c"] {
            ask(cluster).await.unwrap();
        }
        assert!(ask("c").await.is_err());
        let others = permit_in(Caller::local_user(), "pods_list", &json!({}));
        assert!(admission.let_in(others).await.is_ok(), "the local user is not limited");
        tokio::time::advance(Duration::from_millis(500)).await;
        ask("b").await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_kept_is_shown_without_places_and_charged_at_the_gateway() {
        let rates = Rates { cached: Rate::new(1, 1), fleet: Rate::new(1, 2), ..Rates::default() };
        let admission = admission(&Limits { rates, legs_in_flight: 2, ..Limits::default() });
        let _asking = admission.let_in(permit("pods_list")).await.unwrap();
        assert!(admission.let_in(permit("pods_list")).await.is_err(), "nothing is left, and no place");
        let _shown = admission.show(permit("pods_list")).await.unwrap();
        assert_eq!(admission.calls_in_flight(), 2, "it is a call like any other");
        assert!(admission.show(permit("pods_list")).await.is_ok());
        let refused = admission.show(permit("pods_list")).await.unwrap_err();
        assert_eq!((refused.code, refused.cluster), (ErrorCode::RateLimited, None));
    }

    #[tokio::test(start_paused = true)]
    async fn the_local_user_can_be_limited_and_set_free() {
        let rates = |local_user| Rates { fleet: Rate::new(1, 1), local_user, ..Rates::default() };
        let admission = admission(&Limits { rates: rates(LocalUser::Limited), ..Limits::default() });
        let ask = || admission.let_in(permit_in(Caller::local_user(), "clusters_list", &json!({})));
        assert!(ask().await.is_ok());
        assert_eq!(ask().await.unwrap_err().code, ErrorCode::RateLimited);
        admission.set_rates(&rates(LocalUser::Free));
        assert!(ask().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_drained_gate_lets_nobody_in_and_waits_for_the_last_call() {
        let admission = Arc::new(admission(&Limits::default()));
        let last = admission.let_in(permit("pods_list")).await.unwrap();
        let draining = admission.drain();
        tokio::pin!(draining);
        assert!(futures::poll!(draining.as_mut()).is_pending());
        assert!(admission.let_in(permit("pods_list")).await.is_err());
        drop(last);
        draining.await;
        assert!(admission.let_in(permit("pods_list")).await.is_err());
    }
}
