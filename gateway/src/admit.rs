//! The fourth stage: is there room for this call now, and has its caller used up their share?
//!
//! What is charged is an upper bound known beforehand, never the measured cost: the legs to be sent and the objects that the
//! clusters last reported of the kind. A call gets all of its places or none, so that two half-admitted calls can't wait
//! for each other, and holds them until it is answered: how many legs it has under way in the meantime changes.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::clock::millis;
use crate::error::{CallError, ErrorCode};
use crate::limits::{Limits, OBJECTS_PER_CHARGE, RATED_CALLERS, RETRY_AFTER};
use crate::policy::Permit;
use crate::request::Request;

/// The gate. One for all calls of a gateway.
#[derive(Debug)]
pub struct Admission {
    calls: Arc<Semaphore>,
    calls_total: usize,
    legs: Arc<Semaphore>,
    /// The most places that one call takes.
    legs_per_call: u32,
    rates: DefaultKeyedRateLimiter<String>,
    clock: DefaultClock,
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
    pub fn new(limits: &Limits) -> Self {
        let clock = DefaultClock::default();
        let per_second = NonZeroU32::new(limits.charges_per_second).unwrap_or(NonZeroU32::MIN);
        let burst = NonZeroU32::new(limits.charges_burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(per_second).allow_burst(burst);
        Self {
            calls: Arc::new(Semaphore::new(limits.calls_in_flight)),
            calls_total: limits.calls_in_flight,
            legs: Arc::new(Semaphore::new(limits.legs_in_flight)),
            // A call over more clusters than there are places gets all of them instead of none for ever.
            legs_per_call: u32::try_from(limits.legs_per_call.min(limits.legs_in_flight)).unwrap_or(u32::MAX),
            rates: RateLimiter::keyed(quota),
            clock,
        }
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

    /// Lets a call in, or says when to come back. Legs may have to wait for places; they do so until `give_up`.
    ///
    /// # Errors
    /// `rate_limited` for a caller above their share, `unavailable` when the gateway is full; both with `retryAfterMs`.
    pub async fn admit(
        &self,
        permit: Permit,
        effort: Effort,
        give_up: Instant,
    ) -> Result<Admitted, CallError> {
        let charge = match effort {
            Effort::Ask => charge(permit.request()),
            Effort::Show => Charge::TO_SHOW,
        };
        self.check_rate(permit.caller().user(), charge.cells)?;
        let call = self.calls.clone().try_acquire_owned().map_err(|_| full("calls"))?;
        let legs = self.leg_places(charge.legs, give_up).await?;
        Ok(Admitted { permit, _call: call, _legs: legs })
    }

    fn check_rate(&self, user: &str, cells: NonZeroU32) -> Result<(), CallError> {
        if self.rates.len() > RATED_CALLERS {
            self.rates.retain_recent();
        }
        match self.rates.check_key_n(&user.to_owned(), cells) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => Err(rate_limited(not_until.wait_time_from(self.clock.now()))),
            Err(too_much) => Err(CallError::new(
                ErrorCode::TooLarge,
                format!("the call costs {cells} charges and the limit for one call is {}", too_much.0),
            )
            .with_hint("name fewer clusters, or a kind with fewer objects")),
        }
    }

    async fn leg_places(
        &self,
        legs: u32,
        give_up: Instant,
    ) -> Result<Option<OwnedSemaphorePermit>, CallError> {
        if legs == 0 {
            return Ok(None);
        }
        // The fan-out sends no more at once; a place is for a leg under way, and not one for each cluster.
        let places = self.legs.clone().acquire_many_owned(legs.min(self.legs_per_call));
        match tokio::time::timeout_at(give_up, places).await {
            Ok(Ok(places)) => Ok(Some(places)),
            Ok(Err(_)) | Err(_) => Err(full("requests to clusters")),
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

impl Charge {
    /// No cluster is asked and nothing is scanned: what is shared, and charged for, is the time of the gateway alone.
    const TO_SHOW: Self = Self { legs: 0, cells: NonZeroU32::MIN };
}

/// What a call is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Charge {
    legs: u32,
    /// For the caller's rate: one for each leg, and one for every so many objects that agents may have to look at.
    cells: NonZeroU32,
}

fn charge(request: &Request) -> Charge {
    let mut legs = 0_u32;
    let mut objects = 0_u64;
    for (_, cluster) in request.legs() {
        legs = legs.saturating_add(1);
        let reported = request.kind().and_then(|kind| cluster.last_known_objects(kind));
        objects = objects.saturating_add(reported.unwrap_or_default());
    }
    let scanned = u32::try_from(objects / OBJECTS_PER_CHARGE).unwrap_or(u32::MAX);
    Charge { legs, cells: NonZeroU32::new(legs.saturating_add(scanned)).unwrap_or(NonZeroU32::MIN) }
}

fn full(of: &str) -> CallError {
    CallError::new(ErrorCode::Unavailable, format!("the gateway already works on as many {of} as it may"))
        .with_hint("try again after retryAfterMs")
        .retry_after_ms(millis(RETRY_AFTER))
}

fn rate_limited(wait: Duration) -> CallError {
    CallError::new(ErrorCode::RateLimited, "the caller has used up its share of the gateway for the moment")
        .with_hint("try again after retryAfterMs, with fewer clusters or less often")
        .retry_after_ms(millis(wait).max(1))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kubeplex_proto::visibility::Visibility;
    use serde_json::json;

    use super::*;
    use crate::fleet::Fleet;
    use crate::identify::somebody;
    use crate::policy;
    use crate::request::fixtures::{cluster, fleet, resolved};
    use crate::tools;

    fn shops() -> Fleet {
        fleet(vec![cluster("a", &[]), cluster("b", &[]), cluster("c", &[])])
    }

    fn permit(tool: &str) -> Permit {
        let request = resolved(&shops(), tool, &json!({})).unwrap();
        policy::authorize(somebody(Visibility::everything()), tools::catalogue().get(tool).unwrap(), request)
            .unwrap()
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(1)
    }

    #[test]
    fn a_call_is_charged_for_its_legs_and_the_objects_there() {
        assert_eq!(charge(permit("clusters_list").request()), Charge { legs: 0, cells: NonZeroU32::MIN });
        let mut objects = 0;
        for cluster in shops().clusters() {
            objects += cluster
                .last_known_objects(&kubeplex_proto::kind::GroupResource::new("", "pods"))
                .unwrap_or(0);
        }
        let cells = 3 + u32::try_from(objects / OBJECTS_PER_CHARGE).unwrap();
        assert_eq!(
            charge(permit("pods_list").request()),
            Charge { legs: 3, cells: NonZeroU32::new(cells).unwrap() }
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_gets_all_its_places_or_none_and_gives_them_back() {
        let admission = Admission::new(&Limits { legs_in_flight: 4, ..Limits::default() });
        let first = admission.admit(permit("pods_list"), Effort::Ask, soon()).await.unwrap();
        let refused = admission.admit(permit("pods_list"), Effort::Ask, soon()).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Unavailable);
        assert!(refused.retry_after_ms.is_some());
        assert_eq!(admission.calls_in_flight(), 1, "a refused call holds nothing");
        let (second, ()) =
            tokio::join!(admission.admit(permit("pods_list"), Effort::Ask, soon()), async { drop(first) });
        assert!(second.is_ok(), "places that come free go to whoever waits");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_over_more_clusters_than_there_are_places_still_gets_in() {
        let admission = Admission::new(&Limits { legs_in_flight: 2, ..Limits::default() });
        assert!(admission.admit(permit("pods_list"), Effort::Ask, soon()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_takes_no_more_places_than_it_sends_legs_at_once() {
        let limits = Limits { legs_in_flight: 4, legs_per_call: 2, ..Limits::default() };
        let admission = Admission::new(&limits);
        let first = admission.admit(permit("pods_list"), Effort::Ask, soon()).await.unwrap();
        let second = admission.admit(permit("pods_list"), Effort::Ask, soon()).await.unwrap();
        assert!(
            admission.admit(permit("pods_list"), Effort::Ask, soon()).await.is_err(),
            "three clusters, two places each"
        );
        drop((first, second));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_can_never_be_paid_for_is_too_large() {
        let admission = Admission::new(&Limits { charges_burst: 2, ..Limits::default() });
        let error = admission.admit(permit("pods_list"), Effort::Ask, soon()).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::TooLarge);
        assert!(admission.admit(permit("clusters_list"), Effort::Ask, soon()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_kept_is_shown_without_places_and_for_next_to_nothing() {
        let admission = Admission::new(&Limits { legs_in_flight: 2, ..Limits::default() });
        let _asking = admission.admit(permit("pods_list"), Effort::Ask, soon()).await.unwrap();
        assert!(admission.admit(permit("pods_list"), Effort::Ask, soon()).await.is_err(), "no place is left");
        let _shown = admission.admit(permit("pods_list"), Effort::Show, soon()).await.unwrap();
        assert_eq!(admission.calls_in_flight(), 2, "it is a call like any other");

        let poor = Admission::new(&Limits { charges_burst: 2, ..Limits::default() });
        assert!(poor.admit(permit("pods_list"), Effort::Ask, soon()).await.is_err());
        assert!(poor.admit(permit("pods_list"), Effort::Show, soon()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_drained_gate_lets_nobody_in_and_waits_for_the_last_call() {
        let admission = Arc::new(Admission::new(&Limits::default()));
        let last = admission.admit(permit("pods_list"), Effort::Ask, soon()).await.unwrap();
        let draining = admission.drain();
        tokio::pin!(draining);
        assert!(futures::poll!(draining.as_mut()).is_pending());
        assert!(admission.admit(permit("pods_list"), Effort::Ask, soon()).await.is_err());
        drop(last);
        draining.await;
        assert!(admission.admit(permit("pods_list"), Effort::Ask, soon()).await.is_err());
    }
}
