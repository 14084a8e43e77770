//! Controllers' objects: Deployments, ReplicaSets, StatefulSets, DaemonSets, with the status that their controllers write.

use serde_json::{Value, json};

use super::managed;
use super::plan::{Plan, Trouble};
use super::pod::Owner;
use super::random::Random;
use super::template;
use crate::json::set;

/// How the pods of a workload are doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) desired: usize,
    pub(crate) current: usize,
    pub(crate) updated: usize,
    pub(crate) ready: usize,
}

fn metadata(plan: &Plan, at: &str, random: &mut Random) -> Value {
    let mut labels = template::selector(plan);
    labels["app.kubernetes.io/managed-by"] = "Helm".into();
    labels["helm.sh/chart"] = format!("{}-{}", plan.name, "4.2.1").into();
    json!({"name": plan.name, "namespace": plan.namespace, "uid": random.uid(), "creationTimestamp": at, "generation": 1,
        "labels": labels, "annotations": {"meta.helm.sh/release-name": plan.name, "meta.helm.sh/release-namespace": plan.namespace}})
}

/// Sets `managedFields` as helm and the controller would have.
fn managed_by_helm(object: &mut Value, api_version: &str, at: &str) {
    let metadata =
        json!({"labels": object["metadata"]["labels"], "annotations": object["metadata"]["annotations"]});
    let own =
        managed::entry("helm", api_version, at, "", &[("metadata", &metadata), ("spec", &object["spec"])]);
    let status = managed::entry(
        "kube-controller-manager",
        api_version,
        at,
        "status",
        &[("status", &object["status"])],
    );
    set(object, "/metadata/managedFields", json!([own, status]));
}

pub(crate) fn deployment(
    plan: &Plan,
    template: &Value,
    counts: Counts,
    at: &str,
    random: &mut Random,
) -> Value {
    let mut metadata = metadata(plan, at, random);
    metadata["annotations"]["deployment.kubernetes.io/revision"] = "1".into();
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
        "spec": {
            "replicas": counts.desired, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
            "selector": {"matchLabels": template::selector(plan)},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": template,
        },
    });
    let progress = if plan.trouble == Trouble::StuckRollout { Progress::Stuck } else { Progress::Done };
    let status = deployment_status(counts, 1, progress, plan.name, at);
    set(&mut object, "/status", status);
    managed_by_helm(&mut object, "apps/v1", at);
    object
}

/// How far a rollout is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Going,
    Done,
    Stuck,
}

pub(crate) fn deployment_status(
    counts: Counts,
    generation: i64,
    progress: Progress,
    name: &str,
    at: &str,
) -> Value {
    let enough = counts.ready + counts.desired / 4 >= counts.desired;
    let condition = |kind: &str, good: bool, reason: &str, message: &str| {
        json!({"type": kind, "status": if good { "True" } else { "False" }, "reason": reason, "message": message,
            "lastUpdateTime": at, "lastTransitionTime": at})
    };
    let availability = match enough {
        true => {
            condition("Available", true, "MinimumReplicasAvailable", "Deployment has minimum availability.")
        }
        false => condition(
            "Available",
            false,
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        ),
    };
    let progressing = match progress {
        Progress::Done => condition(
            "Progressing",
            true,
            "NewReplicaSetAvailable",
            &format!("ReplicaSet \"{name}\" has successfully progressed."),
        ),
        Progress::Going => condition(
            "Progressing",
            true,
            "ReplicaSetUpdated",
            &format!("ReplicaSet \"{name}\" is progressing."),
        ),
        Progress::Stuck => condition(
            "Progressing",
            false,
            "ProgressDeadlineExceeded",
            &format!("ReplicaSet \"{name}\" has timed out progressing."),
        ),
    };
    let mut status = json!({"observedGeneration": generation, "conditions": [availability, progressing]});
    let unavailable = counts.desired.max(counts.current).saturating_sub(counts.ready);
    set_counts(
        &mut status,
        &[
            ("replicas", counts.current),
            ("updatedReplicas", counts.updated),
            ("readyReplicas", counts.ready),
            ("availableReplicas", counts.ready),
            ("unavailableReplicas", unavailable),
        ],
    );
    status
}

/// As Go writes it: what is zero is left out.
fn set_counts(status: &mut Value, counts: &[(&str, usize)]) {
    for (field, count) in counts.iter().filter(|(_, count)| *count > 0) {
        status[*field] = (*count).into();
    }
}

/// A ReplicaSet of `deployment` for `template`.
pub(crate) fn replica_set(
    deployment: &Value,
    template: &Value,
    counts: Counts,
    revision: u64,
    at: &str,
    random: &mut Random,
) -> Value {
    let hash = template::hash(template);
    let mut template = template.clone();
    set(&mut template, "/metadata/labels/pod-template-hash", hash.as_str());
    let name = format!("{}-{hash}", crate::json::text(deployment, "/metadata/name"));
    let mut selector = deployment["spec"]["selector"].clone();
    set(&mut selector, "/matchLabels/pod-template-hash", hash.as_str());
    let owner = Owner::of("apps/v1", "Deployment", deployment);
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": name, "namespace": deployment["metadata"]["namespace"], "uid": random.uid(), "creationTimestamp": at, "generation": 1,
            "labels": template["metadata"]["labels"], "ownerReferences": [owner.reference()],
            "annotations": {"deployment.kubernetes.io/desired-replicas": counts.desired.to_string(), "deployment.kubernetes.io/revision": revision.to_string()},
        },
        "spec": {"replicas": counts.desired, "selector": selector, "template": template},
    });
    set(&mut object, "/status", replica_set_status(counts, 1));
    let parts = [("metadata", &object["metadata"]), ("spec", &object["spec"])];
    let entry = managed::entry("kube-controller-manager", "apps/v1", at, "", &parts);
    set(&mut object, "/metadata/managedFields", json!([entry]));
    object
}

pub(crate) fn replica_set_status(counts: Counts, generation: i64) -> Value {
    let mut status = json!({"observedGeneration": generation, "replicas": counts.current});
    let (all, ready) = (counts.current, counts.ready);
    set_counts(
        &mut status,
        &[("fullyLabeledReplicas", all), ("readyReplicas", ready), ("availableReplicas", ready)],
    );
    status
}

pub(crate) fn stateful_set(
    plan: &Plan,
    template: &Value,
    counts: Counts,
    at: &str,
    random: &mut Random,
) -> Value {
    let revision = format!("{}-{}", plan.name, template::hash(template));
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata(plan, at, random),
        "spec": {
            "replicas": counts.desired, "serviceName": format!("{}-headless", plan.name), "podManagementPolicy": "OrderedReady", "revisionHistoryLimit": 10,
            "selector": {"matchLabels": template::selector(plan)}, "template": template,
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
            "volumeClaimTemplates": [{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
                "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "gp3", "volumeMode": "Filesystem", "resources": {"requests": {"storage": "20Gi"}}},
                "status": {"phase": "Pending"}}],
        },
        "status": {
            "observedGeneration": 1, "replicas": counts.current, "readyReplicas": counts.ready, "availableReplicas": counts.ready,
            "currentReplicas": counts.current, "updatedReplicas": counts.current, "currentRevision": revision, "updateRevision": revision, "collisionCount": 0,
        },
    });
    managed_by_helm(&mut object, "apps/v1", at);
    object
}

pub(crate) fn daemon_set(
    plan: &Plan,
    template: &Value,
    counts: Counts,
    at: &str,
    random: &mut Random,
) -> Value {
    let mut template = template.clone();
    set(&mut template, "/spec/nodeSelector", json!({"kubernetes.io/os": "linux"}));
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata(plan, at, random),
        "spec": {"revisionHistoryLimit": 10, "selector": {"matchLabels": template::selector(plan)}, "template": template,
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": "10%"}}},
        "status": {
            "observedGeneration": 1, "desiredNumberScheduled": counts.desired, "currentNumberScheduled": counts.current, "updatedNumberScheduled": counts.current,
            "numberReady": counts.ready, "numberAvailable": counts.ready, "numberMisscheduled": 0,
        },
    });
    managed_by_helm(&mut object, "apps/v1", at);
    object
}

/// The ControllerRevision that a StatefulSet or DaemonSet keeps of its template.
pub(crate) fn controller_revision(
    owner: &Owner,
    namespace: &str,
    template: &Value,
    at: &str,
    random: &mut Random,
) -> Value {
    let hash = template::hash(template);
    json!({
        "apiVersion": "apps/v1", "kind": "ControllerRevision",
        "metadata": {"name": format!("{}-{hash}", owner.name), "namespace": namespace, "uid": random.uid(), "creationTimestamp": at,
            "labels": {"controller.kubernetes.io/hash": hash}, "ownerReferences": [owner.reference()]},
        "data": {"spec": {"template": template}}, "revision": 1,
    })
}
