use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn none() -> Vec<Ignore> {
    Vec::new()
}

/// As somebody writes it, and as the API server of a cluster gives it back.
fn deployment() -> (Value, Value) {
    let written = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "cart", "labels": {"app": "cart"}},
        "spec": {"selector": {"matchLabels": {"app": "cart"}}, "template": {
            "metadata": {"labels": {"app": "cart"}},
            "spec": {"containers": [{"name": "main", "image": "cart:1.8", "ports": [{"containerPort": 80}],
                "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                "readinessProbe": {"httpGet": {"port": 80}}}]},
        }},
    });
    let served = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "cart", "namespace": "shop", "uid": "u", "resourceVersion": "7", "generation": 3,
            "creationTimestamp": "2026-01-01T00:00:00Z", "labels": {"app": "cart"},
            "annotations": {"deployment.kubernetes.io/revision": "3"}, "managedFields": [{}]},
        "spec": {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
            "selector": {"matchLabels": {"app": "cart"}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": {"metadata": {"creationTimestamp": null, "labels": {"app": "cart"}}, "spec": {
                "containers": [{"name": "main", "image": "cart:1.8", "imagePullPolicy": "IfNotPresent",
                    "ports": [{"containerPort": 80, "protocol": "TCP"}], "resources": {},
                    "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                    "env": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}],
                    "readinessProbe": {"failureThreshold": 3, "httpGet": {"path": "/", "port": 80, "scheme": "HTTP"},
                        "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1}}],
                "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
                "securityContext": {}, "terminationGracePeriodSeconds": 30}}},
        "status": {"replicas": 1, "observedGeneration": 3},
    });
    (written, served)
}

#[test]
fn what_was_written_is_what_is_served() {
    let (written, served) = deployment();
    assert_eq!(intent(&written, &none()), intent(&served, &none()));
    let service =
        |spec: Value| intent(&json!({"kind": "Service", "metadata": {"name": "a"}, "spec": spec}), &none());
    assert_eq!(
        service(json!({"selector": {"app": "a"}, "ports": [{"port": 80}]})),
        service(
            json!({"selector": {"app": "a"}, "type": "ClusterIP", "clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"],
            "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", "internalTrafficPolicy": "Cluster", "sessionAffinity": "None",
            "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80, "nodePort": 30123}]})
        ),
    );
    let claim = |spec: Value, annotations: Value| {
        let metadata =
            json!({"name": "a", "annotations": annotations, "finalizers": ["kubernetes.io/pvc-protection"]});
        intent(&json!({"kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}), &none())
    };
    assert_eq!(
        claim(json!({"accessModes": ["ReadWriteOnce"]}), json!({})),
        claim(
            json!({"accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem", "volumeName": "pvc-1"}),
            json!({"pv.kubernetes.io/bind-completed": "yes"})
        ),
    );
}

/// As Kubernetes 1.37 gave them back.
#[test]
fn what_controllers_and_admission_add_is_no_difference() {
    let token = "kube-api-access-mjpfr";
    let borne = |key: &str| json!({"effect": "NoExecute", "key": key, "operator": "Exists", "tolerationSeconds": 300});
    for (written, served) in [
        (
            json!({"kind": "Pod", "spec": {"containers": [{"name": "m", "image": "nginx"}]}}),
            json!({"kind": "Pod", "metadata": {"labels": {"topology.kubernetes.io/region": "eu", "topology.kubernetes.io/zone": "eub"}},
                "spec": {"containers": [{"name": "m", "image": "nginx", "imagePullPolicy": "Always",
                        "volumeMounts": [{"mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "name": token, "readOnly": true}]}],
                    "nodeName": "n1", "priority": 0, "preemptionPolicy": "PreemptLowerPriority",
                    "serviceAccount": "default", "serviceAccountName": "default", "volumes": [{"name": token, "projected": {}}],
                    "tolerations": [borne("node.kubernetes.io/not-ready"), borne("node.kubernetes.io/unreachable")]}}),
        ),
        (
            json!({"kind": "Job", "spec": {"template": {"spec": {"restartPolicy": "Never"}}}}),
            json!({"kind": "Job", "metadata": {"labels": {"batch.kubernetes.io/controller-uid": "u", "batch.kubernetes.io/job-name": "j",
                "controller-uid": "u", "job-name": "j"}}, "spec": {"backoffLimit": 6, "template": {"spec": {"restartPolicy": "Never"}}}}),
        ),
        (
            json!({"kind": "Service", "spec": {"clusterIP": "None", "ports": [{"port": 80}]}}),
            json!({"kind": "Service", "spec": {"clusterIP": "None", "clusterIPs": ["None"], "ports": [{"port": 80, "targetPort": 80}]}}),
        ),
        (
            json!({"kind": "StatefulSet", "spec": {}}),
            json!({"kind": "StatefulSet", "spec": {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "partition": 0}}}}),
        ),
        (
            json!({"kind": "StorageClass", "provisioner": "x"}),
            json!({"kind": "StorageClass", "provisioner": "x", "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"}),
        ),
        (
            json!({"kind": "DaemonSet", "spec": {"template": {"spec": {"containers": [{"name": "m", "resources": {"requests": {"cpu": 0.1}}}]}}}}),
            json!({"kind": "DaemonSet", "spec": {"template": {"spec": {"containers": [{"name": "m", "resources": {"requests": {"cpu": "100m"}}}]}}}}),
        ),
    ] {
        assert_eq!(intent(&written, &none()), intent(&served, &none()), "{}", written["kind"]);
    }
}

#[test]
fn what_somebody_wanted_makes_a_difference() {
    let (written, served) = deployment();
    let differs = |pointer: &str, value: Value| {
        let mut other = served.clone();
        *other.pointer_mut(pointer).unwrap() = value;
        assert_ne!(digest(&intent(&written, &none())), digest(&intent(&other, &none())), "{pointer}");
    };
    differs("/spec/replicas", json!(2));
    differs("/metadata/labels/app", json!("web"));
    differs("/spec/strategy/type", json!("Recreate"));
    differs("/spec/template/spec/containers/0/image", json!("cart:1.9"));
    differs("/spec/template/spec/containers/0/imagePullPolicy", json!("Always"));
    differs("/spec/template/spec/containers/0/env/1/value", json!("3"));
    differs("/spec/template/spec/containers/0/readinessProbe/timeoutSeconds", json!(5));
}

#[test]
fn values_of_config_maps_are_their_sizes() {
    let config = |value: Value| {
        intent(&json!({"kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": value}}), &none())
    };
    assert_eq!(config(json!("hello")), config(json!({"digest": "of another agent", "bytes": 5})));
    assert_ne!(config(json!("hello")), config(json!({"digest": "d", "bytes": 6})));
}

#[test]
fn elements_are_found_by_what_they_are_called() {
    let mut pod = json!({"containers": [{"name": "b", "ports": [{"containerPort": 1}, {"containerPort": 2, "protocol": "UDP"}]},
        {"name": "a"}], "args": ["x", "y"], "finalizers": ["b", "a"], "env": [{"name": "x"}, {"name": "x"}]});
    lists::by_key(&mut pod);
    assert_eq!(
        pod,
        json!({"containers": {
                "[name=b]": {"name": "b", "ports": {"[containerPort=1]": {"containerPort": 1}, "[containerPort=2]": {"containerPort": 2, "protocol": "UDP"}}},
                "[name=a]": {"name": "a"}},
            "args": ["x", "y"], "finalizers": ["a", "b"], "env": [{"name": "x"}, {"name": "x"}]})
    );
    assert_eq!(listed(&pod)["containers"][1], json!({"name": "a"}));
}

#[test]
fn ignored_paths_are_not_compared() {
    let (_, served) = deployment();
    let at = |paths: &[&str]| paths.iter().map(|path| Ignore::parse(path).unwrap()).collect::<Vec<_>>();
    let mut other = served.clone();
    other["spec"]["replicas"] = json!(5);
    other["metadata"]["labels"]["a.b/c"] = json!("x");
    other["spec"]["template"]["spec"]["containers"][0]["image"] = json!("cart:2");
    other["spec"]["template"]["spec"]["containers"][0]["env"] = json!([]);
    let ignored = at(&[
        "spec.replicas",
        "metadata.labels['a.b/c']",
        "spec.template.spec.containers[*].image",
        ".spec.template.spec.containers[name=main].env",
    ]);
    assert_eq!(intent(&served, &ignored), intent(&other, &ignored));
    assert_ne!(intent(&served, &ignored[1..]), intent(&other, &ignored[1..]));
    for wrong in ["", ".", "a..b", "a[0", "a['b"] {
        assert!(Ignore::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_others_keep_was_not_intended() {
    let owned = |controller: bool| json!({"kind": "Job", "metadata": {"name": "a", "ownerReferences": [{"controller": controller}]}});
    assert!(!is_intended(&owned(true)) && is_intended(&owned(false)));
    assert!(!is_intended(&json!({"kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt"}})));
    assert!(is_intended(&json!({"kind": "ConfigMap", "metadata": {"name": "cart"}})));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..9_i64).prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        let key = prop_oneof![
            "[a-c]{1}",
            Just("name".to_owned()),
            Just("containers".to_owned()),
            Just("ports".to_owned()),
            Just("env".to_owned()),
            Just("spec".to_owned()),
            Just("template".to_owned())
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect()))
        ]
    })
}

/// The same with the fields of every object the other way round.
fn turned(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().rev().map(|(key, below)| (key.clone(), turned(below))).collect(),
        Value::Array(items) => items.iter().map(turned).collect(),
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn an_object_is_equal_to_itself_however_it_is_written(spec in any_value(), kind in "Deployment|Service|Pod|ConfigMap|Widget|CronJob") {
        let object = json!({"kind": kind, "metadata": {"name": "a"}, "spec": spec, "data": spec});
        let (a, b) = (intent(&object, &none()), intent(&turned(&object), &none()));
        prop_assert_eq!(digest(&a), digest(&b));
        prop_assert_eq!(a, b);
    }
}

/// Image, environment and ports.
type Container = (u8, BTreeMap<String, u8>, BTreeSet<u16>);

/// What somebody writes of a deployment: replicas, and containers by their names.
#[derive(Debug, Clone)]
struct Written {
    replicas: Option<u8>,
    paused: bool,
    containers: BTreeMap<String, Container>,
}

fn written() -> impl Strategy<Value = Written> {
    let container = (
        0..3_u8,
        prop::collection::btree_map("[A-C]", 0..3_u8, 0..3),
        prop::collection::btree_set(80..84_u16, 0..3),
    );
    let containers = prop::collection::btree_map("[a-c]", container, 1..4);
    (prop::option::of(0..3_u8), any::<bool>(), containers)
        .prop_map(|(replicas, paused, containers)| Written { replicas, paused, containers })
}

impl Written {
    fn object(&self) -> Value {
        let containers = self.containers.iter().map(|(name, (image, env, ports))| {
            let env: Vec<_> =
                env.iter().map(|(name, value)| json!({"name": name, "value": value.to_string()})).collect();
            let ports: Vec<_> = ports.iter().map(|port| json!({"containerPort": port})).collect();
            json!({"name": name, "image": format!("cart:1.{image}"), "env": env, "ports": ports})
        });
        let mut object = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "cart", "namespace": "shop", "labels": {"app": "cart"}},
            "spec": {"selector": {"matchLabels": {"app": "cart"}}, "template": {"metadata": {"labels": {"app": "cart"}},
                "spec": {"containers": containers.collect::<Vec<_>>()}}}});
        if let Some(replicas) = self.replicas {
            object["spec"]["replicas"] = json!(replicas);
        }
        if self.paused {
            object["spec"]["paused"] = json!(true);
        }
        object
    }

    /// As the API server of one cluster gives it back: defaults filled in, elements of lists elsewhere, and with what that
    /// cluster assigns and counts.
    fn served(&self, cluster: u64) -> Value {
        let mut object = self.object();
        let spec = &mut object["spec"];
        for (field, value) in [
            ("replicas", json!(1)),
            ("revisionHistoryLimit", json!(10)),
            ("progressDeadlineSeconds", json!(600)),
        ] {
            if spec[field].is_null() {
                spec[field] = value;
            }
        }
        spec["strategy"] =
            json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}});
        let pod = &mut spec["template"]["spec"];
        pod["dnsPolicy"] = json!("ClusterFirst");
        pod["restartPolicy"] = json!("Always");
        let containers = pod["containers"].as_array_mut().unwrap();
        let turns = (cluster as usize) % containers.len();
        containers.rotate_left(turns);
        for container in containers {
            container["imagePullPolicy"] = json!("IfNotPresent");
            container["terminationMessagePath"] = json!("/dev/termination-log");
            container["env"].as_array_mut().unwrap().reverse();
            container["ports"]
                .as_array_mut()
                .unwrap()
                .iter_mut()
                .for_each(|port| port["protocol"] = json!("TCP"));
        }
        let metadata = &mut object["metadata"];
        metadata["uid"] = json!(format!("u{cluster}"));
        metadata["resourceVersion"] = json!(cluster.to_string());
        metadata["generation"] = json!(cluster);
        metadata["creationTimestamp"] = json!(format!("2026-01-01T00:00:{:02}Z", cluster % 60));
        metadata["annotations"] = json!({"deployment.kubernetes.io/revision": cluster.to_string()});
        metadata["managedFields"] = json!([{"manager": format!("m{cluster}")}]);
        object["status"] = json!({"replicas": cluster, "observedGeneration": cluster});
        object
    }
}

proptest! {
    #[test]
    fn what_is_meant_alike_is_equal_wherever_it_is_served(written in written(), one in 1..1_000_u64, other in 1..1_000_u64) {
        let wanted = intent(&written.object(), &none());
        for cluster in [one, other] {
            let served = intent(&written.served(cluster), &none());
            prop_assert_eq!(digest(&served), digest(&wanted));
            prop_assert_eq!(served, wanted.clone());
        }
        let mut changed = written;
        changed.containers.values_mut().for_each(|(image, ..)| *image += 1);
        prop_assert_ne!(digest(&intent(&changed.served(one), &none())), digest(&wanted));
    }
}
