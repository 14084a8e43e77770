//! Pods that failed, and stay: evicted, ended with their node, refused by it, or ended by themselves.
//!
//! `status.reason` is the kubelet's: `Evicted` (`pkg/kubelet/eviction`), `Terminated` and `NodeShutdown` (`pkg/kubelet/nodeshutdown`),
//! the name of what an admission check missed otherwise. Without one, a container ended with an error and is not to be
//! restarted. <https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/>

use serde_json::Value;

use super::ending;
use super::found::{created_ms, reference, time_ms};
use super::kind::{self, JOBS, NODES};
use super::pod;
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::{condition, is_deleted, is_true, text};
use crate::problems::thresholds::FAILED_POD_MS;
use crate::problems::{Evidence, Finding, ObjectRef};

const fn cause(name: &'static str, when: &'static str) -> Cause {
    Cause { name, severities: &[Severity::Warning], looks_at: "why a pod failed", when }
}

pub(super) const CAUSES: &[Cause] = &[
    cause(
        "Evicted",
        "the kubelet evicted the pod in the last day, for want of memory, disk or processes, or for using more than it may",
    ),
    cause("NodeShutdown", "the pod ended in the last day because its node was shut down"),
    cause(
        "PodRejected",
        "the node refused the pod in the last day: it had no room any more, or does not match it",
    ),
    cause(
        "PodFailed",
        "a container of the pod ended with an error in the last day, and is not to be restarted",
    ),
];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let pod = subject.object;
    if text(pod, "/status/phase") != "Failed" || is_deleted(pod) {
        return;
    }
    let Some(failed_ms) = failed_ms(pod) else { return };
    if world.now_ms() - failed_ms > FAILED_POD_MS {
        return;
    }
    verdict.look_again(failed_ms + FAILED_POD_MS);
    verdict.findings.extend(finding(pod, world).map(|finding| finding.since(Some(failed_ms))));
}

/// The last that is told of it.
fn failed_ms(pod: &Value) -> Option<i64> {
    let ended = pod::containers(pod).filter_map(|container| container.finished_ms()).max();
    let disrupted = pod::condition_since_ms(pod, "DisruptionTarget");
    ended.max(disrupted).or_else(|| pod::condition_since_ms(pod, "Ready")).or_else(|| created_ms(pod))
}

fn finding(pod: &Value, world: &dyn World) -> Option<Finding> {
    let (reason, message) = (text(pod, "/status/reason"), text(pod, "/status/message"));
    let shown = || Evidence {
        at_ms: time_ms(pod, "/status/startTime"),
        ..Evidence::field(&format!("status.reason {reason}"), message)
    };
    let is_shutdown = message.contains("node shutdown") || message.contains("node is shutting down");
    let of_node =
        |cause, message: String| Finding::new(cause, Severity::Warning, message).shown_by([shown()]);
    match reason {
        "" => return container_failed(pod, world),
        "Evicted" => Some(of_node("Evicted", format!("evicted by its node: {}", why_evicted(message)))),
        "NodeShutdown" | "Terminated" | "Shutdown" => {
            Some(of_node("NodeShutdown", "ended because its node was shut down".to_owned()))
        }
        _ if is_shutdown => Some(of_node("NodeShutdown", "ended because its node was shut down".to_owned())),
        "DeadlineExceeded" => {
            Some(of_node("PodFailed", "ran for longer than its activeDeadlineSeconds".to_owned()))
        }
        reason => Some(of_node("PodRejected", format!("refused by its node: {reason}"))),
    }
    .map(|finding| finding.because_of(node_in_need(pod, world).or_else(|| job(pod, world))))
}

fn container_failed(pod: &Value, world: &dyn World) -> Option<Finding> {
    let is_failed = |container: &pod::Container<'_>| {
        container.last_end().is_some_and(|end| ending::code(end) != 0 && end["reason"] != "OOMKilled")
    };
    let container = pod::containers(pod).find(is_failed)?;
    let message = format!("container {} {}", container.name, ending::words(container.last_end()?));
    let finding = Finding::new("PodFailed", Severity::Warning, message)
        .shown_by(ending::evidence(&container))
        .because_of(job(pod, world));
    Some(finding.look_at_log(&container))
}

/// A pod of a job is the job's affair.
fn job(pod: &Value, world: &dyn World) -> Option<ObjectRef> {
    let job = kind::get(world, JOBS, pod::namespace(pod), pod::controller(pod, "Job")?)?;
    Some(reference(JOBS, &job))
}

/// The node, where it is in need still.
fn node_in_need(pod: &Value, world: &dyn World) -> Option<ObjectRef> {
    let node = kind::get(world, NODES, None, text(pod, "/spec/nodeName"))?;
    let in_need = ["MemoryPressure", "DiskPressure", "PIDPressure"].iter().any(|need| is_true(&node, need));
    let is_lost = condition(&node, "Ready").is_some() && !is_true(&node, "Ready");
    (in_need || is_lost).then(|| reference(NODES, &node))
}

fn why_evicted(message: &str) -> String {
    let after =
        |words: &str| message.split_once(words).and_then(|(_, rest)| rest.split(['.', ' ', ',']).next());
    if let Some(resource) = after("low on resource: ") {
        return format!("it was low on {resource}");
    }
    if let Some(condition) = after("node had condition: ") {
        return format!("it had {}", condition.trim_matches(['[', ']']));
    }
    let own = [
        ("local ephemeral storage", "more ephemeral storage used than allowed"),
        ("ephemeral local storage", "more ephemeral storage used than allowed"),
        ("EmptyDir", "an emptyDir grew beyond its limit"),
    ];
    own.iter().find(|(words, _)| message.contains(words)).map_or("no reason told", |(_, why)| why).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problems::world::fixture::{Fixture, ago};

    fn pod(reason: &str, message: &str, minutes: i64) -> Value {
        json!({
            "metadata": {"name": "web-0", "namespace": "shop", "creationTimestamp": ago(minutes)},
            "spec": {"nodeName": "n1"}, "status": {"phase": "Failed", "reason": reason, "message": message},
        })
    }

    #[track_caller]
    fn check(world: &Fixture, pod: &Value, expected: &[&str]) {
        assert_eq!(world.judge(judge, "pods", pod).0, expected);
    }

    #[test]
    fn the_node_says_why() {
        for (reason, message, expected) in [
            (
                "Evicted",
                "The node was low on resource: memory. Threshold quantity: 100Mi, available: 90Mi. ",
                "Evicted: evicted by its node: it was low on memory",
            ),
            (
                "Evicted",
                "The node had condition: [DiskPressure]. ",
                "Evicted: evicted by its node: it had DiskPressure",
            ),
            (
                "Evicted",
                "Usage of EmptyDir volume \"tmp\" exceeds the limit \"1Gi\". ",
                "Evicted: evicted by its node: an emptyDir grew beyond its limit",
            ),
            (
                "Evicted",
                "Container app exceeded its local ephemeral storage limit \"1Gi\". ",
                "Evicted: evicted by its node: more ephemeral storage used than allowed",
            ),
            (
                "Terminated",
                "Pod was terminated in response to imminent node shutdown.",
                "NodeShutdown: ended because its node was shut down",
            ),
            (
                "OutOfcpu",
                "Node didn't have enough resource: cpu",
                "PodRejected: refused by its node: OutOfcpu",
            ),
            (
                "DeadlineExceeded",
                "Pod was active on the node longer than the specified deadline",
                "PodFailed: ran for longer than its activeDeadlineSeconds",
            ),
        ] {
            check(&Fixture::new(), &pod(reason, message, 30), &[&format!("Warning {expected}")]);
        }
    }

    #[test]
    fn a_node_in_need_is_the_cause() {
        let node = |need: &str| {
            json!({"metadata": {"name": "n1"}, "status": {"conditions": [
            {"type": "Ready", "status": "True"}, {"type": "MemoryPressure", "status": need}]}})
        };
        let evicted = pod("Evicted", "The node was low on resource: memory.", 30);
        let line = "Warning Evicted: evicted by its node: it was low on memory";
        check(&Fixture::new().with("nodes", node("True")), &evicted, &[&format!("{line} <- nodes/n1")]);
        check(&Fixture::new().with("nodes", node("False")), &evicted, &[line]);
    }

    #[test]
    fn a_container_failed_and_its_job_is_the_one_to_tell() {
        let mut failed = pod("", "", 30);
        let end = json!({"exitCode": 1, "reason": "Error", "finishedAt": ago(20)});
        failed["status"]["containerStatuses"] = json!([{"name": "app", "state": {"terminated": end}}]);
        check(&Fixture::new(), &failed, &["Warning PodFailed: container app exits with code 1"]);
        failed["metadata"]["ownerReferences"] = json!([{"kind": "Job", "name": "load", "controller": true}]);
        let job = json!({"metadata": {"name": "load", "namespace": "shop"}});
        check(
            &Fixture::new().with("jobs.batch", job),
            &failed,
            &["Warning PodFailed: container app exits with code 1 <- jobs.batch/load"],
        );
    }

    #[test]
    fn the_past_is_forgotten() {
        check(&Fixture::new(), &pod("Evicted", "", 25 * 60), &[]);
        let mut succeeded = pod("", "", 1);
        succeeded["status"]["phase"] = "Succeeded".into();
        check(&Fixture::new(), &succeeded, &[]);
    }
}
