//! The client against a service that is one function.

use std::sync::Arc;
use std::time::Duration;

use http::Response;
use kubeplex_link::reason;
use parking_lot::Mutex;
use tower::service_fn;

use super::*;
use crate::limits::Limits;

type Seen = Arc<Mutex<Vec<(String, HeaderMap)>>>;

const SECOND: Duration = Duration::from_secs(1);

fn api(answer: fn() -> http::response::Builder, body: &'static str) -> (Api, Seen) {
    let seen = Seen::default();
    let noted = Arc::clone(&seen);
    let service = service_fn(move |request: Request<Body>| {
        noted.lock().push((request.uri().to_string(), request.headers().clone()));
        let response = answer().body(Body::from(body.as_bytes().to_vec())).unwrap();
        async move { Ok::<_, std::io::Error>(response) }
    });
    (over(service), seen)
}

fn over<S>(service: S) -> Api
where
    S: tower::Service<Request<Body>, Response = Response<Body>, Error = std::io::Error> + Send + 'static,
    S::Future: Send + 'static,
{
    let clock = ClusterClock::with_local_time(|| 0);
    Api::new(kube::Client::new(service, "default"), clock, ApiBudget::new(&Limits::default()))
}

#[tokio::test]
async fn a_watch_is_named_and_not_compressed() {
    let (api, seen) = api(Response::builder, "{\"type\":\"ADDED\"}\n");
    let mut lines = api.watch("/api/v1/pods?watch=true", Representation::Full, SECOND).await.unwrap();
    assert_eq!(lines.next_batch(9).await.unwrap(), ["{\"type\":\"ADDED\"}"]);
    let (_, headers) = seen.lock().pop().unwrap();
    assert_eq!(headers["user-agent"], AGENT_NAME);
    assert_eq!(headers["accept-encoding"], "identity");
}

#[tokio::test]
async fn tables_come_with_what_is_wanted_of_their_objects() {
    let (api, seen) = api(Response::builder, r#"{"kind":"Table","metadata":{},"rows":[]}"#);
    api.page("/api/v1/secrets?limit=5", Representation::TableOfMetadata, SECOND).await.unwrap();
    api.table("/api/v1/pods", Representation::TableOfObjects, SECOND).await.unwrap();
    let seen = seen.lock();
    assert_eq!(seen[0].0, "/api/v1/secrets?limit=5&includeObject=Metadata");
    assert_eq!(seen[1].0, "/api/v1/pods?includeObject=Object");
    assert!(seen[0].1["accept"].to_str().unwrap().contains("as=Table"));
}

#[tokio::test]
async fn errors_carry_the_status_and_the_servers_wish() {
    let status = r#"{"kind":"Status","code":429,"reason":"TooManyRequests","message":"slow down"}"#;
    let (api, _) = api(|| Response::builder().status(429).header("retry-after", "3"), status);
    let error = api.get_bytes("/api/v1/pods", SECOND).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(3 * SECOND));
    assert_eq!(error.to_string(), "the API server is busy: slow down");
    assert_eq!(api.problem(), "");
}

#[tokio::test]
async fn a_proxys_page_is_no_reason_to_fail_otherwise() {
    let (api, _) = api(|| Response::builder().status(502), "<html>bad gateway</html>");
    let error = api.get_bytes("/api", SECOND).await.unwrap_err();
    assert!(matches!(error, ApiError::Server { status: 502, .. }), "{error:?}");
    assert!(error.to_string().contains("bad gateway"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_is_a_problem_until_it_answers() {
    let api = over(service_fn(|request: Request<Body>| async move {
        if request.uri().path() == "/hang" {
            std::future::pending::<()>().await;
        }
        Ok(Response::new(Body::empty()))
    }));
    let error = api.get_bytes("/hang", 5 * SECOND).await.unwrap_err();
    assert!(matches!(error, ApiError::Timeout { .. }));
    assert!(api.problem().contains("did not answer within 5s"), "{}", api.problem());
    api.get_bytes("/livez", SECOND).await.unwrap();
    assert_eq!(api.problem(), "");
}

#[tokio::test(start_paused = true)]
async fn silence_is_told_long_before_patience_ends() {
    let api = over(service_fn(|_: Request<Body>| std::future::pending())).at("https://10.0.0.1:6443");
    let mut changed = api.problem_changed();
    let started = tokio::time::Instant::now();
    let told = async {
        for (seconds, told) in [
            (3, "the API server at https://10.0.0.1:6443 has not answered /api for 3s"),
            (6, "the API server at https://10.0.0.1:6443 has not answered /api for 6s"),
        ] {
            changed.changed().await.unwrap();
            assert_eq!((api.problem().as_str(), started.elapsed().as_secs()), (told, seconds));
        }
    };
    let (call, ()) = tokio::join!(api.get_bytes("/api?timeout=1", 30 * SECOND), told);
    assert!(matches!(call, Err(ApiError::Timeout { after }) if after == 30 * SECOND));
    // The next call goes on counting.
    let again = api.get_bytes("/api", 4 * SECOND).await;
    assert!(again.is_err() && api.problem().ends_with("/api for 33s"), "{}", api.problem());
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_of_a_server_that_was_heard_before_is_no_problem() {
    let api = over(service_fn(|request: Request<Body>| async move {
        let slow = request.uri().path() == "/slow";
        tokio::time::sleep(if slow { 10 * SECOND } else { Duration::ZERO }).await;
        Ok(Response::new(Body::empty()))
    }));
    api.get_bytes("/livez", SECOND).await.unwrap();
    let changed = api.problem_changed();
    api.get_bytes("/slow", 30 * SECOND).await.unwrap();
    assert_eq!((api.problem().as_str(), changed.has_changed().unwrap()), ("", false));
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_told_with_the_cause() {
    let api = over(service_fn(|_| async { Err(std::io::Error::other("no route to host")) }));
    let error = api.get_bytes("/api", SECOND).await.unwrap_err();
    assert!(matches!(error, ApiError::Connect(_)));
    assert!(reason(&error).contains("no route to host"), "{}", reason(&error));
    assert!(api.problem().contains("no route to host"));
}

#[tokio::test]
async fn the_clock_is_read_from_every_answer() {
    let (api, _) = api(|| Response::builder().header("date", "Thu, 01 Jan 1970 00:01:00 GMT"), "{}");
    api.get_bytes("/version", SECOND).await.unwrap();
    assert_eq!(api.clock().offset_ms(), 60_500);
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_here() {
    let (api, seen) = api(Response::builder, "{}");
    let error = api.get_bytes("/api v1", SECOND).await.unwrap_err();
    assert!(matches!(error, ApiError::Invalid { status: 0, .. }), "{error:?}");
    assert!(seen.lock().is_empty());
}
