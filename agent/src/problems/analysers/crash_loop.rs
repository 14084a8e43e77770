//! Containers that end again and again.
//!
//! `CrashLoopBackOff` is what the kubelet waits in between two tries, at most five minutes; between two waits the container runs
//! and looks well: <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restarts>

use super::ending::{self, Ending};
use super::found::time_ms;
use super::pod::{self, Container};
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::text;
use crate::problems::Finding;
use crate::problems::thresholds::{RESTARTED_MS, RESTARTS};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        name: "CrashLoop",
        severities: &[Severity::Critical, Severity::Warning],
        looks_at: "how a pod's containers ended, and its events",
        when: "the kubelet waits before it starts a container again, or a container was restarted three times, the last time in the last ten minutes; a warning while it is ready",
    },
    Cause {
        name: "CannotStart",
        severities: &[Severity::Critical],
        looks_at: "how a pod's containers ended, or why they wait",
        when: "a container's command is not there or can't be executed, or the runtime can't create the container",
    },
];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let pod = subject.object;
    if pod::is_over(pod) {
        return;
    }
    for container in pod::containers(pod).filter(|container| !container.is_init) {
        if is_not_created(&container) {
            verdict.add(cannot_start(&container));
        } else if is_looping(&container, world, verdict) {
            verdict.findings.extend(looping(subject, &container, world));
        }
    }
}

fn is_not_created(container: &Container<'_>) -> bool {
    let has_architecture = ending::is_for_other_processors(container.waiting_message());
    matches!(container.waits_for(), "RunContainerError" | "CreateContainerError" | "PostStartHookError")
        && !has_architecture
}

/// Whether the container is restarted again and again, by what it does now or did lately.
pub(super) fn is_looping(container: &Container<'_>, world: &dyn World, verdict: &mut Verdict) -> bool {
    if container.waits_for() == "CrashLoopBackOff" {
        return true;
    }
    let Some(finished_ms) = container.finished_ms() else { return false };
    let is_loop = container.restarts() >= RESTARTS && world.now_ms() - finished_ms < RESTARTED_MS;
    if is_loop {
        verdict.look_again(finished_ms + RESTARTED_MS);
    }
    is_loop
}

fn looping(subject: &Subject<'_>, container: &Container<'_>, world: &dyn World) -> Option<Finding> {
    let pod = subject.object;
    match Ending::of(container, pod, world) {
        Some(Ending::Itself) | None => {}
        Some(Ending::CannotStart) => return Some(cannot_start(container)),
        // Their own analysers tell of these.
        Some(Ending::OutOfMemory | Ending::Architecture | Ending::Probe) => return None,
    }
    let severity = if container.is_ready() { Severity::Warning } else { Severity::Critical };
    let words = container.last_end().map_or_else(|| "ends again and again".to_owned(), ending::words);
    let finding = Finding::new("CrashLoop", severity, format!("container {} {words}", container.name))
        .shown_by(ending::evidence(container))
        .shown_by(ending::waiting(container))
        .since(pod::condition_since_ms(pod, "Ready").filter(|_| !container.is_ready()))
        .last_seen(container.finished_ms())
        .because_of(pod::lost_node(pod, world));
    Some(finding.look_at_previous_log(container))
}

fn cannot_start(container: &Container<'_>) -> Finding {
    let told = [container.waiting_message(), container.last_end().map_or("", |end| text(end, "/message"))];
    let why = [
        ("executable file not found", "its command is not in the image"),
        ("no such file or directory", "a file that its command names is not in the image"),
        ("permission denied", "its command may not be executed"),
        ("lifecycle", "its postStart hook fails"),
    ];
    let why = why.iter().find(|(words, _)| told.iter().any(|told| told.contains(words))).map(|(_, why)| *why);
    let why = why.or_else(|| match container.last_end().map(ending::code) {
        Some(126) => Some("its command may not be executed"),
        Some(127) => Some("its command is not in the image"),
        _ => None,
    });
    let why = why.unwrap_or("the runtime can't create it");
    let since_ms = container.last_end().and_then(|end| time_ms(end, "/startedAt"));
    Finding::new(
        "CannotStart",
        Severity::Critical,
        format!("container {} can't start: {why}", container.name),
    )
    .shown_by(ending::waiting(container))
    .shown_by(ending::evidence(container))
    .last_seen(container.finished_ms())
    .since(since_ms)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::problems::world::fixture::{Fixture, ago};

    fn pod(container: Value) -> Value {
        json!({
            "metadata": {"name": "web-0", "namespace": "shop"}, "spec": {"nodeName": "n1"},
            "status": {"phase": "Running", "containerStatuses": [container],
                       "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": ago(30)}]},
        })
    }

    fn back_off(last: Value) -> Value {
        pod(json!({
            "name": "app", "ready": false, "restartCount": 7, "lastState": {"terminated": last},
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container=app"}},
        }))
    }

    #[track_caller]
    fn check(world: &Fixture, pod: &Value, expected: &[&str]) -> Verdict {
        let (lines, verdict) = world.judge(judge, "pods", pod);
        assert_eq!(lines, expected);
        verdict
    }

    #[test]
    fn loops_are_named_by_how_the_container_ends() {
        let world = Fixture::new();
        for (last, expected) in [
            (
                json!({"exitCode": 1, "reason": "Error"}),
                "Critical CrashLoop: container app exits with code 1",
            ),
            (
                json!({"exitCode": 137, "reason": "Error"}),
                "Critical CrashLoop: container app is killed by SIGKILL (code 137), not for lack of memory",
            ),
            (
                json!({"exitCode": 0, "reason": "Completed"}),
                "Critical CrashLoop: container app ends with code 0: it has nothing left to do",
            ),
            (
                json!({"exitCode": 128, "reason": "StartError", "message": "exec: \"x\": executable file not found in $PATH"}),
                "Critical CannotStart: container app can't start: its command is not in the image",
            ),
            (
                json!({"exitCode": 127, "reason": "Error"}),
                "Critical CannotStart: container app can't start: its command is not in the image",
            ),
        ] {
            check(&world, &back_off(last), &[expected]);
        }
    }

    #[test]
    fn what_others_tell_of_is_left_to_them() {
        let killed = Fixture::new().event(
            "web-0",
            json!({"reason": "Killing", "message": "Container app failed liveness probe, will be restarted",
                   "lastTimestamp": ago(1), "involvedObject": {"fieldPath": "spec.containers{app}"}}),
        );
        check(&Fixture::new(), &back_off(json!({"exitCode": 137, "reason": "OOMKilled"})), &[]);
        check(&killed, &back_off(json!({"exitCode": 137, "reason": "Error"})), &[]);
        let foreign = json!({"exitCode": 1, "reason": "Error", "message": "exec /app: exec format error"});
        check(&Fixture::new(), &back_off(foreign), &[]);
    }

    #[test]
    fn a_container_that_runs_between_two_ends_is_in_a_loop_for_a_while() {
        let running = |restarts: i64, minutes: i64, ready: bool| {
            pod(json!({
                "name": "app", "ready": ready, "restartCount": restarts, "state": {"running": {"startedAt": ago(1)}},
                "lastState": {"terminated": {"exitCode": 2, "reason": "Error", "finishedAt": ago(minutes)}},
            }))
        };
        let world = Fixture::new();
        let verdict =
            check(&world, &running(5, 2, false), &["Critical CrashLoop: container app exits with code 2"]);
        assert_eq!(verdict.look_again_ms, Some(world.now_ms() - 2 * 60_000 + RESTARTED_MS));
        check(&world, &running(5, 2, true), &["Warning CrashLoop: container app exits with code 2"]);
        check(&world, &running(1, 2, true), &[]);
        check(&world, &running(50, 600, true), &[]);
    }

    #[test]
    fn evidence_is_what_the_container_said_and_the_log_before_is_next() {
        let last = json!({"exitCode": 1, "reason": "Error", "message": "panic: no such table\n", "finishedAt": ago(3)});
        let verdict =
            check(&Fixture::new(), &back_off(last), &["Critical CrashLoop: container app exits with code 1"]);
        let finding = &verdict.findings[0];
        assert_eq!(finding.evidence[0].text, "last end of app: code 1 (Error): panic: no such table");
        assert_eq!(finding.next.as_ref().unwrap().arguments[1], ("previous", json!(true)));
    }

    #[test]
    fn a_lost_node_is_the_cause_and_the_healthy_are_left_alone() {
        let node = json!({"metadata": {"name": "n1"}, "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}});
        let world = Fixture::new().with("nodes", node);
        let pod = back_off(json!({"exitCode": 1, "reason": "Error"}));
        check(&world, &pod, &["Critical CrashLoop: container app exits with code 1 <- nodes/n1"]);
        let well =
            self::pod(json!({"name": "app", "ready": true, "restartCount": 0, "state": {"running": {}}}));
        check(&world, &well, &[]);
        let mut deleted = pod;
        deleted["metadata"]["deletionTimestamp"] = ago(1).into();
        check(&world, &deleted, &[]);
    }

    #[test]
    fn what_the_runtime_refuses_can_not_start() {
        let refused = pod(json!({
            "name": "app", "ready": false, "restartCount": 1,
            "state": {"waiting": {"reason": "RunContainerError", "message": "exec: \"/run.sh\": permission denied: unknown"}},
        }));
        check(
            &Fixture::new(),
            &refused,
            &["Critical CannotStart: container app can't start: its command may not be executed"],
        );
    }
}
