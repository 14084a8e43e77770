//! What real servers, admission and controllers make of an object, as somebody writes it, is no difference from what was written.

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::server::{Server, text};
use kubeplex_tests::wait;
use serde_json::{Value, json};

const CLUSTER: &str = "eu-1";
const NAMESPACE: &str = "kubeplex-filled-in";

pub(super) async fn is_no_difference(fleet: &TestFleet) {
    let server = fleet.server(CLUSTER);
    let namespace = format!("/api/v1/namespaces/{NAMESPACE}");
    server.make_namespace(NAMESPACE, None).await;
    // Pods want their account to be there.
    wait::until("the namespace's account", async || {
        server.try_get(&format!("{namespace}/serviceaccounts/default")).await
    })
    .await;
    let written = written();
    for (path, object) in &written {
        server.create(path, object.clone()).await;
    }
    until_looked_at(server).await;
    let manifest: Vec<_> = written.iter().map(|(_, object)| object.to_string()).collect();
    let question = json!({"manifest": manifest.join("\n---\n"), "cluster": CLUSTER});
    wait::until("everything to be as it was written", async || {
        let answer = fleet.call("fleet_diff", question.clone()).await;
        let told = (&answer["total"], &answer["equal"]);
        if told == (&json!(written.len()), &json!(written.len())) { Ok(()) } else { Err(answer) }
    })
    .await;
    let mut other = written[0].1.clone();
    other["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"] = json!("0.2");
    let answer = fleet.call("fleet_diff", json!({"manifest": other.to_string(), "cluster": CLUSTER})).await;
    assert!(answer["differ"].to_string().contains("requests.cpu"), "{answer}");
    server.delete(&namespace).await;
}

/// Schedulers and controllers have added what they add.
async fn until_looked_at(server: &Server) {
    wait::until("the pod to be on a node", async || {
        let pod = server.get(&format!("/api/v1/namespaces/{NAMESPACE}/pods/lone")).await;
        if text(&pod["spec"]["nodeName"]).is_empty() { Err(pod["status"].clone()) } else { Ok(()) }
    })
    .await;
}

fn template(labels: &Value) -> Value {
    let container = json!({"name": "main", "image": "registry.example.com/main:1", "ports": [{"name": "http", "containerPort": 80}],
        "env": [{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "readinessProbe": {"tcpSocket": {"port": "http"}}, "livenessProbe": {"httpGet": {"port": 80}},
        "resources": {"requests": {"cpu": "0.1", "memory": "1024Mi"}},
        "volumeMounts": [{"name": "config", "mountPath": "/config"}]});
    let volumes = json!([
        {"name": "config", "configMap": {"name": "settings"}}, {"name": "scratch", "emptyDir": {}},
        {"name": "both", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}, {"configMap": {"name": "settings"}}]}},
        {"name": "labels", "downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
    ]);
    json!({"metadata": {"labels": labels}, "spec": {"containers": [container], "volumes": volumes}})
}

/// Each with the path of its kind.
fn written() -> Vec<(String, Value)> {
    let object = |version: &str, kind: &str, name: &str, mut rest: Value| {
        rest["apiVersion"] = json!(version);
        rest["kind"] = json!(kind);
        rest["metadata"] = json!({"name": name, "namespace": NAMESPACE});
        rest
    };
    let path = |version: &str, resource: &str| format!("/{version}/namespaces/{NAMESPACE}/{resource}");
    let labels = json!({"app": "main"});
    let selector = json!({"matchLabels": labels});
    let run = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "main"}]}});
    let workload = json!({"selector": selector, "template": template(&labels)});
    // The class is said, because which is the usual one each cluster says for itself.
    let claim = json!({"accessModes": ["ReadWriteOnce"], "storageClassName": "manual",
        "resources": {"requests": {"storage": "1024Mi"}}});
    let mut stateful = workload.clone();
    stateful["serviceName"] = json!("headless");
    stateful["volumeClaimTemplates"] = json!([{"metadata": {"name": "data"}, "spec": claim}]);
    let rule = json!({"host": "main.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix",
        "backend": {"service": {"name": "plain", "port": {"number": 80}}}}]}});
    let cpu = json!({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}});
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "main"});
    vec![
        (
            path("apis/apps/v1", "deployments"),
            object("apps/v1", "Deployment", "main", json!({"spec": workload})),
        ),
        (
            path("apis/apps/v1", "statefulsets"),
            object("apps/v1", "StatefulSet", "main", json!({"spec": stateful})),
        ),
        (
            path("apis/apps/v1", "daemonsets"),
            object("apps/v1", "DaemonSet", "main", json!({"spec": workload})),
        ),
        (
            path("apis/batch/v1", "jobs"),
            object("batch/v1", "Job", "main", json!({"spec": {"template": run}})),
        ),
        (
            path("apis/batch/v1", "cronjobs"),
            object(
                "batch/v1",
                "CronJob",
                "main",
                json!({"spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": run}}}}),
            ),
        ),
        (
            path("api/v1", "pods"),
            object("v1", "Pod", "lone", json!({"spec": {"containers": [{"name": "main", "image": "main"}]}})),
        ),
        (
            path("api/v1", "services"),
            object(
                "v1",
                "Service",
                "plain",
                json!({"spec": {"selector": labels, "ports": [{"port": 80, "targetPort": "http"}]}}),
            ),
        ),
        (
            path("api/v1", "services"),
            object(
                "v1",
                "Service",
                "headless",
                json!({"spec": {"clusterIP": "None", "selector": labels, "ports": [{"port": 80}]}}),
            ),
        ),
        (
            path("api/v1", "configmaps"),
            object("v1", "ConfigMap", "settings", json!({"data": {"a": "1", "b": "two"}})),
        ),
        (path("api/v1", "serviceaccounts"), object("v1", "ServiceAccount", "main", json!({}))),
        (
            path("api/v1", "persistentvolumeclaims"),
            object("v1", "PersistentVolumeClaim", "data", json!({"spec": claim})),
        ),
        (
            path("api/v1", "resourcequotas"),
            object(
                "v1",
                "ResourceQuota",
                "all",
                json!({"spec": {"hard": {"requests.memory": "1024Gi", "configmaps": "50"}}}),
            ),
        ),
        (
            path("api/v1", "limitranges"),
            object(
                "v1",
                "LimitRange",
                "all",
                json!({"spec": {"limits": [{"type": "Pod", "max": {"cpu": "4000m"}}]}}),
            ),
        ),
        (
            path("apis/networking.k8s.io/v1", "ingresses"),
            object("networking.k8s.io/v1", "Ingress", "main", json!({"spec": {"rules": [rule]}})),
        ),
        (
            path("apis/networking.k8s.io/v1", "networkpolicies"),
            object(
                "networking.k8s.io/v1",
                "NetworkPolicy",
                "main",
                json!({"spec": {"podSelector": selector, "ingress": [{"ports": [{"port": 80}]}]}}),
            ),
        ),
        (
            path("apis/autoscaling/v2", "horizontalpodautoscalers"),
            object(
                "autoscaling/v2",
                "HorizontalPodAutoscaler",
                "main",
                json!({"spec": {"maxReplicas": 3, "scaleTargetRef": target, "metrics": [cpu]}}),
            ),
        ),
        (
            path("apis/policy/v1", "poddisruptionbudgets"),
            object(
                "policy/v1",
                "PodDisruptionBudget",
                "main",
                json!({"spec": {"minAvailable": 1, "selector": selector}}),
            ),
        ),
        (
            path("apis/rbac.authorization.k8s.io/v1", "rolebindings"),
            object(
                "rbac.authorization.k8s.io/v1",
                "RoleBinding",
                "main",
                json!({
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
                "subjects": [{"kind": "ServiceAccount", "name": "main", "namespace": NAMESPACE}, {"kind": "User", "name": "anna"}]}),
            ),
        ),
    ]
}
