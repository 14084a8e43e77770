//! What is as it should be, and looks a little like a fault: no problem may be named there.

use serde_json::json;

use super::fault::{IMAGE, Place, Plan, Planted};

/// A team's namespace: a deployment with all that belongs to it, one that is scaled down, a job, a cron job, a claim that waits
/// for its first consumer, and a budget that leaves room.
pub(super) fn plan(namespace: &str) -> Plan {
    let of = |name| Place { namespace: namespace.to_owned(), name };
    let (web, idle, once, nightly) = (of("web"), of("idle"), of("once"), of("nightly"));
    let from =
        json!([{"configMapRef": {"name": "web"}}, {"configMapRef": {"name": "extra", "optional": true}}]);
    let container = json!({"name": "app", "image": IMAGE, "envFrom": from, "ports": [{"name": "http", "containerPort": 8080}]});
    let service = |place: &Place| {
        let port = json!({"name": "http", "port": 80, "targetPort": "http"});
        place.object("v1/services", json!({"spec": {"selector": {"app": place.name}, "ports": [port]}}))
    };
    let backend = json!({"service": {"name": "web", "port": {"name": "http"}}});
    let rule = json!({"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}});
    let job = |place: &Place| json!({"template": place.pods(None, json!({"restartPolicy": "Never"}))});
    let budget = json!({"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}});
    let claim = json!({"accessModes": ["ReadWriteOnce"], "storageClassName": class(), "resources": {"requests": {"storage": "1Gi"}}});
    Plan::of([
        web.object("v1/configmaps", json!({"data": {"REGION": "eu"}})),
        web.deployment(3, None, json!({"containers": [container]})),
        service(&web),
        web.object(
            "networking.k8s.io/v1/ingresses",
            json!({"spec": {"ingressClassName": "nginx", "rules": [rule]}}),
        ),
        web.object("policy/v1/poddisruptionbudgets", json!({"spec": budget})),
        web.object("v1/resourcequotas", json!({"spec": {"hard": {"pods": "50"}}})),
        idle.deployment(0, None, json!({"containers": [container]})),
        service(&idle),
        once.object("batch/v1/jobs", json!({"spec": job(&once)})),
        nightly.object(
            "batch/v1/cronjobs",
            json!({"spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": job(&nightly)}}}),
        ),
        Planted {
            path: "/apis/storage.k8s.io/v1/storageclasses".to_owned(),
            object: json!({"metadata": {"name": class()}, "provisioner": "csi.planted.kubeplex.dev", "volumeBindingMode": "WaitForFirstConsumer"}),
        },
        of("later").object("v1/persistentvolumeclaims", json!({"spec": claim})),
    ])
}

fn class() -> String {
    format!("{}late", super::plant::PREFIX)
}
