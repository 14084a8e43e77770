//! Containers that the kernel ended because they went beyond their memory limit, or because their node had none left.
//!
//! <https://kubernetes.io/docs/tasks/configure-pod-container/assign-memory-resource/#exceed-a-container-s-memory-limit>

use super::crash_loop::is_looping;
use super::ending;
use super::pod::{self, Container};
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::{is_deleted, text};
use crate::problems::thresholds::OUT_OF_MEMORY_MS;
use crate::problems::{Evidence, Finding};

pub(super) const CAUSES: &[Cause] = &[Cause {
    name: "OutOfMemory",
    severities: &[Severity::Critical, Severity::Warning],
    looks_at: "how a pod's containers ended",
    when: "a container was killed for lack of memory in the last hour; critical where that happens again and again, or where the pod failed of it",
}];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let pod = subject.object;
    if is_deleted(pod) || text(pod, "/status/phase") == "Succeeded" {
        return;
    }
    for container in pod::containers(pod) {
        let is_ours = ending::is_out_of_memory(&container);
        if is_ours && (is_recent(&container, world, verdict) || is_looping(&container, world, verdict)) {
            verdict.add(finding(subject, &container));
        }
    }
}

fn is_recent(container: &Container<'_>, world: &dyn World, verdict: &mut Verdict) -> bool {
    let Some(finished_ms) = container.finished_ms() else { return true };
    let is_recent = world.now_ms() - finished_ms < OUT_OF_MEMORY_MS;
    if is_recent {
        verdict.look_again(finished_ms + OUT_OF_MEMORY_MS);
    }
    is_recent
}

fn finding(subject: &Subject<'_>, container: &Container<'_>) -> Finding {
    let pod = subject.object;
    let limit = container.declared(pod).map_or("", |declared| text(declared, "/resources/limits/memory"));
    let message = match limit {
        "" => {
            format!("container {} was killed for lack of memory on its node; it has no limit", container.name)
        }
        limit => {
            format!("container {} was killed for going beyond its memory limit of {limit}", container.name)
        }
    };
    let severity = if container.is_ready() { Severity::Warning } else { Severity::Critical };
    let restarts = Evidence::field("restartCount", container.restarts());
    let finding = Finding::new("OutOfMemory", severity, message)
        .shown_by(ending::evidence(container))
        .shown_by((container.restarts() > 0).then_some(restarts))
        .last_seen(container.finished_ms());
    finding.look_at_previous_log(container)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::problems::world::fixture::{Fixture, ago};

    fn pod(limits: Value, ready: bool, state: &str, reason: &str, minutes: i64) -> Value {
        let end = json!({"terminated": {"exitCode": 137, "reason": reason, "finishedAt": ago(minutes)}});
        json!({
            "metadata": {"name": "web-0", "namespace": "shop"},
            "spec": {"containers": [{"name": "app", "resources": {"limits": limits}}]},
            "status": {"phase": "Running", "containerStatuses": [{"name": "app", "ready": ready, "restartCount": 2, state: end}]},
        })
    }

    #[track_caller]
    fn check(pod: &Value, expected: &[&str]) {
        assert_eq!(Fixture::new().judge(judge, "pods", pod).0, expected);
    }

    #[test]
    fn the_limit_is_named_and_the_past_forgotten() {
        let limit = json!({"memory": "64Mi"});
        let beyond = "container app was killed for going beyond its memory limit of 64Mi";
        check(
            &pod(limit.clone(), true, "lastState", "OOMKilled", 5),
            &[&format!("Warning OutOfMemory: {beyond}")],
        );
        check(
            &pod(limit.clone(), false, "state", "OOMKilled", 5),
            &[&format!("Critical OutOfMemory: {beyond}")],
        );
        check(&pod(limit.clone(), true, "lastState", "OOMKilled", 90), &[]);
        check(&pod(limit, true, "lastState", "Error", 5), &[]);
        check(
            &pod(json!({}), true, "lastState", "OOMKilled", 5),
            &[
                "Warning OutOfMemory: container app was killed for lack of memory on its node; it has no limit",
            ],
        );
    }

    #[test]
    fn what_failed_of_it_is_told_and_what_is_deleted_is_not() {
        let mut failed = pod(json!({"memory": "1Gi"}), false, "state", "OOMKilled", 1);
        failed["status"]["phase"] = "Failed".into();
        let expected =
            "Critical OutOfMemory: container app was killed for going beyond its memory limit of 1Gi";
        check(&failed, &[expected]);
        failed["metadata"]["deletionTimestamp"] = ago(0).into();
        check(&failed, &[]);
    }
}
