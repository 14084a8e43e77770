//! Probes that fail, and pods that run and are not ready.
//!
//! The kubelet says so in events `Unhealthy` (`pkg/kubelet/prober/prober.go`): `Readiness probe failed: HTTP probe failed with
//! statuscode: 503`. A readiness probe takes the pod out of its services, a liveness or startup probe gets the container
//! restarted. <https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/>

use std::sync::Arc;

use serde_json::Value;

use super::crash_loop::is_looping;
use super::ending::{self, Ending};
use super::event;
use super::found::created_ms;
use super::pod::{self, Container};
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::{condition, is_true, list, text};
use crate::problems::thresholds::UNREADY_MS;
use crate::problems::{Evidence, Finding};

const fn cause(name: &'static str, severities: &'static [Severity], when: &'static str) -> Cause {
    Cause { name, severities, looks_at: "a pod's conditions, its containers and its events", when }
}

pub(super) const CAUSES: &[Cause] = &[
    cause(
        "LivenessProbeFailing",
        &[Severity::Critical, Severity::Warning],
        "a container is restarted again and again because its liveness probe fails; a warning while it is ready",
    ),
    cause(
        "StartupProbeFailing",
        &[Severity::Critical],
        "a container is restarted again and again because its startup probe fails, or does not get through it for two minutes",
    ),
    cause(
        "ReadinessProbeFailing",
        &[Severity::Critical],
        "a container runs, and its readiness probe fails for two minutes",
    ),
    cause(
        "ReadinessGateClosed",
        &[Severity::Warning],
        "the pod's containers are ready, and a readiness gate of it is closed for two minutes",
    ),
    cause(
        "NotReady",
        &[Severity::Warning],
        "a container runs and is not ready for two minutes, and nothing says why",
    ),
];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let pod = subject.object;
    if pod::is_over(pod) || text(pod, "/status/phase") != "Running" {
        return;
    }
    let mut looping = false;
    for container in pod::containers(pod).filter(|container| !container.is_init) {
        if is_looping(&container, world, verdict) {
            looping = true;
            verdict.findings.extend(killed(subject, &container, world));
        }
    }
    if pod::is_ready(pod) || looping {
        return;
    }
    let Some(since_ms) = pod::condition_since_ms(pod, "Ready").or_else(|| created_ms(pod)) else { return };
    if world.now_ms() - since_ms < UNREADY_MS {
        return verdict.look_again(since_ms + UNREADY_MS);
    }
    let node = pod::lost_node(pod, world);
    let found = unready(subject, world).into_iter().chain(gate(pod));
    verdict.findings.extend(found.map(|finding| finding.since(Some(since_ms)).because_of(node.clone())));
}

/// The container that a probe's failures restart.
fn killed(subject: &Subject<'_>, container: &Container<'_>, world: &dyn World) -> Option<Finding> {
    let pod = subject.object;
    if Ending::of(container, pod, world) != Some(Ending::Probe) {
        return None;
    }
    let probe = ending::killed_by_probe(container, pod, world)?;
    let (cause, name) = if probe == "startup" {
        ("StartupProbeFailing", "Startup")
    } else {
        ("LivenessProbeFailing", "Liveness")
    };
    let unhealthy = unhealthy(subject.object, container, name, world);
    let severity = if container.is_ready() && cause == "LivenessProbeFailing" {
        Severity::Warning
    } else {
        Severity::Critical
    };
    let outcome = unhealthy.as_deref().map_or("fails", |event| outcome(text(event, "/message")));
    let message = format!("{probe} probe of container {} {outcome}, so that it is restarted", container.name);
    let finding = Finding::new(cause, severity, message)
        .shown_by(unhealthy.as_deref().map(Evidence::event))
        .shown_by(ending::evidence(container))
        .last_seen(container.finished_ms());
    Some(finding.look_at_previous_log(container))
}

/// Containers that run and are not ready.
fn unready(subject: &Subject<'_>, world: &dyn World) -> Vec<Finding> {
    let pod = subject.object;
    let unready = pod::containers(pod).filter(|container| container.is_running() && !container.is_ready());
    unready.map(|container| unready_container(pod, &container, world)).collect()
}

fn unready_container(pod: &Value, container: &Container<'_>, world: &dyn World) -> Finding {
    let probes = [("StartupProbeFailing", "Startup"), ("ReadinessProbeFailing", "Readiness")];
    let failing =
        probes.iter().find_map(|(cause, name)| Some((cause, name, unhealthy(pod, container, name, world)?)));
    let condition = condition(pod, "Ready").map(Evidence::condition);
    let finding = match failing {
        Some((cause, probe, event)) => {
            let (probe, outcome) = (probe.to_lowercase(), outcome(text(&event, "/message")));
            let message = format!("{probe} probe of container {} {outcome}", container.name);
            let finding = Finding::new(cause, Severity::Critical, message);
            finding.shown_by([Evidence::event(&event)]).last_seen(event::last_seen_ms(&event))
        }
        None => {
            let message = format!("container {} runs and is not ready", container.name);
            Finding::new("NotReady", Severity::Warning, message).shown_by(condition)
        }
    };
    finding.look_at_log(container)
}

/// The newest event of a probe (`Readiness`) of a container.
fn unhealthy(pod: &Value, container: &Container<'_>, probe: &str, world: &dyn World) -> Option<Arc<Value>> {
    let events = event::recent(world, &pod::name_of(pod));
    events.into_iter().find(|event| {
        text(event, "/reason") == "Unhealthy"
            && text(event, "/message").starts_with(probe)
            && event::is_of_container(event, container.name)
    })
}

/// What a probe came to, without addresses and numbers, which differ from replica to replica.
fn outcome(message: &str) -> &'static str {
    let lower = message.to_lowercase();
    let table = [
        ("statuscode: 401", "is answered with 401"),
        ("statuscode: 403", "is answered with 403"),
        ("statuscode: 404", "is answered with 404"),
        ("statuscode: 4", "is answered with an error of the client (4xx)"),
        ("statuscode: 503", "is answered with 503"),
        ("statuscode: 5", "is answered with an error of the server (5xx)"),
        ("connection refused", "fails: connection refused"),
        ("no route to host", "fails: no route to host"),
        ("context deadline exceeded", "times out"),
        ("timeout", "times out"),
        ("timed out", "times out"),
        ("x509", "fails on the certificate"),
        ("executable file not found", "fails: its command is not in the image"),
        ("not_serving", "is answered with NOT_SERVING"),
    ];
    table.iter().find(|(words, _)| lower.contains(words)).map_or("fails", |(_, outcome)| outcome)
}

/// A readiness gate that something outside is to open.
fn gate(pod: &Value) -> Option<Finding> {
    if !is_true(pod, "ContainersReady") {
        return None;
    }
    let gates = list(pod, "/spec/readinessGates").iter().map(|gate| text(gate, "/conditionType"));
    let closed = gates.into_iter().find(|gate| !is_true(pod, gate))?;
    let shown = condition(pod, closed).map_or_else(
        || Evidence::field("status.conditions", format!("none of type {closed}")),
        Evidence::condition,
    );
    let message = format!("the readiness gate {closed} is closed");
    Some(Finding::new("ReadinessGateClosed", Severity::Warning, message).shown_by([shown]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problems::world::fixture::{Fixture, ago};

    fn pod(container: Value, minutes: i64) -> Value {
        json!({
            "metadata": {"name": "web-0", "namespace": "shop"}, "spec": {"nodeName": "n1"},
            "status": {"phase": "Running", "containerStatuses": [container], "conditions": [
                {"type": "Ready", "status": "False", "reason": "ContainersNotReady", "lastTransitionTime": ago(minutes)}]},
        })
    }

    fn running() -> Value {
        json!({"name": "app", "ready": false, "started": true, "restartCount": 0, "state": {"running": {"startedAt": ago(9)}}})
    }

    #[track_caller]
    fn check(world: &Fixture, pod: &Value, expected: &[&str]) -> Verdict {
        let (lines, verdict) = world.judge(judge, "pods", pod);
        assert_eq!(lines, expected);
        verdict
    }

    #[test]
    fn a_pod_out_of_its_services_says_which_probe_and_how() {
        for (message, expected) in [
            (
                "Readiness probe failed: HTTP probe failed with statuscode: 503",
                "ReadinessProbeFailing: readiness probe of container app is answered with 503",
            ),
            (
                "Readiness probe failed: Get \"http://10.0.0.1:8080/\": dial tcp 10.0.0.1:8080: connect: connection refused",
                "ReadinessProbeFailing: readiness probe of container app fails: connection refused",
            ),
            (
                "Startup probe failed: Get \"http://10.0.0.1:8080/\": context deadline exceeded",
                "StartupProbeFailing: startup probe of container app times out",
            ),
            (
                "Readiness probe failed: ERROR 1045",
                "ReadinessProbeFailing: readiness probe of container app fails",
            ),
        ] {
            let world = Fixture::new().warning("web-0", "Unhealthy", message);
            check(&world, &pod(running(), 5), &[&format!("Critical {expected}")]);
        }
        check(
            &Fixture::new(),
            &pod(running(), 5),
            &["Warning NotReady: container app runs and is not ready"],
        );
    }

    #[test]
    fn liveness_restarts() {
        let world = Fixture::new()
            .warning("web-0", "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500")
            .event("web-0", json!({"reason": "Killing", "message": "Container app failed liveness probe, will be restarted", "lastTimestamp": ago(1)}));
        let mut container = running();
        container["restartCount"] = 4.into();
        container["lastState"] =
            json!({"terminated": {"exitCode": 137, "reason": "Error", "finishedAt": ago(1)}});
        let words = "liveness probe of container app is answered with an error of the server (5xx), so that it is restarted";
        check(&world, &pod(container.clone(), 5), &[&format!("Critical LivenessProbeFailing: {words}")]);
        container["ready"] = true.into();
        check(&world, &pod(container.clone(), 5), &[&format!("Warning LivenessProbeFailing: {words}")]);
        check(&Fixture::new(), &pod(container, 5), &[]);
    }

    #[test]
    fn a_gate_that_nobody_opens() {
        let mut gated = pod(json!({"name": "app", "ready": true, "state": {"running": {}}}), 5);
        gated["spec"]["readinessGates"] = json!([{"conditionType": "lb/ready"}]);
        gated["status"]["conditions"]
            .as_array_mut()
            .unwrap()
            .push(json!({"type": "ContainersReady", "status": "True"}));
        check(
            &Fixture::new(),
            &gated,
            &["Warning ReadinessGateClosed: the readiness gate lb/ready is closed"],
        );
    }

    #[test]
    fn what_starts_has_time_and_a_lost_node_is_the_cause() {
        let world = Fixture::new();
        let verdict = check(&world, &pod(running(), 1), &[]);
        assert_eq!(verdict.look_again_ms, Some(world.now_ms() - 60_000 + UNREADY_MS));
        let node = json!({"metadata": {"name": "n1"}, "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}});
        let world = Fixture::new().with("nodes", node);
        check(
            &world,
            &pod(running(), 5),
            &["Warning NotReady: container app runs and is not ready <- nodes/n1"],
        );
        let mut ready = pod(running(), 5);
        ready["status"]["conditions"][0]["status"] = "True".into();
        check(&Fixture::new(), &ready, &[]);
    }
}
