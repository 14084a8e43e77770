//! What the API server fills in: a field with this value says as much as none.
//!
//! As in `SetDefaults_*` of `k8s.io/kubernetes/pkg/apis/{core,apps,batch,networking,autoscaling,rbac}/v*/defaults.go`.

use serde_json::{Map, Value, json};

use super::pods;

/// A field that is left out where it has this value, in JSON.
type Default = (&'static str, &'static str);

const OF_KINDS: &[(&str, &[Default])] = &[
    (
        "Deployment",
        &[
            ("spec.replicas", "1"),
            ("spec.revisionHistoryLimit", "10"),
            ("spec.progressDeadlineSeconds", "600"),
            ("spec.strategy.type", "\"RollingUpdate\""),
            ("spec.strategy.rollingUpdate.maxSurge", "\"25%\""),
            ("spec.strategy.rollingUpdate.maxUnavailable", "\"25%\""),
            ("spec.strategy.rollingUpdate", "{}"),
            ("spec.strategy", "{}"),
        ],
    ),
    (
        "StatefulSet",
        &[
            ("spec.replicas", "1"),
            ("spec.revisionHistoryLimit", "10"),
            ("spec.podManagementPolicy", "\"OrderedReady\""),
            ("spec.updateStrategy.type", "\"RollingUpdate\""),
            ("spec.updateStrategy.rollingUpdate.partition", "0"),
            ("spec.updateStrategy.rollingUpdate.maxUnavailable", "1"),
            ("spec.updateStrategy.rollingUpdate", "{}"),
            ("spec.updateStrategy", "{}"),
            ("spec.persistentVolumeClaimRetentionPolicy.whenDeleted", "\"Retain\""),
            ("spec.persistentVolumeClaimRetentionPolicy.whenScaled", "\"Retain\""),
            ("spec.persistentVolumeClaimRetentionPolicy", "{}"),
            ("spec.volumeClaimTemplates.*.apiVersion", "\"v1\""),
            ("spec.volumeClaimTemplates.*.kind", "\"PersistentVolumeClaim\""),
            ("spec.volumeClaimTemplates.*.spec.volumeMode", "\"Filesystem\""),
            ("spec.volumeClaimTemplates.*.status.phase", "\"Pending\""),
            ("spec.volumeClaimTemplates.*.status", "{}"),
        ],
    ),
    (
        "DaemonSet",
        &[
            ("spec.revisionHistoryLimit", "10"),
            ("spec.updateStrategy.type", "\"RollingUpdate\""),
            ("spec.updateStrategy.rollingUpdate.maxSurge", "0"),
            ("spec.updateStrategy.rollingUpdate.maxUnavailable", "1"),
            ("spec.updateStrategy.rollingUpdate", "{}"),
            ("spec.updateStrategy", "{}"),
        ],
    ),
    ("ReplicaSet", &[("spec.replicas", "1")]),
    ("ReplicationController", &[("spec.replicas", "1")]),
    ("Job", JOB),
    (
        "CronJob",
        &[
            ("spec.concurrencyPolicy", "\"Allow\""),
            ("spec.suspend", "false"),
            ("spec.successfulJobsHistoryLimit", "3"),
            ("spec.failedJobsHistoryLimit", "1"),
        ],
    ),
    (
        "Service",
        &[
            ("spec.type", "\"ClusterIP\""),
            ("spec.sessionAffinity", "\"None\""),
            ("spec.internalTrafficPolicy", "\"Cluster\""),
            ("spec.externalTrafficPolicy", "\"Cluster\""),
            ("spec.allocateLoadBalancerNodePorts", "true"),
            ("spec.ipFamilyPolicy", "\"SingleStack\""),
            ("spec.ports.*.protocol", "\"TCP\""),
        ],
    ),
    ("HorizontalPodAutoscaler", &[("spec.minReplicas", "1")]),
    ("PersistentVolumeClaim", &[("spec.volumeMode", "\"Filesystem\"")]),
    (
        "PersistentVolume",
        &[("spec.volumeMode", "\"Filesystem\""), ("spec.persistentVolumeReclaimPolicy", "\"Retain\"")],
    ),
    (
        "NetworkPolicy",
        &[("spec.ingress.*.ports.*.protocol", "\"TCP\""), ("spec.egress.*.ports.*.protocol", "\"TCP\"")],
    ),
    ("StorageClass", &[("reclaimPolicy", "\"Delete\""), ("volumeBindingMode", "\"Immediate\"")]),
    ("RoleBinding", BINDING),
    ("ClusterRoleBinding", BINDING),
];

const JOB: &[Default] = &[
    ("spec.parallelism", "1"),
    ("spec.completions", "1"),
    ("spec.backoffLimit", "6"),
    ("spec.completionMode", "\"NonIndexed\""),
    ("spec.suspend", "false"),
    ("spec.manualSelector", "false"),
    ("spec.podReplacementPolicy", "\"TerminatingOrFailed\""),
];

const BINDING: &[Default] = &[
    ("roleRef.apiGroup", "\"rbac.authorization.k8s.io\""),
    ("subjects.*.apiGroup", "\"rbac.authorization.k8s.io\""),
    ("subjects.*.apiGroup", "\"\""),
];

const POD_SPEC: &[Default] = &[
    ("restartPolicy", "\"Always\""),
    ("dnsPolicy", "\"ClusterFirst\""),
    ("schedulerName", "\"default-scheduler\""),
    ("terminationGracePeriodSeconds", "30"),
    ("enableServiceLinks", "true"),
    ("securityContext", "{}"),
    ("serviceAccountName", "\"default\""),
    ("hostNetwork", "false"),
    ("hostPID", "false"),
    ("hostIPC", "false"),
    ("volumes.*.secret.defaultMode", "420"),
    ("volumes.*.configMap.defaultMode", "420"),
    ("volumes.*.downwardAPI.defaultMode", "420"),
    ("volumes.*.downwardAPI.items.*.fieldRef.apiVersion", "\"v1\""),
    ("volumes.*.projected.defaultMode", "420"),
    ("volumes.*.projected.sources.*.serviceAccountToken.expirationSeconds", "3600"),
    ("volumes.*.projected.sources.*.downwardAPI.items.*.fieldRef.apiVersion", "\"v1\""),
    ("volumes.*.hostPath.type", "\"\""),
];

const CONTAINER: &[Default] = &[
    ("terminationMessagePath", "\"/dev/termination-log\""),
    ("terminationMessagePolicy", "\"File\""),
    ("resources", "{}"),
    ("ports.*.protocol", "\"TCP\""),
    ("env.*.valueFrom.fieldRef.apiVersion", "\"v1\""),
    ("env.*.value", "\"\""),
    ("lifecycle.*.httpGet.scheme", "\"HTTP\""),
    ("lifecycle.*.httpGet.path", "\"/\""),
];

const PROBE: &[Default] = &[
    ("timeoutSeconds", "1"),
    ("periodSeconds", "10"),
    ("successThreshold", "1"),
    ("failureThreshold", "3"),
    ("httpGet.scheme", "\"HTTP\""),
    ("httpGet.path", "\"/\""),
    ("grpc.service", "\"\""),
];

pub(super) const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];
const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];

/// Leaves out what the API server would fill in.
pub(super) fn leave_out(kind: &str, object: &mut Value) {
    let of_kind = OF_KINDS.iter().find(|(known, _)| *known == kind);
    apply(object, of_kind.map_or(&[][..], |(_, defaults)| defaults));
    match kind {
        "Service" => service(object),
        "NetworkPolicy" => policy_types(object),
        "Pod" => pods::leave_out(object),
        "CronJob" => {
            if let Some(job) = object.pointer_mut("/spec/jobTemplate") {
                apply(job, JOB);
                no_creation(job);
            }
        }
        _ => {}
    }
    let at = match kind {
        "Pod" => "",
        "CronJob" => "/spec/jobTemplate/spec/template",
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "ReplicationController" | "Job" => {
            "/spec/template"
        }
        _ => return,
    };
    let Some(template) = object.pointer_mut(at) else { return };
    no_creation(template);
    if let Some(spec) = template.get_mut("spec") {
        pod_spec(spec);
    }
}

fn pod_spec(spec: &mut Value) {
    if let Some(map) = spec.as_object_mut() {
        // The old name of serviceAccountName, which is written beside it.
        let account = map.swap_remove("serviceAccount");
        if let Some(account) = account
            && !map.contains_key("serviceAccountName")
        {
            map.insert("serviceAccountName".to_owned(), account);
        }
    }
    apply(spec, POD_SPEC);
    let lists =
        CONTAINERS.iter().filter_map(|list| spec.get(list)?.as_array().map(|_| *list)).collect::<Vec<_>>();
    for list in lists {
        let containers = spec.get_mut(list).and_then(Value::as_array_mut);
        containers.into_iter().flatten().for_each(container);
    }
}

fn container(container: &mut Value) {
    apply(container, CONTAINER);
    for probe in PROBES {
        if let Some(probe) = container.get_mut(probe) {
            apply(probe, PROBE);
        }
    }
    let usual = pull_policy(container["image"].as_str().unwrap_or_default());
    if container["imagePullPolicy"] == usual {
        remove(container, "imagePullPolicy");
    }
}

/// An image without a tag is its latest, and that is always pulled.
fn pull_policy(image: &str) -> &'static str {
    let name = image.rsplit('/').next().unwrap_or(image);
    let is_latest = !image.contains('@') && name.split_once(':').is_none_or(|(_, tag)| tag == "latest");
    if is_latest { "Always" } else { "IfNotPresent" }
}

/// Ports lead to themselves, and to nodes' ports that each cluster assigns; one without an address has a list of none.
fn service(service: &mut Value) {
    if service["spec"]["clusterIP"] == "None"
        && let Some(spec) = service.get_mut("spec")
    {
        remove(spec, "clusterIPs");
    }
    let ports = service.pointer_mut("/spec/ports").and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten() {
        if port["targetPort"] == port["port"] {
            remove(port, "targetPort");
        }
        remove(port, "nodePort");
    }
}

/// Ingress, and egress where there are rules for it.
fn policy_types(policy: &mut Value) {
    let has_egress = policy["spec"]["egress"].as_array().is_some_and(|rules| !rules.is_empty());
    let usual = if has_egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
    if policy["spec"]["policyTypes"] == usual
        && let Some(spec) = policy.get_mut("spec")
    {
        remove(spec, "policyTypes");
    }
}

fn no_creation(template: &mut Value) {
    if let Some(metadata) = template.get_mut("metadata") {
        remove(metadata, "creationTimestamp");
        if metadata.as_object().is_some_and(Map::is_empty) {
            remove(template, "metadata");
        }
    }
}

fn remove(value: &mut Value, key: &str) {
    if let Some(map) = value.as_object_mut() {
        map.swap_remove(key);
    }
}

fn apply(value: &mut Value, defaults: &[Default]) {
    for (path, default) in defaults {
        let Ok(default) = serde_json::from_str::<Value>(default) else { continue };
        let steps: Vec<&str> = path.split('.').collect();
        drop_equal(value, &steps, &default);
    }
}

fn drop_equal(value: &mut Value, steps: &[&str], default: &Value) {
    let [step, rest @ ..] = steps else { return };
    match value {
        Value::Array(items) if *step == "*" => {
            items.iter_mut().for_each(|item| drop_equal(item, rest, default));
        }
        Value::Object(map) if *step == "*" => {
            map.values_mut().for_each(|item| drop_equal(item, rest, default));
        }
        Value::Object(map) => {
            let Some(below) = map.get_mut(*step) else { return };
            if !rest.is_empty() {
                drop_equal(below, rest, default);
            } else if below == default {
                map.swap_remove(*step);
            }
        }
        _ => {}
    }
}
