//! The table of pods: the one column of status that sums up a pod's whole state, as kube-apiserver computes it.

use jiff::Timestamp;
use serde_json::Value;

use super::age::since;
use super::cell::{Column, View, age, containers, labels, name, or_none};
use crate::json::{flag, flag_condition, int, items, text};

pub(super) const VIEW: View = View {
    columns: &[
        Column::name(),
        Column::text("Ready").described("The aggregate readiness state of this pod for accepting traffic."),
        Column::text("Status").described("The aggregate status of the containers in this pod."),
        Column::text("Restarts").described("The number of times the containers in this pod have been restarted and when the last container in this pod has restarted."),
        Column::age(),
        Column::text("IP").wide(),
        Column::text("Node").wide(),
        Column::text("Nominated Node").wide(),
        Column::text("Readiness Gates").wide(),
    ],
    cells,
};

pub(super) const TEMPLATES: View = View {
    columns: &[
        Column::name(),
        Column::text("Containers"),
        Column::text("Images"),
        Column::text("Pod Labels"),
    ],
    cells: |object, _| {
        let [names, images] = containers(object, "/template/spec/containers");
        vec![name(object), names, images, labels(object, "/template/metadata/labels")]
    },
};

/// What the walk over containers gathers.
#[derive(Default)]
struct Summary {
    ready: usize,
    restarts: i64,
    /// The latest end of a container that was started again.
    last_restart: String,
    reason: String,
}

impl Summary {
    fn count(&mut self, status: &Value) {
        self.restarts += int(status, "/restartCount");
        let ended = text(status, "/lastState/terminated/finishedAt");
        if ended > self.last_restart.as_str() {
            self.last_restart = ended.to_owned();
        }
    }
}

fn cells(pod: &Value, now: Timestamp) -> Vec<Value> {
    let (summary, total) = summarize(pod);
    let restarts = match (summary.restarts, &*summary.last_restart) {
        (0, _) | (_, "") => summary.restarts.to_string(),
        (restarts, last) => format!("{restarts} ({} ago)", since(last, now)),
    };
    vec![
        name(pod),
        format!("{}/{total}", summary.ready).into(),
        status(pod, summary.reason).into(),
        restarts.into(),
        age(pod, now),
        or_none(text(pod, "/status/podIPs/0/ip")),
        or_none(text(pod, "/spec/nodeName")),
        or_none(text(pod, "/status/nominatedNodeName")),
        readiness_gates(pod),
    ]
}

/// Deletion overrules everything but the end of the pod.
fn status(pod: &Value, reason: String) -> String {
    let is_deleted = !text(pod, "/metadata/deletionTimestamp").is_empty();
    let is_over = matches!(text(pod, "/status/phase"), "Succeeded" | "Failed");
    match is_deleted {
        true if text(pod, "/status/reason") == "NodeLost" => "Unknown".into(),
        true if !is_over => "Terminating".into(),
        _ => reason,
    }
}

fn summarize(pod: &Value) -> (Summary, usize) {
    let init = items(pod, "/spec/initContainers");
    let restartable = |name: &str| {
        init.iter().any(|container| {
            text(container, "/name") == name && text(container, "/restartPolicy") == "Always"
        })
    };
    let sidecars = init.iter().filter(|container| text(container, "/restartPolicy") == "Always").count();
    let total = items(pod, "/spec/containers").len() + sidecars;
    let mut all = Summary { reason: base_reason(pod).to_owned(), ..Summary::default() };
    let mut of_sidecars = Summary::default();
    let mut initializing = false;
    for (index, status) in items(pod, "/status/initContainerStatuses").iter().enumerate() {
        all.count(status);
        let is_sidecar = restartable(text(status, "/name"));
        if is_sidecar {
            of_sidecars.count(status);
        }
        match init_reason(status, is_sidecar, index, init.len()) {
            None => all.ready += usize::from(is_sidecar && flag(status, "/ready") && !is_over(status)),
            Some(reason) => {
                all.reason = reason;
                initializing = true;
                break;
            }
        }
    }
    if !initializing || flag_condition(pod, "Initialized") {
        (all.restarts, all.last_restart) = (of_sidecars.restarts, of_sidecars.last_restart);
        main_containers(pod, &mut all);
    }
    (all, total)
}

fn base_reason(pod: &Value) -> &str {
    let is_gated = items(pod, "/status/conditions").iter().any(|condition| {
        text(condition, "/type") == "PodScheduled" && text(condition, "/reason") == "SchedulingGated"
    });
    match text(pod, "/status/reason") {
        _ if is_gated => "SchedulingGated",
        "" => text(pod, "/status/phase"),
        reason => reason,
    }
}

fn is_over(status: &Value) -> bool {
    status.pointer("/state/terminated").is_some()
}

/// Why an init container still holds the pod up; nothing where it does not.
fn init_reason(status: &Value, is_sidecar: bool, index: usize, count: usize) -> Option<String> {
    let terminated = status.pointer("/state/terminated");
    let waiting = text(status, "/state/waiting/reason");
    match terminated {
        Some(terminated) if int(terminated, "/exitCode") == 0 => None,
        _ if is_sidecar && flag(status, "/started") => None,
        Some(terminated) => Some(format!("Init:{}", end_reason(terminated))),
        None if !waiting.is_empty() && waiting != "PodInitializing" => Some(format!("Init:{waiting}")),
        None => Some(format!("Init:{index}/{count}")),
    }
}

/// `OOMKilled`, else the signal, else the exit code.
fn end_reason(terminated: &Value) -> String {
    match (text(terminated, "/reason"), int(terminated, "/signal")) {
        ("", 0) => format!("ExitCode:{}", int(terminated, "/exitCode")),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

/// Later containers are looked at first, so that the first container's reason wins.
fn main_containers(pod: &Value, summary: &mut Summary) {
    let (mut has_running, mut error) = (false, String::new());
    for status in items(pod, "/status/containerStatuses").iter().rev() {
        summary.count(status);
        let waiting = text(status, "/state/waiting/reason");
        if !waiting.is_empty() {
            summary.reason = waiting.to_owned();
        } else if let Some(terminated) = status.pointer("/state/terminated") {
            summary.reason = end_reason(terminated);
            if int(terminated, "/exitCode") != 0 {
                error.clone_from(&summary.reason);
            }
        } else if flag(status, "/ready") && status.pointer("/state/running").is_some() {
            has_running = true;
            summary.ready += 1;
        }
    }
    // A pod of which one container is done is judged by the others.
    if summary.reason == "Completed" {
        summary.reason = match has_running {
            true if flag_condition(pod, "Ready") => "Running".into(),
            _ if !error.is_empty() => error,
            true => "NotReady".into(),
            false => "Completed".into(),
        };
    }
}

fn readiness_gates(pod: &Value) -> Value {
    let gates = items(pod, "/spec/readinessGates");
    if gates.is_empty() {
        return "<none>".into();
    }
    let open = gates.iter().filter(|gate| flag_condition(pod, text(gate, "/conditionType"))).count();
    format!("{open}/{}", gates.len()).into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Ready, status and restarts of a pod.
    fn check(pod: &Value, expected: (&str, &str, &str)) {
        let cells = cells(pod, "2026-11-23T10:00:00Z".parse().unwrap());
        let shown = (cells[1].as_str().unwrap(), cells[2].as_str().unwrap(), cells[3].as_str().unwrap());
        assert_eq!(shown, expected, "{pod}");
    }

    fn running(restarts: i64) -> Value {
        json!({"name": "c", "ready": true, "restartCount": restarts, "state": {"running": {}},
            "lastState": {"terminated": {"finishedAt": "2026-11-23T09:50:00Z"}}})
    }

    fn ended(code: i64, reason: &str) -> Value {
        json!({"name": "d", "ready": false, "restartCount": 0, "state": {"terminated": {"exitCode": code, "reason": reason}}})
    }

    fn pod(phase: &str, statuses: &Value) -> Value {
        json!({"spec": {"containers": vec![json!({}); statuses.as_array().map_or(1, |all| all.len().max(1))]}, "status": {"phase": phase, "containerStatuses": statuses}})
    }

    #[test]
    fn states_are_summed_up_as_the_server_does() {
        check(&pod("Running", &json!([running(0)])), ("1/1", "Running", "0"));
        check(&pod("Running", &json!([running(3)])), ("1/1", "Running", "3 (10m ago)"));
        check(&pod("Pending", &json!([])), ("0/1", "Pending", "0"));
        check(&pod("Succeeded", &json!([ended(0, "Completed")])), ("0/1", "Completed", "0"));
        check(&pod("Failed", &json!([ended(137, "OOMKilled")])), ("0/1", "OOMKilled", "0"));
        check(&pod("Failed", &json!([ended(3, "")])), ("0/1", "ExitCode:3", "0"));
        check(&pod("Running", &json!([ended(0, "Completed"), running(0)])), ("1/2", "NotReady", "0"));
        let waiting = json!({"restartCount": 7, "state": {"waiting": {"reason": "CrashLoopBackOff"}}});
        check(&pod("Running", &json!([waiting])), ("0/1", "CrashLoopBackOff", "7"));
        let mut evicted = pod("Failed", &json!([]));
        evicted["status"]["reason"] = "Evicted".into();
        check(&evicted, ("0/1", "Evicted", "0"));
        let mut leaving = pod("Running", &json!([running(0)]));
        leaving["metadata"] = json!({"deletionTimestamp": "2026-11-23T09:59:00Z"});
        check(&leaving, ("1/1", "Terminating", "0"));
    }

    #[test]
    fn init_containers_and_sidecars() {
        let mut pod = pod("Pending", &json!([]));
        pod["spec"]["initContainers"] =
            json!([{"name": "migrate"}, {"name": "proxy", "restartPolicy": "Always"}]);
        pod["status"]["initContainerStatuses"] = json!([{"name": "migrate", "state": {"running": {}}}]);
        check(&pod, ("0/2", "Init:0/2", "0"));
        pod["status"]["initContainerStatuses"] = json!([{"name": "migrate", "restartCount": 2, "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]);
        check(&pod, ("0/2", "Init:Error", "2"));
        pod["status"] = json!({"phase": "Running", "conditions": [{"type": "Initialized", "status": "True"}],
            "initContainerStatuses": [
                {"name": "migrate", "restartCount": 2, "state": {"terminated": {"exitCode": 0}}},
                {"name": "proxy", "restartCount": 1, "ready": true, "started": true, "state": {"running": {}}}],
            "containerStatuses": [running(1)]});
        check(&pod, ("2/2", "Running", "2 (10m ago)"));
    }
}
