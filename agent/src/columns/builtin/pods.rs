//! Pods.

use serde_json::Value;

use super::field::{NONE, is_deleted, is_true, list, number, text, text_or};
use super::{AGE, Entry, NAME, narrow, wide};

const PODS: &[Entry] = &[
    NAME,
    narrow("Ready", |pod| Containers::of(pod).ready_of_total().into()),
    narrow("Status", |pod| Containers::of(pod).status(pod).into()),
    narrow("Restarts", |pod| Containers::of(pod).restarts.into()),
    AGE,
    wide("IP", |pod| ip(pod).into()),
    wide("Node", |pod| text_or(pod, "/spec/nodeName", NONE).into()),
    wide("Nominated Node", |pod| text_or(pod, "/status/nominatedNodeName", NONE).into()),
    wide("Readiness Gates", |pod| readiness_gates(pod).into()),
];

pub(super) fn entries(group: &str, resource: &str) -> Option<&'static [Entry]> {
    (group.is_empty() && resource == "pods").then_some(PODS)
}

/// What the statuses of a pod's containers come to.
struct Containers {
    ready: usize,
    total: usize,
    restarts: i64,
    /// Why the pod is not simply running, where its containers say.
    reason: Option<String>,
}

/// How far the init containers have come.
struct Init {
    ready_sidecars: usize,
    restarts: i64,
    sidecar_restarts: i64,
    /// What the first one that is neither done nor a started sidecar says.
    unfinished: Option<String>,
}

impl Containers {
    fn of(pod: &Value) -> Self {
        let sidecars =
            list(pod, "/spec/initContainers").iter().filter(|container| is_sidecar(container)).count();
        let init = Init::of(pod);
        let mut all = Self {
            ready: init.ready_sidecars,
            total: list(pod, "/spec/containers").len() + sidecars,
            restarts: init.restarts,
            reason: init.unfinished,
        };
        if all.reason.is_none() || is_true(pod, "Initialized") {
            all.restarts = init.sidecar_restarts;
            all.add_main(pod);
        }
        all
    }

    /// Adds the containers that are not init containers, last one first: the first one's reason wins.
    fn add_main(&mut self, pod: &Value) {
        let (mut has_running, mut failure) = (false, None);
        for status in list(pod, "/status/containerStatuses").iter().rev() {
            self.restarts += number(status, "/restartCount");
            let waiting = text(status, "/state/waiting/reason");
            if !waiting.is_empty() {
                self.reason = Some(waiting.to_owned());
            } else if let Some(terminated) = state(status, "terminated") {
                self.reason = Some(end_of(terminated));
                if number(terminated, "/exitCode") != 0 {
                    failure = self.reason.clone();
                }
            } else if status["ready"] == true && state(status, "running").is_some() {
                has_running = true;
                self.ready += 1;
            }
        }
        let reason = self.reason.as_deref().unwrap_or_else(|| phase_or_reason(pod));
        if reason == "Completed" {
            // One that ended well beside others that still run does not make the pod complete.
            self.reason = Some(match failure {
                _ if has_running && is_ready(pod) => "Running".to_owned(),
                Some(failure) => failure,
                None if has_running => "NotReady".to_owned(),
                None => "Completed".to_owned(),
            });
        }
    }

    fn ready_of_total(&self) -> String {
        format!("{}/{}", self.ready, self.total)
    }

    fn status(self, pod: &Value) -> String {
        if is_deleted(pod) && text(pod, "/status/reason") == "NodeLost" {
            return "Unknown".to_owned();
        }
        if is_deleted(pod) && !matches!(text(pod, "/status/phase"), "Succeeded" | "Failed") {
            return "Terminating".to_owned();
        }
        self.reason.unwrap_or_else(|| phase_or_reason(pod).to_owned())
    }
}

impl Init {
    fn of(pod: &Value) -> Self {
        let declared = list(pod, "/spec/initContainers");
        let mut init = Self { ready_sidecars: 0, restarts: 0, sidecar_restarts: 0, unfinished: None };
        for (index, status) in list(pod, "/status/initContainerStatuses").iter().enumerate() {
            let sidecar =
                declared.iter().any(|container| container["name"] == status["name"] && is_sidecar(container));
            let restarts = number(status, "/restartCount");
            init.restarts += restarts;
            init.sidecar_restarts += if sidecar { restarts } else { 0 };
            let terminated = state(status, "terminated");
            if terminated.is_some_and(|terminated| number(terminated, "/exitCode") == 0) {
                continue;
            }
            if sidecar && status["started"] == true {
                init.ready_sidecars += usize::from(status["ready"] == true);
                continue;
            }
            let waiting = text(status, "/state/waiting/reason");
            init.unfinished = Some(match terminated {
                Some(terminated) => format!("Init:{}", end_of(terminated)),
                None if !waiting.is_empty() && waiting != "PodInitializing" => format!("Init:{waiting}"),
                None => format!("Init:{index}/{}", declared.len()),
            });
            break;
        }
        init
    }
}

/// Why a container ended: its reason, else its signal, else its exit code.
fn end_of(terminated: &Value) -> String {
    match (text(terminated, "/reason"), number(terminated, "/signal")) {
        ("", 0) => format!("ExitCode:{}", number(terminated, "/exitCode")),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

fn state<'a>(status: &'a Value, name: &str) -> Option<&'a Value> {
    status["state"].get(name).filter(|state| !state.is_null())
}

/// What the pod says of itself before its containers are asked.
fn phase_or_reason(pod: &Value) -> &str {
    let gated =
        |condition: &Value| condition["type"] == "PodScheduled" && condition["reason"] == "SchedulingGated";
    if list(pod, "/status/conditions").iter().any(gated) {
        return "SchedulingGated";
    }
    match text(pod, "/status/reason") {
        "" => text(pod, "/status/phase"),
        reason => reason,
    }
}

fn is_ready(pod: &Value) -> bool {
    let ready = |condition: &Value| condition["type"] == "Ready" && condition["status"] == "True";
    list(pod, "/status/conditions").iter().any(ready)
}

/// An init container that goes on running beside the others.
fn is_sidecar(container: &Value) -> bool {
    container["restartPolicy"] == "Always"
}

fn ip(pod: &Value) -> &str {
    match text(pod, "/status/podIPs/0/ip") {
        "" => text_or(pod, "/status/podIP", NONE),
        ip => ip,
    }
}

/// How many of the pod's readiness gates have a condition that is True.
fn readiness_gates(pod: &Value) -> String {
    let gates = list(pod, "/spec/readinessGates");
    if gates.is_empty() {
        return NONE.to_owned();
    }
    let open = gates.iter().filter(|gate| is_true(pod, text(gate, "/conditionType"))).count();
    format!("{open}/{}", gates.len())
}

#[cfg(test)]
mod tests;
