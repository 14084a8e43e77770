//! Events, core/v1, as kubelet, scheduler and controllers write them.

use serde_json::{Value, json};

use super::random::Random;
use crate::json::text;

/// What an event is about, and what it says.
#[derive(Clone, Debug)]
pub(crate) struct Notice<'a> {
    pub(crate) severity: Severity,
    pub(crate) reason: &'a str,
    pub(crate) message: &'a str,
    pub(crate) component: &'a str,
    pub(crate) count: u64,
    pub(crate) first: &'a str,
    pub(crate) last: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    Normal,
    Warning,
}

/// An event about `object`.
pub(crate) fn event(object: &Value, notice: &Notice<'_>, random: &mut Random) -> Value {
    let name = text(object, "/metadata/name");
    let namespace = match text(object, "/metadata/namespace") {
        "" => "default",
        namespace => namespace,
    };
    let severity = if notice.severity == Severity::Warning { "Warning" } else { "Normal" };
    json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"name": format!("{name}.{}", random.hex(16)), "namespace": namespace, "uid": random.uid(), "creationTimestamp": notice.first},
        "involvedObject": {
            "apiVersion": object["apiVersion"], "kind": object["kind"], "name": name, "namespace": object["metadata"]["namespace"],
            "uid": object["metadata"]["uid"], "resourceVersion": object["metadata"]["resourceVersion"],
        },
        "reason": notice.reason, "message": notice.message, "type": severity, "count": notice.count,
        "firstTimestamp": notice.first, "lastTimestamp": notice.last, "eventTime": null,
        "source": {"component": notice.component}, "reportingComponent": notice.component, "reportingInstance": "",
    })
}
