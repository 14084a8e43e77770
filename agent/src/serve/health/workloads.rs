//! Workloads that lack replicas that they should have by now.

use kubeplex_proto::health::{Workload, WorkloadFacts};
use serde_json::Value;

use super::{condition, count, text};
use crate::limits::HEALTH_NAMED;

/// Where the parts of the cluster itself run.
const SYSTEM: &str = "kube-system";

#[derive(Default)]
pub(super) struct Workloads {
    total: u64,
    failing: Vec<Workload>,
    failing_total: u64,
}

impl Workloads {
    /// Its controller says whether it has as many as it must have at least, and whether a rollout goes on:
    /// <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status>.
    pub(super) fn deployment(&mut self, object: &Value) {
        let is_false = |name: &str| condition(object, name).is_some_and(|told| told["status"] == "False");
        let has_failed = condition(object, "ReplicaFailure").is_some_and(|told| told["status"] == "True");
        let is_failing = is_false("Available") || is_false("Progressing") || has_failed;
        let wanted = object.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
        self.note("deployment", object, (count(object, "/status/availableReplicas"), wanted), is_failing);
    }

    /// No condition tells; a rollout replaces one at a time, so one that is missing is usual.
    pub(super) fn stateful_set(&mut self, object: &Value) {
        let wanted = object.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
        // Servers before 1.22 do not count those that are available.
        let available = match object.pointer("/status/availableReplicas") {
            Some(available) => available.as_u64().unwrap_or_default(),
            None => count(object, "/status/readyReplicas"),
        };
        let is_updated =
            object.pointer("/status/currentRevision") == object.pointer("/status/updateRevision");
        let lacks = wanted.saturating_sub(available);
        self.note("statefulset", object, (available, wanted), lacks > u64::from(!is_updated));
    }

    /// As with stateful sets, one that is missing while a rollout is under way is usual.
    pub(super) fn daemon_set(&mut self, object: &Value) {
        let wanted = count(object, "/status/desiredNumberScheduled");
        let available = count(object, "/status/numberAvailable");
        let is_updated = count(object, "/status/updatedNumberScheduled") >= wanted;
        let lacks = wanted.saturating_sub(available);
        self.note("daemonset", object, (available, wanted), lacks > u64::from(!is_updated));
    }

    fn note(&mut self, kind: &str, object: &Value, (available, wanted): (u64, u64), is_failing: bool) {
        self.total += 1;
        if !is_failing {
            return;
        }
        self.failing_total += 1;
        self.failing.push(Workload {
            kind: kind.to_owned(),
            namespace: text(object, "/metadata/namespace").to_owned(),
            name: text(object, "/metadata/name").to_owned(),
            available,
            wanted,
        });
        self.keep_some();
    }

    /// Both together.
    pub(super) fn with(mut self, other: Self) -> Self {
        self.total += other.total;
        self.failing_total += other.failing_total;
        self.failing.extend(other.failing);
        self.keep_some();
        self
    }

    /// Those of the system first.
    fn keep_some(&mut self) {
        self.failing.sort_by(|a, b| (a.namespace != SYSTEM, a).cmp(&(b.namespace != SYSTEM, b)));
        self.failing.truncate(HEALTH_NAMED);
    }

    pub(super) fn facts(self) -> WorkloadFacts {
        WorkloadFacts { total: self.total, failing_total: self.failing_total, failing: self.failing }
    }
}
