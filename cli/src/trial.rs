//! A gateway and agents in the test's own process, asked as a person would ask.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::arguments::Listen;
use crate::client::Client;
use crate::hints::{self, Hints, Question};
use crate::stand::Stand;
use crate::startup::ClusterState;

/// Far longer than clusters of twenty pods need.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn free_ports() -> Listen {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Listen { listen: any, admin: any, json: true }
}

pub(crate) async fn until_ready(stand: &Stand) {
    let registry = stand.gateway.registry();
    let mut changes = registry.changes();
    let all = async {
        let is_ready = |state| matches!(state, ClusterState::Ready { .. });
        while !registry.snapshot().clusters().iter().all(|cluster| is_ready(ClusterState::of(cluster))) {
            changes.changed().await.expect("the registry lives");
        }
    };
    let waited = tokio::time::timeout(PATIENCE, all).await;
    assert!(waited.is_ok(), "not ready: {:?}", registry.snapshot().clusters());
}

/// The structured answer of a call.
pub(crate) async fn ask(stand: &Stand, tool: &str, arguments: &str) -> Value {
    let client = Client::new(hints::endpoint(stand.gateway.addresses().listen)).expect("a client");
    let arguments: Map<String, Value> = serde_json::from_str(arguments).expect("arguments are an object");
    let exchange = client.call(tool, arguments, false).await.expect("an answer");
    exchange.structured().unwrap_or_else(|error| panic!("{tool}: {error}")).clone()
}

/// Each of the questions has rows or objects for an answer, and all clusters are in it.
pub(crate) async fn answers(stand: &Stand, hints: &Hints) {
    for Question { tool, arguments, .. } in hints.questions {
        let answer = ask(stand, tool, arguments).await;
        let objects = answer["objects"].as_array().map_or(0, Vec::len) as u64;
        assert!(answer["shown"].as_u64().unwrap_or(objects) > 0, "{tool} {arguments}: {answer}");
        assert_eq!(answer["partial"], Value::Null, "{tool} {arguments}: {answer}");
    }
}
