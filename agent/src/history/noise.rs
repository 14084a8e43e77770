//! What changes without anybody meaning anything by it: never a change of the history.

use super::delta::{Path, Step};

/// Paths by their keys; `*` is any key or item.
const NOISE: [&[&str]; 13] = [
    &["metadata", "resourceVersion"],
    &["metadata", "generation"],
    &["metadata", "uid"],
    &["metadata", "creationTimestamp"],
    &["metadata", "managedFields"],
    &["metadata", "selfLink"],
    &["metadata", "deletionGracePeriodSeconds"],
    // What nodes tell of themselves every few minutes, and autoscalers every few seconds.
    &["status", "images"],
    &["status", "volumesInUse"],
    &["status", "volumesAttached"],
    &["status", "currentMetrics"],
    &["status", "currentCPUUtilizationPercentage"],
    &["apiVersion"],
];

/// Keys that say when or how often, wherever they stand in a status.
const COUNTS_AND_TIMES: [&str; 12] = [
    "observedGeneration",
    "lastHeartbeatTime",
    "lastProbeTime",
    "lastUpdateTime",
    "lastTransitionTime",
    "lastScheduleTime",
    "lastSuccessfulTime",
    "startedAt",
    "finishedAt",
    "containerID",
    "imageID",
    "collisionCount",
];

/// Annotations in which controllers keep their own accounts, by how their names begin.
const ACCOUNTS: [&str; 8] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/",
    "deprecated.daemonset.template.generation",
    "control-plane.alpha.kubernetes.io/leader",
    "endpoints.kubernetes.io/",
    "pv.kubernetes.io/",
    "volume.kubernetes.io/",
    "volumes.kubernetes.io/",
];

/// Kinds whose changes nobody means: what is told of others, who holds a lock, which addresses are ready.
const KINDS: [(&str, &str); 6] = [
    ("", "events"),
    ("events.k8s.io", "events"),
    ("", "endpoints"),
    ("discovery.k8s.io", "endpointslices"),
    ("coordination.k8s.io", "leases"),
    ("", "componentstatuses"),
];

pub(super) fn is_noise(path: &Path) -> bool {
    let steps = path.steps();
    if NOISE.iter().any(|noise| matches(steps, noise)) {
        return true;
    }
    match steps {
        [Step::Key(status), .., Step::Key(last)] if status == "status" => {
            COUNTS_AND_TIMES.contains(&last.as_str())
        }
        [Step::Key(metadata), Step::Key(annotations), Step::Key(name)] => {
            metadata == "metadata"
                && annotations == "annotations"
                && ACCOUNTS.iter().any(|account| name.starts_with(account))
        }
        _ => false,
    }
}

/// Whether a kind has a history at all.
pub(super) fn is_recorded(group: &str, resource: &str) -> bool {
    !KINDS.contains(&(group, resource)) && !group.ends_with("metrics.k8s.io")
}

fn matches(steps: &[Step], noise: &[&str]) -> bool {
    steps.len() == noise.len() && steps.iter().zip(noise).all(|(step, key)| step.is_key(key))
}
