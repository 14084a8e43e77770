//! Requests against a cluster's service, and reading what comes back.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use futures::StreamExt;
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use simcluster::{SimCluster, SimConfig};
use tower::ServiceExt;

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&self.bytes)))
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let list = self.json();
        let items = list["items"].as_array().unwrap_or_else(|| panic!("no items: {list}"));
        items.iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) async fn send(cluster: &SimCluster, request: Request<Body>) -> Response<Body> {
    cluster.service().oneshot(request).await.expect("the server answers")
}

pub(crate) async fn call(cluster: &SimCluster, request: Request<Body>) -> Answer {
    let (parts, body) = send(cluster, request).await.into_parts();
    let bytes = body.collect().await.expect("a whole body").to_bytes().to_vec();
    Answer { status: parts.status.as_u16(), headers: parts.headers, bytes }
}

pub(crate) async fn get(cluster: &SimCluster, uri: &str) -> Answer {
    call(cluster, Request::get(uri).body(Body::empty()).unwrap()).await
}

pub(crate) async fn get_as(cluster: &SimCluster, uri: &str, accept: &str) -> Answer {
    call(cluster, Request::get(uri).header("accept", accept).body(Body::empty()).unwrap()).await
}

/// The lines of a watch.
pub(crate) struct Lines {
    stream: BodyDataStream,
    buffer: Vec<u8>,
}

impl Lines {
    pub(crate) async fn open(cluster: &SimCluster, uri: &str) -> Self {
        let response =
            send(cluster, Request::get(uri).header("user-agent", "test/1").body(Body::empty()).unwrap())
                .await;
        assert_eq!(response.status(), 200, "{uri}");
        Self { stream: response.into_body().into_data_stream(), buffer: Vec::new() }
    }

    /// The next raw line; nothing at the end. Fails the test after ten minutes of (paused) time.
    pub(crate) async fn raw(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let rest = self.buffer.split_off(end + 1);
                return Some(std::mem::replace(&mut self.buffer, rest));
            }
            let next = tokio::time::timeout(Duration::from_secs(600), self.stream.next());
            match next.await.expect("the watch says something within ten minutes") {
                Some(bytes) => self.buffer.extend_from_slice(&bytes.expect("an unbroken stream")),
                None => return None,
            }
        }
    }

    pub(crate) async fn event(&mut self) -> Option<Value> {
        Some(serde_json::from_slice(&self.raw().await?).expect("JSON lines"))
    }

    /// `TYPE name@resourceVersion` without the version.
    pub(crate) async fn short(&mut self) -> String {
        match self.event().await {
            None => "END".into(),
            Some(event) => {
                let name = event["object"]["metadata"]["name"].as_str().unwrap_or("");
                format!("{} {name}", event["type"].as_str().unwrap()).trim_end().to_owned()
            }
        }
    }

    /// Whether nothing comes within this time.
    pub(crate) async fn is_silent_for(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.stream.next()).await.is_err()
    }
}

pub(crate) fn empty() -> SimCluster {
    SimCluster::new(SimConfig::empty("test"))
}

pub(crate) fn pod(namespace: &str, name: &str, app: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": namespace, "name": name, "labels": {"app": app}},
        "spec": {"nodeName": "n1", "containers": [{"name": "c", "image": "i"}]}, "status": {"phase": "Running"}})
}
