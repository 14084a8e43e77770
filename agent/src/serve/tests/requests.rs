//! Requests that are refused, and bugs that are contained.

use kubeplex_proto::status::AgentErrorCode;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_body_that_cannot_be_read_is_an_argument_error() {
    let world = World::start();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let wrong_type =
        serde_json::to_string(&list_of("pods")).unwrap().replace("\"limit\":1000", "\"limit\":\"many\"");
    for body in ["", "{", "null", "{\"kind\":7}", deep.as_str(), wrong_type.as_str(), "\u{0}"] {
        for path in [paths::LIST, paths::GET] {
            let (status, reply) = world.post(path, body.to_owned()).await;
            assert_eq!(status, StatusCode::BAD_REQUEST);
            let error: AgentError = parse(&reply);
            assert_eq!(error.code, AgentErrorCode::InvalidArgument);
            assert!(error.message.contains("column"), "says where: {error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_too_long_is_refused() {
    let world = World::start();
    let (status, reply) = world.post(paths::LIST, vec![b' '; limits::REQUEST_BYTES + 1]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let error: AgentError = parse(&reply);
    assert_eq!(error.code, AgentErrorCode::TooLarge);
    assert!(error.message.contains(&limits::REQUEST_BYTES.to_string()), "{error}");
}

#[tokio::test(start_paused = true)]
async fn other_paths_and_methods_are_named_in_the_refusal() {
    let world = World::start();
    let (status, reply) = world.post("/agent/v1/lists", "{}").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let error: AgentError = parse(&reply);
    assert!(error.message.contains("/agent/v1/lists") && error.hint.unwrap().contains(paths::LIST));

    let request = Request::get(paths::LIST).body(Body::empty()).unwrap();
    let response = world.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test(start_paused = true)]
async fn replies_are_frames() {
    let world = World::start();
    let body = serde_json::to_vec(&list_of("nodes")).unwrap();
    let request = Request::post(paths::LIST).body(Body::from(body)).unwrap();
    let response = world.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], kubeplex_proto::FRAMES);
}
