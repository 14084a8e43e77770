//! What is not compared when two clusters hold the same object: what a cluster assigns by itself, or counts; and, of what
//! somebody wanted, what came of it.

use serde_json::{Map, Value, json};

/// A place of which the values say nothing about what somebody wanted.
struct Noise {
    /// Keys from the root; `*` stands for every key or element.
    path: &'static [&'static str],
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "it documents the entry; a test checks that there is one")
    )]
    reason: &'static str,
}

const NOISE: &[Noise] = &[
    Noise { path: &["metadata", "uid"], reason: "drawn by each API server" },
    Noise { path: &["metadata", "resourceVersion"], reason: "counts the writes of one etcd" },
    Noise {
        path: &["metadata", "creationTimestamp"],
        reason: "the same object is applied to clusters one after the other",
    },
    Noise { path: &["metadata", "generation"], reason: "counts the changes of one cluster" },
    Noise { path: &["metadata", "managedFields"], reason: "who set what and when, never shown" },
    Noise { path: &["metadata", "selfLink"], reason: "gone since Kubernetes 1.20" },
    Noise { path: &["metadata", "ownerReferences", "*", "uid"], reason: "drawn by each API server" },
    Noise {
        path: &["metadata", "annotations", "deployment.kubernetes.io/revision"],
        reason: "counts the rollouts of one cluster",
    },
    Noise {
        path: &["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"],
        reason: "a copy of the object as it was applied",
    },
    Noise {
        path: &["metadata", "annotations", "deprecated.daemonset.template.generation"],
        reason: "counts the changes of one cluster",
    },
    Noise { path: &["status", "observedGeneration"], reason: "follows the generation" },
    Noise { path: &["status", "startTime"], reason: "when this cluster's copy began" },
    Noise { path: &["status", "completionTime"], reason: "when this cluster's copy ended" },
    Noise { path: &["status", "lastScheduleTime"], reason: "when this cluster's copy last ran" },
    Noise { path: &["status", "lastSuccessfulTime"], reason: "when this cluster's copy last ran" },
    Noise { path: &["status", "lastScaleTime"], reason: "when this cluster's copy was last scaled" },
    Noise { path: &["status", "collisionCount"], reason: "an accident of names" },
    Noise { path: &["status", "currentRevision"], reason: "a hash that holds a collision count" },
    Noise { path: &["status", "updateRevision"], reason: "a hash that holds a collision count" },
    Noise { path: &["status", "conditions", "*", "lastTransitionTime"], reason: "when, not what" },
    Noise { path: &["status", "conditions", "*", "lastUpdateTime"], reason: "when, not what" },
    Noise { path: &["status", "conditions", "*", "lastProbeTime"], reason: "when, not what" },
    Noise { path: &["status", "conditions", "*", "lastHeartbeatTime"], reason: "when, not what" },
    Noise { path: &["status", "conditions", "*", "observedGeneration"], reason: "follows the generation" },
    Noise {
        path: &["status", "containerStatuses", "*", "state", "*", "startedAt"],
        reason: "when, not what",
    },
    Noise { path: &["status", "containerStatuses", "*", "containerID"], reason: "drawn by each runtime" },
];

/// What the API server fills in for one kind.
const ASSIGNED: &[(&str, Noise)] = &[
    ("Service", Noise { path: &["spec", "clusterIP"], reason: "from each cluster's own range" }),
    ("Service", Noise { path: &["spec", "clusterIPs"], reason: "from each cluster's own range" }),
    ("PersistentVolumeClaim", Noise { path: &["spec", "volumeName"], reason: "holds a uid" }),
];

/// What is not compared where only what somebody wanted counts.
const OF_INTENT: &[Noise] = &[
    Noise { path: &["apiVersion"], reason: "each cluster's own choice of those that it serves" },
    Noise { path: &["kind"], reason: "objects of one kind are compared" },
    Noise { path: &["status"], reason: "what came of it" },
    Noise { path: &["omittedBytes"], reason: "said of an object too large to be kept" },
    Noise { path: &["metadata", "name"], reason: "objects are compared that are called alike" },
    Noise { path: &["metadata", "namespace"], reason: "objects of two namespaces may be compared" },
    Noise { path: &["metadata", "generateName"], reason: "the name is made of it" },
    Noise { path: &["metadata", "deletionTimestamp"], reason: "when, not what" },
    Noise { path: &["metadata", "deletionGracePeriodSeconds"], reason: "how long its deletion takes" },
    Noise { path: &["metadata", "finalizers"], reason: "set by the controllers of a cluster" },
    Noise {
        path: &["spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt"],
        reason: "when it was restarted, not what",
    },
];

/// Annotations that the controllers of a cluster keep, by how they begin.
const ANNOTATIONS: [&str; 9] = [
    "deployment.kubernetes.io/",
    "pv.kubernetes.io/",
    "volume.kubernetes.io/",
    "volume.beta.kubernetes.io/",
    "autoscaling.alpha.kubernetes.io/",
    "endpoints.kubernetes.io/",
    "batch.kubernetes.io/job-tracking",
    "control-plane.alpha.kubernetes.io/",
    "kubectl.kubernetes.io/last-applied-configuration",
];

/// What the controllers of a cluster fill in for one kind.
const GENERATED: &[(&str, Noise)] = &[
    ("Service", Noise { path: &["spec", "ipFamilies"], reason: "of each cluster's own range" }),
    ("Service", Noise { path: &["spec", "healthCheckNodePort"], reason: "from each cluster's own range" }),
    ("ServiceAccount", Noise { path: &["secrets"], reason: "tokens, called at random" }),
    ("Job", Noise { path: &["spec", "selector"], reason: "holds a uid" }),
    ("Job", Noise { path: &["spec", "template", "metadata", "labels", "controller-uid"], reason: "a uid" }),
    (
        "Job",
        Noise {
            path: &["spec", "template", "metadata", "labels", "batch.kubernetes.io/controller-uid"],
            reason: "a uid",
        },
    ),
    ("Job", Noise { path: &["spec", "template", "metadata", "labels", "job-name"], reason: "its own name" }),
    (
        "Job",
        Noise {
            path: &["spec", "template", "metadata", "labels", "batch.kubernetes.io/job-name"],
            reason: "its own name",
        },
    ),
    ("Job", Noise { path: &["metadata", "labels", "controller-uid"], reason: "a uid" }),
    ("Job", Noise { path: &["metadata", "labels", "batch.kubernetes.io/controller-uid"], reason: "a uid" }),
    ("Job", Noise { path: &["metadata", "labels", "job-name"], reason: "its own name" }),
    ("Job", Noise { path: &["metadata", "labels", "batch.kubernetes.io/job-name"], reason: "its own name" }),
    ("Pod", Noise { path: &["metadata", "labels", "topology.kubernetes.io/region"], reason: "of its node" }),
    ("Pod", Noise { path: &["metadata", "labels", "topology.kubernetes.io/zone"], reason: "of its node" }),
    ("PersistentVolume", Noise { path: &["spec", "claimRef"], reason: "holds a uid" }),
    ("Namespace", Noise { path: &["spec", "finalizers"], reason: "set by the API server" }),
    (
        "Namespace",
        Noise { path: &["metadata", "labels", "kubernetes.io/metadata.name"], reason: "its own name" },
    ),
];

/// The object without its noise: what is compared.
pub fn without_noise(object: &Value) -> Value {
    let mut quiet = object.clone();
    for noise in NOISE {
        remove(&mut quiet, noise.path);
    }
    // A service without an address was meant to have none.
    let is_headless = quiet["spec"]["clusterIP"] == "None";
    for (kind, noise) in ASSIGNED {
        if quiet["kind"] == *kind && !is_headless {
            remove(&mut quiet, noise.path);
        }
    }
    quiet
}

/// What two objects that differ in noise alone have in common: what is shown of them.
pub fn keep_common(shown: &mut Value, other: &Value) {
    match (shown, other) {
        (Value::Object(shown), Value::Object(other)) => keep_common_keys(shown, other),
        (Value::Array(shown), Value::Array(other)) => {
            for (shown, other) in shown.iter_mut().zip(other) {
                keep_common(shown, other);
            }
        }
        _ => {}
    }
}

fn keep_common_keys(shown: &mut Map<String, Value>, other: &Map<String, Value>) {
    shown.retain(|key, value| match (value, other.get(key)) {
        (_, None) => false,
        (Value::Object(_), Some(Value::Object(_))) => true,
        // What differs inside its elements is dropped there; an element itself can't be dropped alone.
        (Value::Array(items), Some(Value::Array(other))) => {
            items == other || items.iter().all(Value::is_object)
        }
        (value, Some(other)) => value == other,
    });
    for (key, value) in shown {
        if let Some(other) = other.get(key) {
            keep_common(value, other);
        }
    }
}

/// managedFields are never shown; they are most of an object.
pub fn drop_managed_fields(object: &mut Value) {
    remove(object, &["metadata", "managedFields"]);
}

fn remove(value: &mut Value, path: &[&str]) {
    let [first, rest @ ..] = path else { return };
    match value {
        Value::Object(map) if rest.is_empty() => {
            // An order of keys is no difference, so the cheap way of removing is allowed to change it.
            map.swap_remove(*first);
        }
        Value::Object(map) if *first == "*" => map.values_mut().for_each(|below| remove(below, rest)),
        Value::Object(map) => {
            if let Some(below) = map.get_mut(*first) {
                remove(below, rest);
                // Annotations that were all noise are as good as none.
                if below.as_object().is_some_and(Map::is_empty) && rest.len() == 1 {
                    map.swap_remove(*first);
                }
            }
        }
        Value::Array(items) if *first == "*" => items.iter_mut().for_each(|below| remove(below, rest)),
        _ => {}
    }
}

/// Leaves what somebody wanted of an object that is without noise.
pub(super) fn keep_intent(kind: &str, quiet: &mut Value) {
    for noise in OF_INTENT {
        remove(quiet, noise.path);
    }
    for (_, noise) in GENERATED.iter().filter(|(of, _)| *of == kind) {
        remove(quiet, noise.path);
    }
    if kind == "ConfigMap" {
        ["data", "binaryData"]
            .iter()
            .filter_map(|field| quiet.get_mut(*field)?.as_object_mut().map(sizes))
            .for_each(drop);
    }
    let Some(metadata) = quiet.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.retain(|key, _| !ANNOTATIONS.iter().any(|own| key.starts_with(own)));
    }
    // Nothing is as good as none.
    metadata.retain(|_, value| !value.is_null() && value.as_object().is_none_or(|map| !map.is_empty()));
    if metadata.is_empty() {
        remove(quiet, &["metadata"]);
    }
}

/// Agents keep digests of values that no two of them make alike, and how long the values are.
fn sizes(values: &mut Map<String, Value>) {
    for value in values.values_mut() {
        let bytes = match &*value {
            Value::String(text) => text.len().into(),
            other => other.get("bytes").cloned().unwrap_or_default(),
        };
        *value = json!({ "bytes": bytes });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_that_differ_in_noise_alone_are_equal() {
        let object = |uid: &str, when: &str| {
            json!({"kind": "Deployment", "metadata": {"name": "cart", "uid": uid, "creationTimestamp": when,
                    "annotations": {"deployment.kubernetes.io/revision": uid}},
                "spec": {"replicas": 2}, "status": {"observedGeneration": 7, "readyReplicas": 2,
                    "conditions": [{"type": "Available", "status": "True", "lastTransitionTime": when}]}})
        };
        let (eu, us) = (object("1", "2026-01-01T00:00:00Z"), object("2", "2026-02-01T00:00:00Z"));
        assert_eq!(without_noise(&eu), without_noise(&us));
        let mut shown = eu;
        keep_common(&mut shown, &us);
        assert_eq!(
            shown,
            json!({"kind": "Deployment", "metadata": {"name": "cart", "annotations": {}}, "spec": {"replicas": 2},
                "status": {"observedGeneration": 7, "readyReplicas": 2,
                    "conditions": [{"type": "Available", "status": "True"}]}})
        );
    }

    #[test]
    fn an_address_is_noise_and_to_have_none_is_not() {
        let service = |ip: &str| json!({"kind": "Service", "spec": {"clusterIP": ip, "clusterIPs": [ip], "type": "ClusterIP"}});
        assert_eq!(without_noise(&service("10.0.0.7")), without_noise(&service("10.1.0.9")));
        assert_ne!(without_noise(&service("10.0.0.7")), without_noise(&service("None")));
        let mut shown = service("10.0.0.7");
        keep_common(&mut shown, &service("10.1.0.9"));
        assert_eq!(shown, json!({"kind": "Service", "spec": {"type": "ClusterIP"}}));
    }

    #[test]
    fn what_somebody_wanted_is_compared() {
        let base = json!({"metadata": {"name": "a", "labels": {"x": "1"}}, "spec": {"replicas": 2}, "status": {"replicas": 2}});
        for (pointer, value) in
            [("/metadata/labels/x", json!("2")), ("/spec/replicas", json!(3)), ("/status/replicas", json!(1))]
        {
            let mut other = base.clone();
            *other.pointer_mut(pointer).unwrap() = value;
            assert_ne!(without_noise(&base), without_noise(&other), "{pointer}");
        }
    }

    #[test]
    fn every_entry_has_a_reason_and_reaches_its_place() {
        for noise in NOISE.iter().chain(OF_INTENT) {
            assert!(!noise.reason.is_empty());
            let mut holder = noise.path.iter().rev().fold(json!(1), |below, key| match *key {
                "*" if noise.path.contains(&"state") && below.get("startedAt").is_some() => {
                    json!({ "running": below })
                }
                "*" => json!([below]),
                key => json!({ key: below }),
            });
            let before = holder.clone();
            remove(&mut holder, noise.path);
            assert_ne!(before, holder, "{:?}", noise.path);
        }
    }
}
