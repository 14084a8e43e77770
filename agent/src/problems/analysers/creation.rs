//! Pods that have a node and whose containers are not made: volumes that don't attach or mount, sandboxes without a network.
//!
//! The kubelet and the attach-detach controller say so in events only: `FailedAttachVolume`, `FailedMount`, `FailedMapVolume`,
//! `FailedCreatePodSandBox` (`pkg/kubelet/events/event.go`).

use std::sync::Arc;

use serde_json::Value;

use super::event;
use super::found::created_ms;
use super::kind::{self, CLAIMS};
use super::missing_config::{is_missing_any, waits_for_creation};
use super::pod;
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::text;
use crate::problems::thresholds::{NOT_CREATED_MS, NOT_MOUNTED_MS};
use crate::problems::{Evidence, Finding};

const fn cause(name: &'static str, severity: &'static [Severity], when: &'static str) -> Cause {
    Cause { name, severities: severity, looks_at: "a pod that is not created, and its events", when }
}

pub(super) const CAUSES: &[Cause] = &[
    cause(
        "VolumeMultiAttach",
        &[Severity::Critical],
        "for a minute: the pod's volume is attached to another node, and can be attached to one only",
    ),
    cause(
        "VolumeAttach",
        &[Severity::Critical],
        "for a minute: a volume of the pod can't be attached to its node",
    ),
    cause(
        "VolumeMount",
        &[Severity::Critical],
        "for a minute: a volume of the pod can't be mounted, and no ConfigMap or Secret is missing",
    ),
    cause(
        "SandboxFailed",
        &[Severity::Critical],
        "for a minute: the runtime can't make the pod's sandbox, mostly for want of a network or an address",
    ),
    cause(
        "NotCreated",
        &[Severity::Warning],
        "for ten minutes: the pod's containers are not made, and nothing says why",
    ),
];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let pod = subject.object;
    if !waits_for_creation(pod) || pod::is_over(pod) {
        return;
    }
    let Some(since_ms) = pod::condition_since_ms(pod, "PodScheduled").or_else(|| created_ms(pod)) else {
        return;
    };
    let waited_ms = world.now_ms() - since_ms;
    if waited_ms < NOT_MOUNTED_MS {
        return verdict.look_again(since_ms + NOT_MOUNTED_MS);
    }
    if is_missing_any(pod, world) {
        return;
    }
    let events = event::recent(world, &pod::name_of(pod));
    let told = events.iter().find_map(|event| told(pod, event, world));
    if told.is_none() && waited_ms < NOT_CREATED_MS {
        return verdict.look_again(since_ms + NOT_CREATED_MS);
    }
    let finding = told.unwrap_or_else(|| not_created(&events, since_ms));
    verdict.add(finding.since(Some(since_ms)).because_of(pod::lost_node(pod, world)));
}

fn told(pod: &Value, event: &Value, world: &dyn World) -> Option<Finding> {
    let message = text(event, "/message");
    let (cause, message) = match text(event, "/reason") {
        "FailedAttachVolume" if message.contains("Multi-Attach") => (
            "VolumeMultiAttach",
            format!("{} is attached to another node still", volume(pod, message, world)),
        ),
        "FailedAttachVolume" => {
            ("VolumeAttach", format!("{} can't be attached", volume(pod, message, world)))
        }
        "FailedMount" | "FailedMapVolume" => {
            ("VolumeMount", format!("{} can't be mounted", volume(pod, message, world)))
        }
        "FailedCreatePodSandBox" => {
            ("SandboxFailed", format!("the pod's sandbox can't be made: {}", why_no_sandbox(message)))
        }
        _ => return None,
    };
    let finding = Finding::new(cause, Severity::Critical, message).shown_by([Evidence::event(event)]);
    Some(finding.last_seen(event::last_seen_ms(event)))
}

fn not_created(events: &[Arc<Value>], since_ms: i64) -> Finding {
    let pulling = events.first().filter(|event| text(event, "/reason") == "Pulling");
    let message = match pulling {
        Some(_) => "its image is still being pulled",
        None => "its containers are not made, and nothing says why",
    };
    let shown = events.first().map_or_else(
        || Evidence {
            at_ms: Some(since_ms),
            ..Evidence::field("status.containerStatuses", "ContainerCreating")
        },
        |event| Evidence::event(event),
    );
    Finding::new("NotCreated", Severity::Warning, message).shown_by([shown])
}

/// The claim, or else the volume, that a message is about: `volume "pvc-0a1b"` is the claim's volume, `volume "cfg"` the pod's.
fn volume(pod: &Value, message: &str, world: &dyn World) -> String {
    let named = event::quoted_after(message, "volume ").unwrap_or_default();
    let mut claims = pod::claims(pod).collect::<Vec<_>>();
    let is_of = |claim: &String| {
        let claim = kind::get(world, CLAIMS, pod::namespace(pod), claim);
        claim.is_some_and(|claim| text(&claim, "/spec/volumeName") == named)
    };
    let claim = claims.iter().find(|claim| is_of(claim)).cloned();
    match claim.or_else(|| if claims.len() == 1 && named.starts_with("pvc-") { claims.pop() } else { None }) {
        Some(claim) => format!("the volume of claim {claim}"),
        None if named.is_empty() => "a volume".to_owned(),
        None => format!("volume {named}"),
    }
}

fn why_no_sandbox(message: &str) -> &'static str {
    let message = message.to_lowercase();
    let table = [
        (["no ip addresses available", "failed to allocate", "no available ip"], "no address is left"),
        (["cni", "network", "calico"], "the network plugin fails"),
        (["no space left", "disk quota", "read-only file system"], "the node's disk is full or broken"),
        (["runtimehandler", "no runtime for", "runtime handler"], "the node has no such runtime"),
    ];
    let found = table.iter().find(|(words, _)| words.iter().any(|word| message.contains(word)));
    found.map_or("the runtime fails", |(_, why)| why)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problems::world::fixture::{Fixture, ago};

    fn pod(minutes: i64) -> Value {
        json!({
            "metadata": {"name": "db-0", "namespace": "shop", "creationTimestamp": ago(minutes)},
            "spec": {"nodeName": "n1", "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data-db-0"}}]},
            "status": {"phase": "Pending", "containerStatuses": [
                {"name": "app", "state": {"waiting": {"reason": "ContainerCreating"}}}]},
        })
    }

    #[track_caller]
    fn check(world: &Fixture, pod: &Value, expected: &[&str]) -> Verdict {
        let (lines, verdict) = world.judge(judge, "pods", pod);
        assert_eq!(lines, expected);
        verdict
    }

    #[test]
    fn events_say_what_holds_it_up() {
        for (reason, message, expected) in [
            (
                "FailedAttachVolume",
                "Multi-Attach error for volume \"pvc-7\" Volume is already exclusively attached to one node and can't be attached to another",
                "VolumeMultiAttach: the volume of claim data-db-0 is attached to another node still",
            ),
            (
                "FailedAttachVolume",
                "AttachVolume.Attach failed for volume \"pvc-7\" : rpc error: code = Internal",
                "VolumeAttach: the volume of claim data-db-0 can't be attached",
            ),
            (
                "FailedMount",
                "MountVolume.SetUp failed for volume \"nfs\" : mount failed: exit status 32",
                "VolumeMount: volume nfs can't be mounted",
            ),
            (
                "FailedMount",
                "Unable to attach or mount volumes: timed out",
                "VolumeMount: a volume can't be mounted",
            ),
            (
                "FailedCreatePodSandBox",
                "plugin type=\"calico\" failed (add): error getting ClusterInformation",
                "SandboxFailed: the pod's sandbox can't be made: the network plugin fails",
            ),
            (
                "FailedCreatePodSandBox",
                "failed to allocate for range 0: no IP addresses available in range set",
                "SandboxFailed: the pod's sandbox can't be made: no address is left",
            ),
        ] {
            let world = Fixture::new().warning("db-0", reason, message);
            check(&world, &pod(3), &[&format!("Critical {expected}")]);
        }
    }

    #[test]
    fn without_a_word_it_has_ten_minutes() {
        let world = Fixture::new();
        let verdict = check(&world, &pod(3), &[]);
        assert_eq!(verdict.look_again_ms, Some(world.now_ms() - 3 * 60_000 + NOT_CREATED_MS));
        check(&world, &pod(0), &[]);
        check(&world, &pod(11), &["Warning NotCreated: its containers are not made, and nothing says why"]);
        let pulling =
            Fixture::new().event("db-0", json!({"reason": "Pulling", "message": "Pulling image \"big\""}));
        check(&pulling, &pod(11), &["Warning NotCreated: its image is still being pulled"]);
    }

    #[test]
    fn others_tell_of_what_is_missing_and_of_lost_nodes() {
        let message = "MountVolume.SetUp failed for volume \"cfg\" : configmap \"web\" not found";
        check(&Fixture::new().warning("db-0", "FailedMount", message), &pod(3), &[]);
        let node = json!({"metadata": {"name": "n1"}, "status": {"conditions": [{"type": "Ready", "status": "False"}]}});
        let world = Fixture::new().with("nodes", node).warning(
            "db-0",
            "FailedCreatePodSandBox",
            "cni not initialized",
        );
        check(
            &world,
            &pod(3),
            &[
                "Critical SandboxFailed: the pod's sandbox can't be made: the network plugin fails <- nodes/n1",
            ],
        );
    }

    #[test]
    fn what_is_created_is_no_matter() {
        let mut running = pod(30);
        running["status"]["containerStatuses"][0]["state"] = json!({"running": {}});
        check(&Fixture::new().warning("db-0", "FailedMount", "x"), &running, &[]);
    }
}
