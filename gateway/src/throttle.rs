//! Who asks too often, or has too much under way, is told so before anything of the request is read.
//!
//! Cheap on purpose: a flood is answered from the head of its requests. What a request costs beyond that is for
//! [`admit`](crate::admit) to say, which knows what is asked.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode, header};
use metrics::Counter;
use tokio::sync::Semaphore;

use crate::clock::millis_up;
use crate::error::{CallError, ErrorCode};
use crate::identify::Caller;
use crate::limits::{Limits, RATED_ADDRESSES, RATED_CALLERS, RETRY_AFTER};
use crate::rates::{Ledger, LimitedUsers, NotYet};
use crate::serve::{Network, Peer};
use crate::shares::Shares;
use crate::telemetry::Telemetry;

/// What callers may ask of the endpoint, whatever it is. Clones share it.
#[derive(Debug, Clone)]
pub struct Throttle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limited: LimitedUsers,
    requests: Ledger<String>,
    initialize: Ledger<String>,
    in_flight: Arc<Semaphore>,
    shares: Shares<String>,
    per_caller: usize,
    metrics: ThrottleMetrics,
}

/// Why a request is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TooMuch {
    Often(Duration),
    AtOnce(usize),
    Full,
}

impl Throttle {
    pub(crate) fn new(limits: &Limits, telemetry: &Telemetry) -> Self {
        Self(Arc::new(Shared {
            limited: LimitedUsers::of(&limits.rates),
            requests: Ledger::new([limits.rates.requests], RATED_CALLERS),
            initialize: Ledger::new([limits.rates.initialize], RATED_CALLERS),
            in_flight: Arc::new(Semaphore::new(limits.requests_in_flight)),
            shares: Shares::new(),
            per_caller: limits.requests_per_caller,
            metrics: ThrottleMetrics::new(telemetry),
        }))
    }

    /// From now on these rates count.
    pub(crate) fn set(&self, limits: &Limits) {
        self.0.limited.set(&limits.rates);
        self.0.requests.set([limits.rates.requests]);
        self.0.initialize.set([limits.rates.initialize]);
    }

    /// Whether a caller is held to a share of what there is.
    pub(crate) fn limits(&self, caller: &Caller) -> bool {
        self.0.limited.contains(caller)
    }

    /// Charges a caller for a session, or says how long it has to wait for one.
    pub(crate) fn open_session(&self, caller: &Caller) -> Result<(), Duration> {
        if !self.limits(caller) {
            return Ok(());
        }
        self.0.initialize.charge_one(caller.user().to_owned()).map_err(|not_yet| not_yet.wait)
    }

    /// Lets a request of a caller in, with what it holds until its answer is out.
    ///
    /// # Errors
    /// Who asks too much is answered so.
    pub(crate) fn enter(
        &self,
        caller: &Caller,
        method: &Method,
    ) -> Result<Option<impl Send + Unpin + use<>>, TooMuch> {
        match self.admit(caller) {
            // A GET is a stream without an end, which its session bounds.
            Ok(held) => Ok((*method == Method::POST).then_some(held)),
            Err(too_much) => {
                tracing::debug!(caller = caller.user(), reason = ?too_much, "a request was turned away");
                self.0.metrics.turned_away(too_much);
                Err(too_much)
            }
        }
    }

    fn admit(&self, caller: &Caller) -> Result<impl Send + Unpin + use<>, TooMuch> {
        let shared = &self.0;
        let share = if shared.limited.contains(caller) {
            let user = caller.user().to_owned();
            let often = |not_yet: NotYet| TooMuch::Often(not_yet.wait);
            shared.requests.charge_one(user.clone()).map_err(often)?;
            let share = shared.shares.take(user, shared.per_caller);
            Some(share.ok_or(TooMuch::AtOnce(shared.per_caller))?)
        } else {
            None
        };
        let place = Arc::clone(&shared.in_flight).try_acquire_owned().map_err(|_| TooMuch::Full)?;
        Ok((share, place))
    }
}

impl IntoResponse for TooMuch {
    fn into_response(self) -> Response {
        let (message, wait) = match self {
            Self::Often(wait) => ("more requests than the rate of their caller allows".to_owned(), wait),
            Self::AtOnce(most) => {
                (format!("the caller has {most} requests under way, as many as it may"), RETRY_AFTER)
            }
            Self::Full => ("the gateway works on as many requests as it may".to_owned(), RETRY_AFTER),
        };
        match self {
            Self::Often(_) | Self::AtOnce(_) => too_many(message, wait),
            Self::Full => refusal(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, message, wait),
        }
    }
}

/// 429, with the time to wait in both forms: whole seconds in the head, milliseconds in the body.
pub(crate) fn too_many(message: String, wait: Duration) -> Response {
    refusal(StatusCode::TOO_MANY_REQUESTS, ErrorCode::RateLimited, message, wait)
}

fn refusal(status: StatusCode, code: ErrorCode, message: String, wait: Duration) -> Response {
    let error = CallError::new(code, message).retry_after_ms(millis_up(wait));
    let mut response = (status, Json(error)).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, seconds(wait).into());
    response
}

/// Whole seconds, rounded up: whoever comes back then is let in.
pub(crate) fn seconds(wait: Duration) -> u64 {
    millis_up(wait).div_ceil(1_000)
}

/// Requests of nobody, by the address that they come from. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Strangers {
    /// This machine is one address like any other here: behind a proxy on it they are all strangers alike.
    refused: Arc<Ledger<Option<Network>>>,
    turned_away: Counter,
}

impl Strangers {
    pub(crate) fn new(limits: &Limits, telemetry: &Telemetry) -> Self {
        let turned_away =
            || metrics::counter!("kubeplex_gateway_requests_throttled_total", "reason" => "stranger");
        Self {
            refused: Arc::new(Ledger::new([limits.rates.strangers], RATED_ADDRESSES)),
            turned_away: telemetry.register(turned_away),
        }
    }

    /// From now on these rates count.
    pub(crate) fn set(&self, limits: &Limits) {
        self.refused.set([limits.rates.strangers]);
    }
}

/// The middleware: whoever shows no token, or wrong ones, again and again is told to wait, and nobody else at the same
/// address is, because who shows a right one is not refused in the first place.
pub(crate) async fn tell_strangers(
    State(strangers): State<Strangers>,
    request: Request,
    next: Next,
) -> Response {
    let network = request.extensions().get::<Peer>().and_then(|peer| peer.network());
    let response = next.run(request).await;
    if response.status() != StatusCode::UNAUTHORIZED {
        return response;
    }
    match strangers.refused.charge_one(network) {
        Ok(()) => response,
        Err(not_yet) => {
            strangers.turned_away.increment(1);
            too_many(
                "too many requests without a token of this gateway came from there".to_owned(),
                not_yet.wait,
            )
        }
    }
}

/// Requests that were turned away, by reason.
#[derive(Debug)]
struct ThrottleMetrics {
    often: Counter,
    at_once: Counter,
    full: Counter,
}

impl ThrottleMetrics {
    fn new(telemetry: &Telemetry) -> Self {
        let counter =
            |reason| metrics::counter!("kubeplex_gateway_requests_throttled_total", "reason" => reason);
        telemetry.register(|| Self {
            often: counter("rate"),
            at_once: counter("at_once"),
            full: counter("full"),
        })
    }

    fn turned_away(&self, too_much: TooMuch) {
        let counter = match too_much {
            TooMuch::Often(_) => &self.often,
            TooMuch::AtOnce(_) => &self.at_once,
            TooMuch::Full => &self.full,
        };
        counter.increment(1);
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::Router;
    use axum::body::Body;
    use axum::routing::post;
    use http_body_util::BodyExt as _;
    use kubeplex_proto::visibility::Visibility;
    use tower::ServiceExt as _;

    use super::*;
    use crate::held::until_sent;
    use crate::identify::somebody;
    use crate::limits::{Rate, Rates};

    fn limits(rates: Rates) -> Limits {
        Limits { rates, requests_in_flight: 10, requests_per_caller: 1, ..Limits::default() }
    }

    fn throttle(limits: &Limits) -> Throttle {
        Throttle::new(limits, &Telemetry::new())
    }

    fn send(throttle: &Throttle, caller: &Caller) -> Response {
        match throttle.enter(caller, &Method::POST) {
            Ok(held) => until_sent(Response::new(Body::from("served")), held),
            Err(too_much) => too_much.into_response(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_told_when_to_come_back() {
        let throttle = throttle(&limits(Rates { requests: Rate::new(2, 3), ..Rates::default() }));
        let caller = somebody(Visibility::everything());
        for _ in 0..3 {
            assert_eq!(send(&throttle, &caller).status(), 200);
        }
        let refused = send(&throttle, &caller);
        assert_eq!(
            (refused.status(), &refused.headers()["retry-after"]),
            (StatusCode::TOO_MANY_REQUESTS, &header::HeaderValue::from(1))
        );
        let body = refused.into_body().collect().await.unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&body["code"], &body["retryAfterMs"]), (&"rate_limited".into(), &500.into()));
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(send(&throttle, &caller).status(), 200);
        for _ in 0..10 {
            assert_eq!(send(&throttle, &Caller::local_user()).status(), 200, "the local user is not limited");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_taken_holds_its_place() {
        let throttle = throttle(&limits(Rates::default()));
        let anna = somebody(Visibility::everything());
        let held = send(&throttle, &anna);
        let refused = send(&throttle, &anna);
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        drop(held);
        let served = send(&throttle, &anna);
        assert_eq!(served.status(), StatusCode::OK);
        let others: Vec<_> = (0..9).map(|_| send(&throttle, &Caller::local_user())).collect();
        assert!(others.iter().all(|answer| answer.status() == StatusCode::OK));
        assert_eq!(send(&throttle, &Caller::local_user()).status(), StatusCode::SERVICE_UNAVAILABLE);
        let stream = throttle.enter(&Caller::local_user(), &Method::GET);
        assert!(stream.is_err(), "it needs a place, too, when it begins");
        drop(others);
        assert!(
            throttle.enter(&Caller::local_user(), &Method::GET).is_ok_and(|held| held.is_none()),
            "and holds none"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn strangers_of_one_address_do_not_stand_in_the_way_of_others() {
        let limits = limits(Rates { strangers: Rate::new(1, 2), ..Rates::default() });
        let strangers = Strangers::new(&limits, &Telemetry::new());
        let door = |request: Request| async move {
            let known = request.headers().contains_key(header::AUTHORIZATION);
            if known { StatusCode::OK } else { StatusCode::UNAUTHORIZED }
        };
        let app = Router::new().route("/", post(door));
        let app = app.layer(axum::middleware::from_fn_with_state(strangers, tell_strangers));
        let send = async |address: &str, token: bool| {
            let request =
                if token { Request::post("/").header("authorization", "x") } else { Request::post("/") };
            let mut request = request.body(Body::empty()).unwrap();
            request.extensions_mut().insert(Peer(SocketAddr::new(address.parse().unwrap(), 1)));
            app.clone().oneshot(request).await.unwrap().status().as_u16()
        };
        for (address, token, expected) in [
            ("192.0.2.7", false, 401),
            ("192.0.2.7", false, 401),
            ("192.0.2.7", false, 429),
            ("192.0.2.7", true, 200),
            ("192.0.2.8", false, 401),
            ("127.0.0.1", false, 401),
            ("127.0.0.1", false, 401),
            ("::1", false, 429),
        ] {
            assert_eq!(send(address, token).await, expected, "{address}, with a token: {token}");
        }
    }
}
