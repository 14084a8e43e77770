use serde_json::json;

use super::*;
use crate::problems::world::fixture::Fixture;

fn pod(spec: Value, reason: &str, message: &str) -> Value {
    json!({
        "metadata": {"name": "web-0", "namespace": "shop"}, "spec": spec,
        "status": {"phase": "Pending", "containerStatuses": [
            {"name": "app", "state": {"waiting": {"reason": reason, "message": message}}}]},
    })
}

#[track_caller]
fn check(world: &Fixture, pod: &Value, expected: &[&str]) {
    assert_eq!(world.judge(judge, "pods", pod).0, expected);
}

#[test]
fn what_the_kubelet_misses() {
    let world = Fixture::new();
    for (message, expected) in [
        ("configmap \"web\" not found", "MissingConfigMap: ConfigMap web does not exist"),
        ("secret \"web\" not found", "MissingSecret: Secret web does not exist"),
        ("couldn't find key url in ConfigMap shop/web", "MissingKey: ConfigMap web has no key url"),
        ("couldn't find key url in Secret shop/db", "MissingKey: Secret db has no key url"),
        (
            "container has runAsNonRoot and image will run as root",
            "ContainerConfig: container app can't be configured",
        ),
    ] {
        let pod = pod(json!({"nodeName": "n1"}), "CreateContainerConfigError", message);
        check(&world, &pod, &[&format!("Critical {expected}")]);
    }
}

#[test]
fn what_it_can_not_mount() {
    for (message, expected) in [
        (
            "MountVolume.SetUp failed for volume \"cfg\" : configmap \"web\" not found",
            "MissingConfigMap: ConfigMap web does not exist",
        ),
        (
            "MountVolume.SetUp failed for volume \"cfg\" : configmap references non-existent config key: a.conf",
            "MissingKey: ConfigMap has no key a.conf",
        ),
        (
            "MountVolume.SetUp failed for volume \"s\" : references non-existent secret key: tls.crt",
            "MissingKey: Secret has no key tls.crt",
        ),
    ] {
        let world = Fixture::new().warning("web-0", "FailedMount", message);
        check(
            &world,
            &pod(json!({"nodeName": "n1"}), "ContainerCreating", ""),
            &[&format!("Critical {expected}")],
        );
    }
    let other = Fixture::new().warning("web-0", "FailedMount", "timed out waiting for the condition");
    check(&other, &pod(json!({"nodeName": "n1"}), "ContainerCreating", ""), &[]);
}

fn referring() -> Value {
    json!({
        "nodeName": "n1",
        "volumes": [
            {"name": "cfg", "configMap": {"name": "web", "items": [{"key": "a"}, {"key": "b"}]}},
            {"name": "maybe", "configMap": {"name": "gone", "optional": true}},
            {"name": "all", "projected": {"sources": [{"configMap": {"name": "more"}}, {"secret": {"name": "tls"}}]}},
        ],
        "containers": [{"name": "app", "envFrom": [{"configMapRef": {"name": "env"}}],
                        "env": [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "web", "key": "c"}}}]}],
    })
}

#[test]
fn what_it_refers_to_is_looked_up() {
    let map =
        |name: &str, data: Value| json!({"metadata": {"name": name, "namespace": "shop"}, "data": data});
    let pod = pod(referring(), "ContainerCreating", "");
    let world = Fixture::new().with("configmaps", map("web", json!({"a": {}}))).without_knowing("secrets");
    check(
        &world,
        &pod,
        &[
            "Critical MissingConfigMap: ConfigMap env does not exist",
            "Critical MissingConfigMap: ConfigMap more does not exist",
            "Critical MissingKey: ConfigMap web has no key b",
            "Critical MissingKey: ConfigMap web has no key c",
        ],
    );
    let whole = Fixture::new()
        .with("configmaps", map("web", json!({"a": {}, "b": {}, "c": {}})))
        .with("configmaps", map("more", json!({})))
        .with("configmaps", map("env", json!({})))
        .with("secrets", map("tls", json!({})));
    check(&whole, &pod, &[]);
    check(&Fixture::new().without_knowing("configmaps").without_knowing("secrets"), &pod, &[]);
}

#[test]
fn a_pod_that_runs_has_what_it_needs() {
    let mut running = pod(referring(), "", "");
    running["status"]["phase"] = "Running".into();
    check(&Fixture::new(), &running, &[]);
    let unscheduled =
        pod(json!({"volumes": [{"name": "c", "configMap": {"name": "web"}}]}), "ContainerCreating", "");
    check(&Fixture::new(), &unscheduled, &[]);
}
