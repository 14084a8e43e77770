//! What stands beside each workload: service, endpoints, configuration, secret, account, rights, budget, autoscaler, volumes.

use serde_json::{Value, json};

use super::plan::{Plan, PlanKind};
use super::random::Random;
use super::template;
use crate::json::{flag_condition, text};

/// What secrets hold instead of secrets, so that a leak is found by searching for it.
pub(crate) const CANARY: &str = "KUBEPLEX-LEAK-CANARY";

/// A Service, and the EndpointSlice of its pods.
pub(crate) fn service(plan: &Plan, at: &str, random: &mut Random) -> Value {
    let cluster_ip = format!("172.20.{}.{}", random.below(256), 1 + random.below(254));
    let mut spec = json!({
        "type": "ClusterIP", "clusterIP": cluster_ip, "clusterIPs": [cluster_ip], "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack",
        "internalTrafficPolicy": "Cluster", "sessionAffinity": "None", "selector": template::selector(plan),
        "ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": "http"}, {"name": "metrics", "port": 9464, "protocol": "TCP", "targetPort": "metrics"}],
    });
    let mut status = json!({"loadBalancer": {}});
    if plan.name == "ingress-nginx-controller" {
        spec["type"] = "LoadBalancer".into();
        spec["externalTrafficPolicy"] = "Local".into();
        spec["ports"] = json!([{"name": "https", "port": 443, "protocol": "TCP", "targetPort": "http", "nodePort": 30000 + random.below(2768)}]);
        status = json!({"loadBalancer": {"ingress": [{"hostname": format!("a{}-{}.elb.eu-central-1.amazonaws.com", random.hex(32), random.below(2_000_000_000))}]}});
    }
    json!({"apiVersion": "v1", "kind": "Service", "metadata": named(plan, plan.name, at), "spec": spec, "status": status})
}

pub(crate) fn endpoint_slice(service: &Value, pods: &[Value], port: u16, random: &mut Random) -> Value {
    let name = text(service, "/metadata/name");
    let endpoints: Vec<Value> =
        pods.iter().filter(|pod| !text(pod, "/status/podIP").is_empty()).map(endpoint).collect();
    json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": {"name": format!("{name}-{}", random.suffix(5)), "generateName": format!("{name}-"), "namespace": service["metadata"]["namespace"],
            "uid": random.uid(), "creationTimestamp": service["metadata"]["creationTimestamp"],
            "labels": {"kubernetes.io/service-name": name, "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"},
            "ownerReferences": [{"apiVersion": "v1", "kind": "Service", "name": name, "uid": service["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true}]},
        "addressType": "IPv4", "endpoints": endpoints, "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
    })
}

/// A pod as an endpoint.
pub(crate) fn endpoint(pod: &Value) -> Value {
    let ready = flag_condition(pod, "Ready") && text(pod, "/metadata/deletionTimestamp").is_empty();
    json!({
        "addresses": [pod["status"]["podIP"]], "conditions": {"ready": ready, "serving": ready, "terminating": !text(pod, "/metadata/deletionTimestamp").is_empty()},
        "nodeName": pod["spec"]["nodeName"],
        "targetRef": {"kind": "Pod", "name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"], "uid": pod["metadata"]["uid"]},
    })
}

fn named(plan: &Plan, name: &str, at: &str) -> Value {
    let mut labels = template::selector(plan);
    labels["app.kubernetes.io/managed-by"] = "Helm".into();
    json!({"name": name, "namespace": plan.namespace, "creationTimestamp": at, "labels": labels})
}

/// Everything else that the workload's chart installs.
pub(crate) fn companions(plan: &Plan, replicas: usize, at: &str) -> Vec<Value> {
    let object = |api_version: &str, kind: &str, name: &str, rest: Value| {
        let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": named(plan, name, at)});
        if let (Some(object), Value::Object(rest)) = (object.as_object_mut(), rest) {
            object.extend(rest);
        }
        object
    };
    let (name, rbac) = (plan.name, "rbac.authorization.k8s.io/v1");
    let role = format!("{name}-leader-election");
    let role_ref = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role});
    let config = format!(
        "listen: :{}\nlog:\n  level: info\n  format: json\nupstreams:\n- http://{name}.{}.svc.cluster.local\n",
        plan.port, plan.namespace
    );
    let mut objects = vec![
        object("v1", "ServiceAccount", name, json!({})),
        object(
            "v1",
            "ConfigMap",
            &format!("{name}-config"),
            json!({"data": {"config.yaml": config, "features.json": "{\"darkMode\":true,\"newCheckout\":false}"}}),
        ),
        object(
            "v1",
            "Secret",
            &format!("{name}-credentials"),
            json!({"type": "Opaque", "data": secret_data(name)}),
        ),
        object(
            rbac,
            "Role",
            &role,
            json!({"rules": [
            {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"]},
            {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]}]}),
        ),
        object(
            rbac,
            "RoleBinding",
            &role,
            json!({"roleRef": role_ref, "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": plan.namespace}]}),
        ),
    ];
    if plan.kind == PlanKind::Deployment && replicas > 1 {
        objects.push(object("policy/v1", "PodDisruptionBudget", name, json!({
            "spec": {"minAvailable": "50%", "selector": {"matchLabels": template::selector(plan)}},
            "status": {"currentHealthy": replicas, "desiredHealthy": replicas.div_ceil(2), "disruptionsAllowed": replicas / 2, "expectedPods": replicas, "observedGeneration": 1}})));
        objects.push(object("autoscaling/v2", "HorizontalPodAutoscaler", name, autoscaler(name, replicas)));
        objects.push(object("networking.k8s.io/v1", "NetworkPolicy", name, json!({"spec": {
            "podSelector": {"matchLabels": template::selector(plan)}, "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "platform"}}}], "ports": [{"port": "http", "protocol": "TCP"}]}]}})));
    }
    objects
}

fn autoscaler(name: &str, replicas: usize) -> Value {
    json!({
        "spec": {"minReplicas": (replicas / 2).max(1), "maxReplicas": replicas * 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}]},
        "status": {"currentReplicas": replicas, "desiredReplicas": replicas,
            "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 20 + template::fnv(name) % 60, "averageValue": "41m"}}}]},
    })
}

fn secret_data(name: &str) -> Value {
    use base64::Engine;
    let encode = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
    json!({"database-url": encode(format!("postgres://{name}:{CANARY}@postgres.payments:5432/{name}")), "api-token": encode(CANARY.to_owned())})
}

/// A claim and its volume; a claim without one waits for ever.
pub(crate) fn claim(namespace: &str, name: &str, volume: Option<&str>, at: &str) -> Vec<Value> {
    let mut claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": at, "finalizers": ["kubernetes.io/pvc-protection"]},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "20Gi"}}, "storageClassName": "gp3", "volumeMode": "Filesystem"},
        "status": {"phase": "Pending"},
    });
    let Some(volume) = volume else {
        claim["spec"]["storageClassName"] = "does-not-exist".into();
        return vec![claim];
    };
    claim["spec"]["volumeName"] = volume.into();
    claim["status"] =
        json!({"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "20Gi"}});
    let persistent = json!({
        "apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {"name": volume, "creationTimestamp": at, "finalizers": ["kubernetes.io/pv-protection"], "annotations": {"pv.kubernetes.io/provisioned-by": "ebs.csi.aws.com"}},
        "spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "20Gi"}, "persistentVolumeReclaimPolicy": "Delete", "storageClassName": "gp3", "volumeMode": "Filesystem",
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": namespace, "name": name},
            "csi": {"driver": "ebs.csi.aws.com", "fsType": "ext4", "volumeHandle": format!("vol-0{}", &volume[4..20])}},
        "status": {"phase": "Bound", "lastPhaseTransitionTime": at},
    });
    vec![claim, persistent]
}
