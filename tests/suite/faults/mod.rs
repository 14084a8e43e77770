//! What goes wrong around the gateway, over whole running fleets: API servers, agents, links, clients, and its own end.
//!
//! Every case asks the same four things: the process lives, the answer says what is missing, nobody waits for what is
//! known to be lost, and the clusters that are well are served as before.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod agents;
mod answer;
mod api_servers;
mod breaker;
mod clocks;
mod crowd;
mod hanging;
mod kept;
mod links;
mod panics;
mod restart;
pub(crate) mod rig;
mod rolling;
mod stopping;
mod watches;

use serde_json::{Value, json};

pub(crate) use answer::Answer;

/// A pod of the namespace `default`, with labels.
pub(crate) fn pod(name: &str, labels: Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": labels},
        "spec": {"containers": [{"name": "c", "image": "registry.example.com/c:1"}]},
        "status": {"phase": "Running"},
    })
}
